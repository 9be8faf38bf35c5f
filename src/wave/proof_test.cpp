// SPDX-License-Identifier: Apache-2.0
#include "wave/proof.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "codec/writer.hpp"
#include "crypto/sha256.hpp"
#include "wave/testing/objects.hpp"

namespace bw::wave {
namespace {

Signed<Dot> some_dot(std::uint64_t seed) {
  return testing::objects<Dot>()(rc::Random(seed), 20).value();
}

Proof some_proof(std::size_t dots) {
  Proof proof;
  for (std::size_t i = 0; i < dots; ++i) proof.dots.push_back(some_dot(i));
  return proof;
}

ErrorCode refusal(ByteView bytes) {
  const auto proof = parse_proof(bytes);
  return proof ? ErrorCode{} : proof.error().code;
}

// As a verifier takes a stranger's proof: it parses and everything in it was signed.
bool stands(ByteView bytes) {
  const auto proof = parse_proof(bytes);
  return proof && std::ranges::all_of(proof->dots, [](const Signed<Dot>& dot) {
           return verify_signature(dot).has_value();
         });
}

RC_GTEST_PROP(ProofProperty, RoundTrip, ()) {
  const Proof proof = *testing::proofs(4);
  const Bytes bytes = encode(proof);
  const auto parsed = parse_proof(bytes);
  RC_ASSERT(parsed.has_value());
  RC_ASSERT(encode(*parsed) == bytes);
  RC_ASSERT(proof_hash(*parsed) == proof_hash(proof));
  RC_ASSERT(parsed->dots.size() == proof.dots.size());
  for (std::size_t i = 0; i < proof.dots.size(); ++i) {
    RC_ASSERT(parsed->dots[i].value == proof.dots[i].value);
    RC_ASSERT(parsed->dots[i].id == proof.dots[i].id);
  }
}

TEST(Proof, EveryFlippedBitIsNoticed) {
  Bytes bytes = encode(some_proof(2));
  ASSERT_TRUE(stands(bytes));
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    const auto mask = static_cast<std::uint8_t>(1U << bit % 8);
    bytes[bit / 8] ^= mask;
    EXPECT_FALSE(stands(bytes)) << "bit " << bit;
    bytes[bit / 8] ^= mask;
  }
}

TEST(Proof, HasNoOtherLength) {
  Bytes bytes = encode(some_proof(3));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(refusal(ByteView(bytes).first(size)), ErrorCode::kMalformed) << size;
  }
  bytes.push_back(0);
  EXPECT_EQ(refusal(bytes), ErrorCode::kMalformed);
}

TEST(Proof, LimitsAreExact) {
  const Bytes most = encode(some_proof(limits::kProofDots));
  EXPECT_TRUE(stands(most));

  Bytes more = most;
  more[1] = limits::kProofDots + 1;
  codec::Writer(more).text16(as_text(some_dot(99).bytes));
  EXPECT_EQ(refusal(more), ErrorCode::kTooLarge);

  EXPECT_EQ(refusal(Bytes(limits::kProofBytes + 1, 1)), ErrorCode::kTooLarge);
}

TEST(Proof, RefusesOtherVersions) {
  Bytes bytes = encode(Proof{});
  EXPECT_EQ(to_hex(bytes), "0100");
  for (const int version : {0, 2, 255}) {
    bytes[0] = static_cast<std::uint8_t>(version);
    EXPECT_EQ(refusal(bytes), ErrorCode::kUnsupported);
  }
}

TEST(Proof, HoldsNothingButDots) {
  const Signed<Entity> entity = testing::objects<Entity>()(rc::Random(1), 20).value();
  Bytes bytes{1, 1};
  codec::Writer(bytes).text16(as_text(entity.bytes));
  const auto proof = parse_proof(bytes);
  ASSERT_FALSE(proof);
  EXPECT_EQ(proof.error().code, ErrorCode::kMalformed);
  EXPECT_EQ(proof.error().message, "DoT kind: another kind of object");
}

TEST(Proof, HashNamesTheIdsInTheirOrder) {
  const crypto::TaggedHash tag("bosswave/proof");
  EXPECT_EQ(proof_hash(Proof{}), tag({}));
  const Proof proof = some_proof(2);
  const ByteView first = proof.dots[0].id.view();
  const ByteView second = proof.dots[1].id.view();
  EXPECT_EQ(proof_hash(proof), tag({first, second}));
  EXPECT_NE(proof_hash(proof), tag({second, first}));
}

}  // namespace
}  // namespace bw::wave
