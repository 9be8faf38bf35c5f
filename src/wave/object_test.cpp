// SPDX-License-Identifier: Apache-2.0
#include "wave/object.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "wave/object_body.hpp"
#include "wave/testing/objects.hpp"

namespace bw::wave {
namespace {

// As a ledger takes a stranger's bytes.
bool stands(ByteView bytes) {
  const auto object = parse_object(bytes);
  return object && verify_signature(*object);
}

template <class T>
class ObjectKind : public ::testing::Test {};

using Kinds =
    ::testing::Types<Entity, Dot, Revocation, Alias, RouterOffer, RouterAcceptance, RouterAddress>;
TYPED_TEST_SUITE(ObjectKind, Kinds);

template <class T>
Signed<T> sample(std::uint64_t seed) {
  return testing::objects<T>()(rc::Random(seed), 20).value();
}

TYPED_TEST(ObjectKind, RoundTrip) {
  EXPECT_TRUE(rc::check([] {
    const crypto::SigningKey key = testing::numbered_key(*testing::between<std::uint8_t>(1, 0xfe));
    const TypeParam value = *testing::values<TypeParam>(key.public_key());
    const auto made = sign(value, key);
    RC_ASSERT(made.has_value());
    RC_ASSERT(made->value == value);
    RC_ASSERT(made->bytes.size() <= limits::kObjectBytes);
    RC_ASSERT(verify_signature(*made).has_value());

    const auto parsed = parse<TypeParam>(made->bytes);
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(parsed->value == value);
    RC_ASSERT(parsed->id == made->id);
    RC_ASSERT(parsed->bytes == made->bytes);
    RC_ASSERT(to_bytes(parsed->body()) == encode_body(value).value());
    RC_ASSERT(sign(value, key)->bytes == made->bytes);
  }));
}

TYPED_TEST(ObjectKind, ParsesAsAnyObject) {
  const Signed<TypeParam> made = sample<TypeParam>(1);
  const auto object = parse_object(made.bytes);
  ASSERT_TRUE(object);
  ASSERT_TRUE(std::holds_alternative<Signed<TypeParam>>(*object));
  EXPECT_EQ(kind_of(*object), TypeParam::kKind);
  EXPECT_EQ(id_of(*object), made.id);
  EXPECT_EQ(to_bytes(bytes_of(*object)), made.bytes);
  EXPECT_EQ(signer_of(*object), made.value.signer());
  EXPECT_EQ(created_of(*object), made.value.created);
  EXPECT_TRUE(verify_signature(*object));
}

TYPED_TEST(ObjectKind, EveryFlippedBitIsNoticed) {
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    Bytes bytes = sample<TypeParam>(seed).bytes;
    ASSERT_TRUE(stands(bytes));
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      const auto mask = static_cast<std::uint8_t>(1U << bit % 8);
      bytes[bit / 8] ^= mask;
      EXPECT_FALSE(stands(bytes)) << "seed " << seed << ", bit " << bit;
      bytes[bit / 8] ^= mask;
    }
  }
}

TYPED_TEST(ObjectKind, HasNoOtherLength) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Bytes bytes = sample<TypeParam>(seed).bytes;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(stands(ByteView(bytes).first(size))) << "seed " << seed << ", " << size;
    }
    for (const int byte : {0, 1, 0xff}) {
      Bytes longer = bytes;
      longer.push_back(static_cast<std::uint8_t>(byte));
      EXPECT_FALSE(stands(longer));
      longer.insert(longer.end() - 65, static_cast<std::uint8_t>(byte));  // before the signature
      EXPECT_FALSE(stands(longer));
    }
  }
}

TYPED_TEST(ObjectKind, BodiesOfOtherLengthsAreMalformed) {
  const Signed<TypeParam> made = sample<TypeParam>(3);
  for (std::size_t size = 2; size < made.body().size(); ++size) {
    Bytes cut = to_bytes(made.body().first(size));
    cut.insert(cut.end(), 64, 0);
    const auto parsed = parse<TypeParam>(cut);
    ASSERT_FALSE(parsed) << size;
    EXPECT_EQ(parsed.error().code, ErrorCode::kMalformed) << parsed.error().message;
  }
  Bytes longer = made.bytes;
  longer.push_back(0);
  EXPECT_EQ(parse<TypeParam>(longer).error().code, ErrorCode::kMalformed);
}

TYPED_TEST(ObjectKind, NobodyElseCanHaveSignedIt) {
  Signed<TypeParam> made = sample<TypeParam>(5);
  const crypto::Signature foreign = testing::numbered_key(0xfe).sign(made.id);
  std::ranges::copy(foreign, made.bytes.end() - 64);
  const auto verified = verify_signature(*parse<TypeParam>(made.bytes));
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, ErrorCode::kBadSignature);
  EXPECT_TRUE(verified.error().message.contains(made.value.signer().text()));
}

// RapidCheck discards cases whose generator fails, which would quietly keep the edges untested.
TEST(ObjectGenerators, NeverFail) {
  for (int size = 0; size <= 100; size += 4) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      EXPECT_NO_THROW((void)testing::any_objects()(rc::Random(seed), size).value());
      EXPECT_NO_THROW((void)testing::proofs(2)(rc::Random(seed), size).value());
    }
  }
}

// Whatever is accepted is its own canonical encoding, also for bytes that nobody signed.
RC_GTEST_PROP(ObjectProperty, AcceptedBytesAreCanonical, ()) {
  const Object made = *testing::any_objects();
  Bytes bytes = to_bytes(bytes_of(made));
  const int changes = *testing::between(0, 3);
  for (int i = 0; i < changes; ++i) {
    bytes[*testing::between<std::size_t>(0, bytes.size() - 1)] =
        *rc::gen::arbitrary<std::uint8_t>();
  }
  const auto parsed = parse_object(bytes);
  RC_CLASSIFY(parsed.has_value());
  if (!parsed) return;
  std::visit(
      [&](const auto& object) {
        RC_ASSERT(object.bytes == bytes);
        RC_ASSERT(encode_body(object.value).value() == to_bytes(object.body()));
      },
      *parsed);
}

RC_GTEST_PROP(ObjectProperty, NoiseNeverCrashes, (Bytes noise)) {
  if (!noise.empty()) noise[0] = *testing::between<std::uint8_t>(1, 7);
  if (noise.size() > 1) noise[1] = 1;
  noise.insert(noise.end(), 64, 0);
  const auto parsed = parse_object(noise);
  if (!parsed) RC_ASSERT(!parsed.error().message.empty());
}

TEST(Object, TimesAreCutToSeconds) {
  const crypto::SigningKey key = testing::numbered_key(1);
  Entity entity = sample<Entity>(1).value;
  entity.key = key.public_key();
  entity.created = from_seconds(7) + 999ms;
  entity.expires = kNever;
  EXPECT_EQ(sign(entity, key)->value.created, from_seconds(7));
}

TEST(Object, KindsHaveNames) {
  EXPECT_EQ(kind_name(Kind::kDot), "DoT");
  EXPECT_EQ(kind_name(Kind::kRouterAddress), "router address");
  EXPECT_EQ(kind_name(Kind{0}), "unknown");
  EXPECT_EQ(kind_name(Kind{8}), "unknown");
}

TEST(ObjectDeathTest, SigningForSomebodyElseIsABug) {
  EXPECT_DEATH((void)sign(sample<Alias>(1).value, testing::numbered_key(0xfe)), "signer");
}

}  // namespace
}  // namespace bw::wave
