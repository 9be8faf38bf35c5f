// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed_key.hpp"

#include <gtest/gtest.h>

namespace bw::crypto {
namespace {

TEST(KeyFile, ClearFormRoundTripsAndEveryFlippedByteIsRefused) {
  const SigningKey key = SigningKey::generate(system_random());
  const Bytes file = seal_key(key, nullptr, system_random());
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
}

TEST(KeyFile, SealedFormNeedsItsPassphrase) {
  const SigningKey key = SigningKey::generate(system_random());
  const Passphrase right("correct horse");
  const Passphrase wrong("correct house");
  const Bytes file = seal_key(key, &right, system_random());
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
  const Bytes file = seal_key(key, &pass, system_random());
  for (const std::size_t at : {7UL, 40UL, 70UL, 100UL, file.size() - 1}) {
    Bytes bent = file;
    bent[at] ^= 1;
    EXPECT_FALSE(open_key(bent, &pass)) << at;
  }
  Bytes greedy = file;
  greedy[59] = 0xff;  // memory KiB, high byte
  EXPECT_EQ(open_key(greedy, &pass).error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace bw::crypto
