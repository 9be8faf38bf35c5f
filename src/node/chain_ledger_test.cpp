// SPDX-License-Identifier: Apache-2.0
#include "node/chain_ledger.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ledger_ethereum/funding_key.hpp"
#include "store/testing/temp_directory.hpp"

namespace bw::node {
namespace {

using ::testing::HasSubstr;

class ChainOptionsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto network = ledger_ethereum::network_of("test", 31337, {}, 1);
    const auto file = directory / "network.json";
    ASSERT_TRUE(ledger_ethereum::write_network(file, network).has_value());
    config.directory = directory.path();
    config.ethereum.network = file;
    config.ethereum.endpoints = {"http://127.0.0.1:1", "ws://127.0.0.1:2"};
  }
  std::string refusal() {
    const auto options = chain_options(config);
    return options ? "" : options.error().message;
  }

  store::testing::TempDirectory directory;
  Config config;
};

TEST_F(ChainOptionsTest, SettingsAreTaken) {
  const std::string hash(64, 'a');
  config.ethereum.agree = 2;
  config.ethereum.checkpoint = "17:0x" + hash;
  config.ethereum.max_fee_gwei = 1.5;
  config.ethereum.confirmations = 3;
  const auto options = chain_options(config);
  ASSERT_TRUE(options.has_value()) << options.error().message;
  EXPECT_EQ(options->network.chain_id, 31337U);
  EXPECT_EQ(options->endpoints, config.ethereum.endpoints);
  EXPECT_EQ(options->trust.agree, 2U);
  EXPECT_EQ(options->trust.checkpoint->number, 17U);
  EXPECT_EQ(options->trust.checkpoint->hash.bytes[31], 0xaa);
  EXPECT_TRUE(options->max_fee == 1'500'000'000);
  EXPECT_EQ(options->confirmations, 3U);
  EXPECT_FALSE(options->funding.has_value());
}

TEST_F(ChainOptionsTest, WrongSettingsAreNamed) {
  config.ethereum.agree = 3;
  EXPECT_THAT(refusal(), HasSubstr("ethereum.agree"));
  config.ethereum.agree = 1;
  for (const std::string& text :
       {std::string("17"), "17:" + std::string(64, 'a'), "17:0x" + std::string(63, 'a'),
        "x:0x" + std::string(64, 'a'), "-1:0x" + std::string(64, 'a'),
        "99999999999999999999:0x" + std::string(64, 'a')}) {
    config.ethereum.checkpoint = text;
    EXPECT_THAT(refusal(), HasSubstr("ethereum.checkpoint")) << text;
  }
  config.ethereum.checkpoint.clear();
  config.ethereum.endpoints.clear();
  EXPECT_THAT(refusal(), HasSubstr("ethereum.endpoints"));
}

TEST_F(ChainOptionsTest, FilesThatAreMissingAreNamed) {
  config.ethereum.funding_key = directory / "none.key";
  EXPECT_THAT(refusal(), HasSubstr("none.key"));
  config.ethereum.funding_key.clear();
  config.ethereum.network = directory / "none.json";
  EXPECT_THAT(refusal(), HasSubstr("none.json"));
}

TEST_F(ChainOptionsTest, TheKeyInTheDirectoryPays) {
  const crypto::Passphrase words("two words");
  const auto key =
      ledger_ethereum::make_funding_key(funding_key_file(config), &words, crypto::system_random());
  ASSERT_TRUE(key.has_value());
  EXPECT_THAT(refusal(), HasSubstr("funding.key"));
  store::testing::overwrite_file(directory / "words", as_bytes("two words\nand no more"));
  config.ethereum.funding_passphrase_file = directory / "words";
  const auto options = chain_options(config);
  ASSERT_TRUE(options.has_value()) << options.error().message;
  EXPECT_EQ(options->funding->public_key(), key->public_key());
}

}  // namespace
}  // namespace bw::node
