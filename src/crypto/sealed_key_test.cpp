// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed_key.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace bw::crypto {
namespace {

// 0, 1, 2, ... over all calls.
class CountingRandom : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& byte : out) byte = next_++;
  }

 private:
  std::uint8_t next_ = 0;
};

// Made from the description of the format by a script that calls libsodium directly.
TEST(KeyFile, SealedFormIsTheDocumentedOne) {
  ByteArray<32> secret{};
  secret[31] = 3;
  const SigningKey key = *SigningKey::from_secret(secret);
  const Passphrase passphrase("correct horse");
  CountingRandom random;
  const Bytes file = *seal_key(key, &passphrase, random);
  EXPECT_EQ(to_hex(file),
            "42574b45590101"
            "f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9"
            "000102030405060708090a0b0c0d0e0f"
            "0000000300010000"
            "101112131415161718191a1b1c1d1e1f2021222324252627"
            "8fb5992702bbc29139a88202b3f415aebafc042d47fda8c3853134152b38e044"
            "87544fd37d6c51f2e25b1f0d22320e95");
  EXPECT_EQ(to_hex(*seal_key(key, nullptr, random)),
            "42574b45590100"
            "f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9"
            "0000000000000000000000000000000000000000000000000000000000000003");
}

TEST(KeyFile, ClearFormRoundTripsAndEveryFlippedByteIsRefused) {
  const SigningKey key = SigningKey::generate(system_random());
  const Bytes file = *seal_key(key, nullptr, system_random());
  EXPECT_EQ(open_key(file, nullptr)->public_key(), key.public_key());
  EXPECT_FALSE(inspect_key_file(file)->sealed);
  for (std::size_t i = 0; i < file.size(); ++i) {
    Bytes bent = file;
    bent[i] ^= 0x10;
    EXPECT_FALSE(open_key(bent, nullptr)) << i;
  }
  for (std::size_t size = 0; size < file.size(); ++size) {
    EXPECT_FALSE(open_key(ByteView(file).first(size), nullptr));
  }
  Bytes longer = file;
  longer.push_back(0);
  EXPECT_FALSE(open_key(longer, nullptr));
}

TEST(KeyFile, SealedFormNeedsItsPassphrase) {
  const SigningKey key = SigningKey::generate(system_random());
  const Passphrase right("correct horse");
  const Passphrase wrong("correct house");
  const Bytes file = *seal_key(key, &right, system_random());
  const auto info = inspect_key_file(file);
  EXPECT_TRUE(info->sealed);
  EXPECT_EQ(info->key, key.public_key());
  EXPECT_EQ(open_key(file, &right)->public_key(), key.public_key());
  EXPECT_EQ(open_key(file, nullptr).error().code, ErrorCode::kDenied);
  EXPECT_EQ(open_key(file, &wrong).error().code, ErrorCode::kDenied);
  const Bytes secret = to_bytes(key.secret().view());
  EXPECT_EQ(std::search(file.begin(), file.end(), secret.begin(), secret.end()), file.end());
}

TEST(KeyFile, SealedFormRefusesAlterationAndGreedyParameters) {
  const SigningKey key = SigningKey::generate(system_random());
  const Passphrase pass("x");
  const Bytes file = *seal_key(key, &pass, system_random());
  // One byte of each field: these need no key derivation ...
  for (const std::size_t at : {0UL, 5UL, 6UL}) {
    Bytes bent = file;
    bent[at] ^= 1;
    EXPECT_FALSE(open_key(bent, &pass)) << at;
  }
  // ... and these are found out by the tag: public key, salt, passes, nonce, secret, tag.
  for (const std::size_t at : {7UL, 40UL, 58UL, 70UL, 100UL, file.size() - 1}) {
    Bytes bent = file;
    bent[at] ^= 1;
    EXPECT_EQ(open_key(bent, &pass).error().code, ErrorCode::kDenied) << at;
  }
  for (std::size_t size = 0; size < file.size(); ++size) {
    EXPECT_EQ(open_key(ByteView(file).first(size), &pass).error().code, ErrorCode::kCorrupt)
        << size;
  }
  Bytes longer = file;
  longer.push_back(0);
  EXPECT_EQ(open_key(longer, &pass).error().code, ErrorCode::kCorrupt);
}

TEST(KeyFile, GreedyOrEmptyParametersAreRefusedBeforeTheyAreUsed) {
  const SigningKey key = SigningKey::generate(system_random());
  const Passphrase pass("x");
  const Bytes file = *seal_key(key, &pass, system_random());
  const auto code_with = [&](std::size_t at, std::array<std::uint8_t, 4> value) {
    Bytes bent = file;
    std::ranges::copy(value, bent.begin() + static_cast<std::ptrdiff_t>(at));
    return open_key(bent, &pass).error().code;
  };
  constexpr std::size_t kPasses = 55;
  constexpr std::size_t kMemory = 59;
  EXPECT_EQ(code_with(kPasses, {0, 0, 0, 0}), ErrorCode::kCorrupt);
  EXPECT_EQ(code_with(kPasses, {0, 0, 0, 17}), ErrorCode::kCorrupt);
  EXPECT_EQ(code_with(kPasses, {0xff, 0xff, 0xff, 0xff}), ErrorCode::kCorrupt);
  EXPECT_EQ(code_with(kMemory, {0, 0, 0, 7}), ErrorCode::kCorrupt);
  EXPECT_EQ(code_with(kMemory, {0, 4, 0, 1}), ErrorCode::kCorrupt);  // 256 MiB and 1 KiB
  EXPECT_EQ(code_with(kMemory, {0xff, 0xff, 0xff, 0xff}), ErrorCode::kCorrupt);
}

// A clear file that someone put together from two others.
TEST(KeyFile, TheSecretMustBelongToThePublicKey) {
  const Bytes one = *seal_key(SigningKey::generate(system_random()), nullptr, system_random());
  Bytes mixed = *seal_key(SigningKey::generate(system_random()), nullptr, system_random());
  std::copy_n(one.begin(), 39, mixed.begin());
  EXPECT_EQ(open_key(mixed, nullptr).error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace bw::crypto
