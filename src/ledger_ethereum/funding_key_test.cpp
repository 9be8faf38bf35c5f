// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/funding_key.hpp"

#include <filesystem>

#include <gtest/gtest.h>

#include "crypto/ecdsa.hpp"
#include "store/testing/temp_directory.hpp"

namespace bw::ledger_ethereum {
namespace {

namespace fs = std::filesystem;

// The first account of every development node.
constexpr std::string_view kDigits =
    "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
constexpr std::string_view kAccount = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

class FundingKey : public ::testing::Test {
 protected:
  void write(std::string_view text, fs::perms mode = fs::perms::owner_read) {
    fs::remove(file);
    store::testing::overwrite_file(file, as_bytes(text));
    fs::permissions(file, mode);
  }
  ErrorCode refusal(const crypto::Passphrase* passphrase = nullptr) {
    const auto key = read_funding_key(file, passphrase);
    return key ? ErrorCode::kInternal : key.error().code;
  }

  store::testing::TempDirectory directory;
  fs::path file = directory / "funding.key";
};

TEST_F(FundingKey, ReadsTheDigitsThatEthereumsToolsWrite) {
  for (const std::string& text :
       {std::string(kDigits), fmt::format("0x{}\n", kDigits), fmt::format("{}\r\n", kDigits)}) {
    write(text);
    const auto key = read_funding_key(file, nullptr);
    ASSERT_TRUE(key.has_value()) << key.error().message;
    EXPECT_EQ(evm::to_text(crypto::account_of(*key)), kAccount);
  }
}

TEST_F(FundingKey, RefusesWhatIsNoKey) {
  for (const std::string& text :
       {std::string(), std::string(kDigits.substr(1)), fmt::format("{}0", kDigits),
        std::string(64, 'g'), std::string(64, '0'), std::string(64, 'f')}) {
    write(text);
    EXPECT_NE(refusal(), ErrorCode::kInternal) << text;
  }
  fs::remove(file);
  EXPECT_EQ(refusal(), ErrorCode::kNotFound);
}

TEST_F(FundingKey, RefusesAFileThatOthersMayRead) {
  write(kDigits, fs::perms::owner_read | fs::perms::others_read);
  EXPECT_EQ(refusal(), ErrorCode::kDenied);
}

TEST_F(FundingKey, MakesOneForItsOwnerAlone) {
  const auto made = make_funding_key(file, nullptr, crypto::system_random());
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(fs::status(file).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(read_funding_key(file, nullptr)->public_key(), made->public_key());
  // A lost key is lost money.
  const auto again = make_funding_key(file, nullptr, crypto::system_random());
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, ErrorCode::kConflict);
}

TEST_F(FundingKey, ASealedOneNeedsItsPassphrase) {
  const crypto::Passphrase right("right");
  const crypto::Passphrase wrong("wrong");
  const auto made = make_funding_key(file, &right, crypto::system_random());
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(refusal(), ErrorCode::kDenied);
  EXPECT_EQ(refusal(&wrong), ErrorCode::kDenied);
  EXPECT_EQ(read_funding_key(file, &right)->public_key(), made->public_key());
}

}  // namespace
}  // namespace bw::ledger_ethereum
