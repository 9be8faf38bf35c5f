// SPDX-License-Identifier: Apache-2.0
#include "crypto/ecdsa.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/text.hpp"
#include "crypto/keccak.hpp"

namespace bw::crypto {
namespace {

SigningKey key_from(std::string_view hex) {
  const Bytes secret = *from_hex(hex);
  return *SigningKey::from_secret(std::span<const std::uint8_t, 32>(secret));
}

// Keccak team's known answers, and the hash of the empty RLP string that every empty trie has.
TEST(Keccak, GivesTheKnownAnswers) {
  EXPECT_EQ(to_hex(keccak256({}).view()),
            "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
  EXPECT_EQ(to_hex(keccak256(as_bytes("abc")).view()),
            "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
  EXPECT_EQ(to_hex(keccak256(Bytes{0x80}).view()),
            "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
}

// The first two accounts of the mnemonic that development nodes start with.
TEST(Ecdsa, AccountsAreThoseOfDevelopmentNodes) {
  EXPECT_EQ(to_hex(account_of(
                key_from("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"))),
            "f39fd6e51aad88f6f4ce6ab8827279cfffb92266");
  EXPECT_EQ(to_hex(account_of(
                key_from("59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"))),
            "70997970c51812dc3a010c7d01b50e0d17dc79c8");
}

// The example of EIP-155: its signing hash, and the r and s that it gives.
TEST(Ecdsa, SignsTheExampleOfEip155) {
  const auto key = key_from("4646464646464646464646464646464646464646464646464646464646464646");
  const Hash digest =
      Hash::from(*from_hex("daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53"));
  const EcdsaSignature made = sign_ecdsa(key, digest);
  EXPECT_EQ(to_hex(made.r), "28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276");
  EXPECT_EQ(to_hex(made.s), "67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83");
  EXPECT_FALSE(made.odd_y);  // v = 37
}

RC_GTEST_PROP(Ecdsa, TheSignersAccountIsRecoveredAndNoOther, (ByteArray<32> seed)) {
  auto key = SigningKey::from_secret(seed);
  RC_PRE(key.has_value());
  const Hash digest = keccak256(seed);
  const EcdsaSignature made = sign_ecdsa(*key, digest);
  RC_ASSERT(*recover_account(made, digest) == account_of(*key));
  EcdsaSignature other = made;
  other.odd_y = !other.odd_y;
  const auto recovered = recover_account(other, digest);
  RC_ASSERT(!recovered || *recovered != account_of(*key));
}

TEST(Ecdsa, NobodySignedZeros) {
  EXPECT_EQ(recover_account({}, keccak256({})).error().code, ErrorCode::kBadSignature);
}

RC_GTEST_PROP(EvenY, BelongsToTheXAndIsEven, (ByteArray<32> seed)) {
  const auto key = SigningKey::from_secret(seed);
  RC_PRE(key.has_value());
  const auto y = even_y(key->public_key().bytes);
  RC_ASSERT(y.has_value());
  RC_ASSERT(y->back() % 2 == 0);
}

TEST(EvenY, OfTheGeneratorAndOfNoPoint) {
  // SEC 2: the generator's y is even.
  const Bytes x = *from_hex("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798");
  EXPECT_EQ(to_hex(*even_y(std::span<const std::uint8_t, 32>(x))),
            "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8");
  ByteArray<32> none{};
  none.fill(0xff);
  EXPECT_EQ(even_y(none).error().code, ErrorCode::kMalformed);
}

}  // namespace
}  // namespace bw::crypto
