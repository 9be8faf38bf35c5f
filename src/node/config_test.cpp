// SPDX-License-Identifier: Apache-2.0
#include "node/config.hpp"

#include <cstdlib>

#include <gtest/gtest.h>

#include "store/testing/temp_directory.hpp"

namespace bw::node {
namespace {

class ConfigTest : public ::testing::Test {
 protected:
  Result<Config> load(std::string_view text) {
    store::testing::overwrite_file(file, as_bytes(text));
    return load_config(directory.path(), file, true);
  }
  // Refused with the file, the line and a hint.
  void expect_complaint(std::string_view text, int line, std::string_view hint) {
    const auto loaded = load(text);
    ASSERT_FALSE(loaded.has_value()) << text;
    EXPECT_EQ(loaded.error().code, ErrorCode::kInvalidArgument);
    const std::string& message = loaded.error().message;
    const std::string where = fmt::format("{}:{}: ", file.string(), line);
    EXPECT_EQ(message.substr(0, where.size()), where);
    EXPECT_NE(message.find(hint), std::string::npos) << message;
  }

  store::testing::TempDirectory directory;
  std::filesystem::path file = directory / "bosswave.toml";
};

constexpr std::string_view kKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

TEST_F(ConfigTest, EverySettingIsRead) {
  const auto loaded = load(fmt::format(R"(
[log]
level = "debug"
json = true
[metrics]
listen = "1.1.1.1:1"
[ledger]
address = "2.2.2.2:2"
key = "{}"
listen = "3.3.3.3:3"
entries_per_second = 4.5
burst = 6
connections = 61
[ethereum]
network = "net.json"
endpoints = ["http://a:1", "ws://b:2"]
agree = 2
checkpoint = "17:0xab"
confirmations = 0
finalized = true
funding_key = "purse.key"
funding_passphrase_file = "fund.pass"
max_fee_gwei = 1.5
[router]
listen = "7.7.7.7:7"
advertise = "eight:8"
connections = 81
connections_per_address = 82
strangers = 83
strangers_per_address = 84
arrivals_per_second = 8.5
arrivals_burst = 86
threads = 8
[agent]
socket = "/nine"
api_tcp = "10.0.0.0:10"
api_token = "eleven"
default_entity = "twelve"
)",
                                       kKey));
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  EXPECT_EQ(loaded->directory, directory.path());
  EXPECT_EQ(loaded->log.level, telemetry::Level::kDebug);
  EXPECT_TRUE(loaded->log.json);
  EXPECT_EQ(loaded->metrics.listen, "1.1.1.1:1");
  EXPECT_EQ(loaded->ledger.address, "2.2.2.2:2");
  ASSERT_TRUE(loaded->ledger.key.has_value());
  EXPECT_EQ(loaded->ledger.key->text(), kKey);
  EXPECT_EQ(loaded->ledger.listen, "3.3.3.3:3");
  EXPECT_EQ(loaded->ledger.entries_per_second, 4.5);
  EXPECT_EQ(loaded->ledger.burst, 6);
  EXPECT_EQ(loaded->ledger.limits.connections, 61U);
  EXPECT_EQ(loaded->ethereum.network, "net.json");
  EXPECT_EQ(loaded->ethereum.endpoints, (std::vector<std::string>{"http://a:1", "ws://b:2"}));
  EXPECT_EQ(loaded->ethereum.agree, 2U);
  EXPECT_EQ(loaded->ethereum.checkpoint, "17:0xab");
  EXPECT_EQ(loaded->ethereum.confirmations, 0U);
  EXPECT_TRUE(loaded->ethereum.finalized);
  EXPECT_EQ(loaded->ethereum.funding_key, "purse.key");
  EXPECT_EQ(loaded->ethereum.funding_passphrase_file, "fund.pass");
  EXPECT_EQ(loaded->ethereum.max_fee_gwei, 1.5);
  EXPECT_EQ(loaded->router.listen, "7.7.7.7:7");
  EXPECT_EQ(loaded->router.advertise, "eight:8");
  EXPECT_EQ(loaded->router.limits.connections, 81U);
  EXPECT_EQ(loaded->router.limits.per_address, 82U);
  EXPECT_EQ(loaded->router.limits.strangers, 83U);
  EXPECT_EQ(loaded->router.limits.strangers_per_address, 84U);
  EXPECT_EQ(loaded->router.limits.arrivals_per_second, 8.5);
  EXPECT_EQ(loaded->router.limits.arrivals_burst, 86);
  EXPECT_EQ(loaded->router.threads, 8U);
  EXPECT_EQ(loaded->agent.socket, "/nine");
  EXPECT_EQ(loaded->agent.api_tcp, "10.0.0.0:10");
  EXPECT_EQ(loaded->agent.api_token, "eleven");
  EXPECT_EQ(loaded->agent.default_entity, "twelve");
}

TEST_F(ConfigTest, WhatIsWrittenOutReadsBack) {
  Config config;
  config.log = {.level = telemetry::Level::kWarning, .json = true};
  config.metrics.listen = "";
  config.ledger.address = "quote \" backslash \\";
  config.ledger.key = *EntityKey::parse(kKey);
  config.ledger.entries_per_second = 0.25;
  config.ledger.burst = 1;
  config.router.advertise = "host:1";
  config.agent.socket = "line\nbreak\ttab \x7f \x01";
  config.ethereum.endpoints = {"http://a:1", "quote \""};
  config.ethereum.checkpoint = "1:0x2";
  config.ethereum.funding_passphrase_file = "secret";
  config.router.threads = 3;
  config.agent.default_entity = "alice";
  const auto back = load(to_toml(config));
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_EQ(to_toml(*back), to_toml(config));
  EXPECT_EQ(back->ledger.address, config.ledger.address);
  EXPECT_EQ(back->agent.socket, config.agent.socket);
  EXPECT_EQ(back->ethereum.endpoints, config.ethereum.endpoints);
  EXPECT_EQ(back->log.level, telemetry::Level::kWarning);
  EXPECT_TRUE(load(to_toml(Config{})).has_value());
}

TEST_F(ConfigTest, ASecretIsNotWrittenOut) {
  Config config;
  config.agent.api_token = "hush";
  EXPECT_EQ(to_toml(config).find("hush"), std::string::npos);
}

TEST_F(ConfigTest, UnknownNamesAreRefusedWithThoseThatExist) {
  expect_complaint("\n[leger]\n", 2, "ledger");
  expect_complaint("[log]\n\nlevle = \"info\"\n", 3, "level");
  expect_complaint("log = 1\n", 1, "section");
  expect_complaint("[ledger]\n[ledger.sub]\nx = 1\n", 2, "sub");
}

TEST_F(ConfigTest, WrongTypesAndValuesAreRefused) {
  expect_complaint("[log]\njson = \"yes\"\n", 2, "true or false");
  expect_complaint("[log]\njson = 1\n", 2, "true or false");
  expect_complaint("[log]\nlevel = \"loud\"\n", 2, "log.level");
  expect_complaint("[log]\nlevel = 3\n", 2, "log.level");
  expect_complaint("[metrics]\nlisten = 4517\n", 2, "text in quotes");
  expect_complaint("[ledger]\nkey = \"short\"\n", 2, "43");
  expect_complaint("[ledger]\nkey = 5\n", 2, "ledger.key");
  for (const char* bad : {"0", "-1", "\"many\"", "nan", "true", "[1]"}) {
    expect_complaint(fmt::format("[ledger]\nburst = {}\n", bad), 2, "above 0");
    expect_complaint(fmt::format("[router]\nstrangers = {}\n", bad), 2, "whole number from 1");
  }
  expect_complaint("[router]\nconnections = 1.5\n", 2, "whole number from 1");
  for (const char* bad : {"\"http://a\"", "[1]", "[[\"a\"]]"}) {
    expect_complaint(fmt::format("[ethereum]\nendpoints = {}\n", bad), 2, "list of texts");
  }
  expect_complaint("[ethereum]\nconfirmations = -1\n", 2, "whole number from 0");
}

TEST_F(ConfigTest, LettersOfTheWorldStandInTextsAndComments) {
  const auto loaded = load(
      "\xef\xbb\xbf# größer\n[agent]\nsocket = '/ä\\' # ö\n"
      "api_tcp = \"\"\"ü\"\"ü\\\n  x\"\"\"\"\"\ndefault_entity = \"\\\"ä\"\n");
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  EXPECT_EQ(loaded->agent.socket, "/ä\\");
  EXPECT_EQ(loaded->agent.api_tcp, "ü\"\"üx\"\"");
  EXPECT_EQ(loaded->agent.default_entity, "\"ä");
  for (const char* stray : {"ä", "json = ä", "json =\xef\xb4\xbf true", "x = 'a' ä", "x = 9'ä'",
                            "x = 9='ä'", "x = 1.'ä'", "x = 'a''ä'", "x = \"\"\"\"\"\"ä",
                            "x = \"\\ä\"", "x = \"\"\"\"\"\"\"\"ä\"", "x = 'a\nä'"}) {
    expect_complaint(fmt::format("[log]\n{}\n", stray), stray == std::string("x = 'a\nä'") ? 3 : 2,
                     "quotes");
  }
  expect_complaint("x = \"\"\"\\\n\n ä\"\"\"\n", 3, "quotes");
}

TEST_F(ConfigTest, WhatIsNoTomlIsRefusedByLine) {
  for (const char* header : {"=", "$", "\x01", "[.", "log.="}) {
    expect_complaint(fmt::format("\n[{}]\n", header), 2, "key");
  }
  expect_complaint("[log]\nlevel = \n", 2, "");
  expect_complaint("[log]\njson = true\njson = false\n", 3, "");
}

TEST_F(ConfigTest, AMissingFileMattersOnlyWhenItWasNamed) {
  const auto missing = load_config(directory.path(), directory / "none", true);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  const auto defaults = load_config(directory.path(), directory / "none", false);
  ASSERT_TRUE(defaults.has_value());
  EXPECT_EQ(to_toml(*defaults), to_toml(Config{}));
  EXPECT_FALSE(load_config(directory.path(), directory.path(), true).has_value());
}

TEST_F(ConfigTest, TheDirectoryComesFromTheEnvironment) {
  ::setenv("BW_DIR", "/chosen", 1);
  EXPECT_EQ(default_directory(), "/chosen");
  ::setenv("BW_DIR", "", 1);
  ::setenv("HOME", "/home/somebody", 1);
  EXPECT_EQ(default_directory(), "/home/somebody/.bosswave");
  ::unsetenv("BW_DIR");
  EXPECT_EQ(default_directory(), "/home/somebody/.bosswave");
}

}  // namespace
}  // namespace bw::node
