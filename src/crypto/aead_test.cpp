// SPDX-License-Identifier: Apache-2.0
#include "crypto/aead.hpp"

#include <gtest/gtest.h>

#include "base/text.hpp"
#include "crypto/keys.hpp"

namespace bw::crypto {
namespace {

Secret<32> counting_key(std::uint8_t first) {
  Secret<32> key;
  for (std::uint8_t& byte : key.writable()) byte = first++;
  return key;
}

// draft-irtf-cfrg-xchacha-03, appendix A.3.1.
TEST(Aead, IetfVector) {
  AeadNonce nonce;
  std::uint8_t next = 0x40;
  for (std::uint8_t& byte : nonce) byte = next++;
  const Bytes associated = *from_hex("50515253c0c1c2c3c4c5c6c7");
  const std::string_view plaintext =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
      "sunscreen would be it.";
  Bytes sealed;
  aead_seal(counting_key(0x80), nonce, associated, as_bytes(plaintext), sealed);
  ASSERT_EQ(sealed.size(), plaintext.size() + kAeadTagBytes);
  EXPECT_EQ(to_hex(ByteView(sealed).first(16)), "bd6d179d3e83d43b9576579493c0e939");
  EXPECT_EQ(to_hex(ByteView(sealed).last(16)), "c0875924c1c7987947deafd8780acf49");
  EXPECT_EQ(aead_open(counting_key(0x80), nonce, associated, sealed), to_bytes(plaintext));
}

TEST(Aead, EveryFlippedBitIsFound) {
  const Secret<32> key = counting_key(1);
  AeadNonce nonce{1, 2, 3};
  Bytes associated = to_bytes("context");
  Bytes sealed;
  aead_seal(key, nonce, associated, as_bytes("content"), sealed);
  const auto refused = [&] {
    const auto opened = aead_open(key, nonce, associated, sealed);
    return !opened && opened.error().code == ErrorCode::kBadSignature;
  };
  const auto flip_each = [&](std::span<std::uint8_t> bytes) {
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      const auto mask = static_cast<std::uint8_t>(1U << bit % 8);
      bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ mask);
      EXPECT_TRUE(refused()) << bit;
      bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ mask);
    }
  };
  flip_each(nonce);
  flip_each(associated);
  flip_each(sealed);
  EXPECT_FALSE(refused());
  EXPECT_FALSE(aead_open(counting_key(2), nonce, associated, sealed));
  for (std::size_t length = 0; length < sealed.size(); ++length) {
    EXPECT_FALSE(aead_open(key, nonce, associated, ByteView(sealed).first(length)));
  }
}

TEST(KeyAgreement, BothSidesAgreeAndNobodyElse) {
  const SigningKey alice = SigningKey::generate(system_random());
  const SigningKey bob = SigningKey::generate(system_random());
  const SigningKey eve = SigningKey::generate(system_random());
  const Secret<32> shared = *alice.agree(bob.public_key());
  EXPECT_TRUE(std::ranges::equal(shared.view(), bob.agree(alice.public_key())->view()));
  EXPECT_FALSE(std::ranges::equal(shared.view(), eve.agree(alice.public_key())->view()));
  EXPECT_FALSE(std::ranges::equal(shared.view(), eve.agree(bob.public_key())->view()));
}

TEST(KeyAgreement, RefusesWhatIsNoPoint) {
  const SigningKey alice = SigningKey::generate(system_random());
  EntityKey no_point;  // x = 5 is on no point of the curve
  no_point.bytes[31] = 5;
  EntityKey too_large;
  too_large.bytes.fill(0xff);
  for (const EntityKey& key : {kEveryone, no_point, too_large}) {
    const auto shared = alice.agree(key);
    ASSERT_FALSE(shared);
    EXPECT_EQ(shared.error().code, ErrorCode::kMalformed);
  }
}

TEST(DerivedKeys, DependOnKeyAndTag) {
  const SigningKey alice = SigningKey::generate(system_random());
  const SigningKey bob = SigningKey::generate(system_random());
  EXPECT_TRUE(std::ranges::equal(alice.derived("a").view(), alice.derived("a").view()));
  EXPECT_FALSE(std::ranges::equal(alice.derived("a").view(), alice.derived("b").view()));
  EXPECT_FALSE(std::ranges::equal(alice.derived("a").view(), bob.derived("a").view()));
}

}  // namespace
}  // namespace bw::crypto
