// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/registry_log.hpp"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/text.hpp"
#include "evm/transaction.hpp"
#include "ledger_ethereum/testing/fake_chain.hpp"

namespace bw::ledger_ethereum {
namespace {

using testing::log_data;

RC_GTEST_PROP(RegistryLog, EntriesAreReadAsTheyWereWritten, ()) {
  const auto first = *rc::gen::inRange<std::uint64_t>(0, std::uint64_t{1} << 40U);
  const auto entries = *rc::gen::nonEmpty(
      rc::gen::container<std::vector<Bytes>>(rc::gen::nonEmpty(rc::gen::arbitrary<Bytes>())));
  const Bytes data = log_data(first, entries);
  const auto log = parse_entries(data);
  RC_ASSERT(log.has_value());
  RC_ASSERT(log->first == first);
  RC_ASSERT(log->entries == entries);
  // What is cut anywhere is either refused or fewer whole entries; nothing is made up.
  const auto cut = *rc::gen::inRange<std::size_t>(0, data.size());
  const auto part = parse_entries(ByteView(data).first(cut));
  if (!part) return;
  RC_ASSERT(log_data(part->first, part->entries) == to_bytes(ByteView(data).first(cut)));
}

TEST(RegistryLog, WhatTheContractDoesNotWriteIsRefused) {
  const Bytes first{0, 0, 0, 0, 7};
  const auto with = [&](Bytes rest) {
    Bytes data = first;
    append(data, rest);
    return parse_entries(data);
  };
  EXPECT_TRUE(with({0, 1, 9}).has_value());
  for (const Bytes& rest :
       {Bytes{}, Bytes{0}, Bytes{0, 0}, Bytes{0, 2, 9}, Bytes{0, 1, 9, 0}, Bytes{0, 1, 9, 0, 0}}) {
    const auto log = with(rest);
    ASSERT_FALSE(log.has_value());
    EXPECT_EQ(log.error().code, ErrorCode::kMalformed);
  }
  EXPECT_FALSE(parse_entries({}).has_value());
  EXPECT_TRUE(parse_entries(log_data(0, {Bytes(4096, 1)})).has_value());
  EXPECT_FALSE(parse_entries(log_data(0, {Bytes(4097, 1)})).has_value());
}

// ERC-20's, which everybody knows.
TEST(RegistryLog, SelectorsAreThoseOfSolidity) {
  EXPECT_EQ(to_hex(selector_of("transfer(address,uint256)")), "a9059cbb");
}

LogEntry rejected(std::uint64_t item, std::string_view rule) {
  LogEntry log;
  log.topics = {crypto::keccak256(as_bytes("Rejected(uint256,bytes4)")), Hash{evm::word_of(item)}};
  log.data.resize(32);
  std::ranges::copy(selector_of(rule), log.data.begin());
  return log;
}

TEST(RegistryLog, ARejectedItemIsNamedWithItsRule) {
  const auto read = parse_rejected(rejected(12, "AliasTaken()"));
  ASSERT_TRUE(read.has_value() && read->has_value());
  EXPECT_EQ((*read)->item, 12U);
  const Error error = broken_rule((*read)->rule);
  EXPECT_EQ(error.code, ErrorCode::kConflict);
  EXPECT_NE(error.message.find("taken"), std::string::npos);

  LogEntry other = rejected(1, "AliasTaken()");
  other.topics[0] = Hash{};
  EXPECT_FALSE(parse_rejected(other)->has_value());
  other.topics.clear();
  EXPECT_FALSE(parse_rejected(other)->has_value());

  std::vector<LogEntry> bad(4, rejected(1, "AliasTaken()"));
  bad[0].topics.pop_back();
  bad[1].topics[1].bytes[0] = 1;
  bad[2].data[4] = 1;
  bad[3].data.pop_back();
  for (const LogEntry& log : bad) EXPECT_FALSE(parse_rejected(log).has_value());
}

// Each error that the contracts refuse an entry with is known here.
TEST(RegistryLog, EveryRuleOfTheContractsIsKnown) {
  std::ifstream file(BW_SOURCE_DIR "/contracts/src/Rules.sol");
  std::size_t count = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("// Why Registry.authorize()")) break;
    if (!line.starts_with("error ")) continue;
    const std::string signature = line.substr(6, line.size() - 7);
    const Error error = broken_rule(selector_of(signature));
    EXPECT_EQ(error.message.find("not known here"), std::string::npos) << signature;
    EXPECT_EQ(broken_rule(ByteView(selector_of(signature))), error);
    ++count;
  }
  EXPECT_EQ(count, 41U);
  EXPECT_EQ(broken_rule(Selector{1, 2, 3, 4}).code, ErrorCode::kDenied);
  EXPECT_EQ(broken_rule(ByteView()).code, ErrorCode::kDenied);
}

}  // namespace
}  // namespace bw::ledger_ethereum
