// SPDX-License-Identifier: Apache-2.0
#include "crypto/keys.hpp"

#include <fstream>
#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "crypto/sha256.hpp"

namespace bw::crypto {
namespace {

template <std::size_t N>
ByteArray<N> array_from(const std::string& hex) {
  const Bytes bytes = *from_hex(hex);
  ByteArray<N> out{};
  EXPECT_EQ(bytes.size(), N);
  std::copy_n(bytes.begin(), N, out.begin());
  return out;
}

TEST(Bip340, OfficialVectors) {
  std::ifstream file(BW_SOURCE_DIR "/tests/vectors/bip340.json");
  const auto vectors = nlohmann::json::parse(file);
  ASSERT_EQ(vectors.size(), 15U);
  for (const auto& vector : vectors) {
    const EntityKey key{array_from<32>(vector["public_key"])};
    const Hash message{array_from<32>(vector["message"])};
    const auto signature = array_from<64>(vector["signature"]);
    EXPECT_EQ(verify(key, message, signature), vector["valid"].get<bool>()) << vector["index"];
    EXPECT_EQ(VerifyingKey(key).verify(message, signature), vector["valid"].get<bool>());
    if (vector.contains("secret_key")) {
      const auto signer = SigningKey::from_secret(array_from<32>(vector["secret_key"]));
      EXPECT_EQ(signer->public_key(), key);
      // We sign without auxiliary randomness, as vector 0 does.
      const bool plain = array_from<32>(vector["aux_rand"]) == ByteArray<32>{};
      EXPECT_EQ(signer->sign(message) == signature, plain) << vector["index"];
      EXPECT_TRUE(verify(key, message, signer->sign(message)));
    }
  }
}

TEST(SigningKey, SignsDeterministicallyAndVerifies) {
  const SigningKey key = SigningKey::generate(system_random());
  const Hash message = sha256(as_bytes("hello"));
  const Signature signature = key.sign(message);
  EXPECT_EQ(signature, key.sign(message));
  EXPECT_TRUE(verify(key.public_key(), message, signature));
  EXPECT_FALSE(verify(key.public_key(), sha256(as_bytes("hallo")), signature));
  for (std::size_t bit = 0; bit < 512; bit += 7) {
    Signature bent = signature;
    bent[bit / 8] = static_cast<std::uint8_t>(bent[bit / 8] ^ 1U << bit % 8);
    EXPECT_FALSE(verify(key.public_key(), message, bent));
  }
}

TEST(SigningKey, RefusesSecretsOutsideTheGroup) {
  EXPECT_FALSE(SigningKey::from_secret(ByteArray<32>{}));
  ByteArray<32> ones;
  ones.fill(0xff);
  EXPECT_FALSE(SigningKey::from_secret(ones));
}

TEST(SigningKey, SecretsRoundTripAndKeysDiffer) {
  std::set<EntityKey> seen;
  for (int i = 0; i < 50; ++i) {
    const SigningKey key = SigningKey::generate(system_random());
    EXPECT_TRUE(seen.insert(key.public_key()).second);
    EXPECT_EQ(SigningKey::from_secret(key.secret().view())->public_key(), key.public_key());
    EXPECT_TRUE(is_valid_key(key.public_key()));
  }
}

TEST(EntityKey, EveryoneIsNobodysKey) {
  EXPECT_FALSE(is_valid_key(kEveryone));
  EXPECT_FALSE(verify(kEveryone, Hash{}, Signature{}));
  EXPECT_FALSE(VerifyingKey(kEveryone).verify(Hash{}, Signature{}));
}

TEST(Secret, IsWipedWhenMovedFrom) {
  Secret<32> a;
  a.writable()[0] = 7;
  const Secret<32> b = std::move(a);
  EXPECT_EQ(b.view()[0], 7);
  EXPECT_EQ(a.view()[0], 0);  // NOLINT(bugprone-use-after-move): that is the point
}

bool holds(const Passphrase& passphrase, std::string_view part) {
  const std::string_view memory(reinterpret_cast<const char*>(&passphrase), sizeof passphrase);
  return memory.find(part) != std::string_view::npos;
}

// Short enough that std::string keeps it inside the object, where a plain move leaves a copy.
TEST(Passphrase, LeavesNothingBehindWhenMovedFrom) {
  Passphrase a("hunter2hunter2");
  ASSERT_TRUE(holds(a, "nter2"));
  Passphrase b(std::move(a));
  EXPECT_EQ(b.text(), "hunter2hunter2");
  EXPECT_FALSE(holds(a, "nter2"));  // NOLINT(bugprone-use-after-move): that is the point
  Passphrase c("x");
  c = std::move(b);
  EXPECT_EQ(c.text(), "hunter2hunter2");
  EXPECT_FALSE(holds(b, "nter2"));  // NOLINT(bugprone-use-after-move): that is the point
  c = Passphrase("y");
  EXPECT_EQ(c.text(), "y");
  EXPECT_FALSE(holds(c, "nter2"));
}

// The tag of BIP-340's own challenge hash, over an empty message.
TEST(TaggedHash, IsTheDoublePrefixOfBip340) {
  const Hash tag = sha256(as_bytes("BIP0340/challenge"));
  Bytes preimage = to_bytes(tag.view());
  append(preimage, tag.view());
  append(preimage, as_bytes("abc"));
  EXPECT_EQ(TaggedHash("BIP0340/challenge")({as_bytes("a"), as_bytes("bc")}), sha256(preimage));
  EXPECT_NE(TaggedHash("bosswave/dot")({as_bytes("abc")}),
            TaggedHash("bosswave/entity")({as_bytes("abc")}));
}

TEST(Sha256, VectorsAndContinuingACopiedState) {
  EXPECT_EQ(to_hex(sha256(as_bytes("abc")).view()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const Sha256 prefix = Sha256().update(as_bytes("ab"));
  Sha256 one = prefix;
  Sha256 two = prefix;
  EXPECT_EQ(one.update(as_bytes("c")).finish(), sha256(as_bytes("abc")));
  EXPECT_EQ(two.update(as_bytes("d")).finish(), sha256(as_bytes("abd")));
  EXPECT_EQ(prefix.finish(), sha256(as_bytes("ab")));
}

TEST(Secret, EqualInConstantTimeIsEquality) {
  EXPECT_TRUE(equal_in_constant_time(as_bytes("Bearer abc"), as_bytes("Bearer abc")));
  EXPECT_TRUE(equal_in_constant_time({}, {}));
  EXPECT_FALSE(equal_in_constant_time(as_bytes("Bearer abc"), as_bytes("Bearer abd")));
  EXPECT_FALSE(equal_in_constant_time(as_bytes("Bearer abc"), as_bytes("Xearer abc")));
  EXPECT_FALSE(equal_in_constant_time(as_bytes("Bearer abc"), as_bytes("Bearer ab")));
  EXPECT_FALSE(equal_in_constant_time(as_bytes("Bearer abc"), {}));
}

}  // namespace
}  // namespace bw::crypto
