// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/submitter_receipt.hpp"

#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "ledger_ethereum/json_values.hpp"
#include "ledger_ethereum/registry_call.hpp"
#include "ledger_ethereum/registry_log.hpp"
#include "ledger_ethereum/testing/known_map.hpp"

namespace bw::ledger_ethereum {
namespace {

using nlohmann::json;

constexpr Address kRegistry{0xaa};

const json& vectors() {
  static const auto kVectors =
      json::parse(std::ifstream(BW_SOURCE_DIR "/tests/vectors/calls.json"));
  return kVectors;
}

Bytes bytes_from(const json& hex) {
  return from_hex(hex.get<std::string>()).value();
}

const json& vector(std::string_view name) {
  for (const json& one : vectors().at("calls")) {
    if (one.at("name") == name) return one;
  }
  throw std::runtime_error("no such vector");
}

Receipt receipt_of(const json& call) {
  Receipt receipt;
  receipt.succeeded = true;
  for (const json& log : call.at("logs")) {
    LogEntry& entry = receipt.logs.emplace_back();
    entry.address = kRegistry;
    for (const json& topic : log.at("topics")) entry.topics.push_back(*hash_of(topic, "topic"));
    entry.data = bytes_from(log.at("data"));
  }
  return receipt;
}

std::vector<Bytes> objects_of(const json& call) {
  testing::KnownMap known;
  for (const json& hex : call.at("known")) known.put(bytes_from(hex));
  RegistryCall made(known);
  for (const json& hex : call.at("submitted")) {
    EXPECT_TRUE(made.add(wave::parse_object(bytes_from(hex)).value()).has_value());
  }
  return made.objects();
}

// What the contracts on anvil logged.
TEST(SubmitterReceipt, TellsWhatBecameOfEachItem) {
  std::uint64_t next = 0;
  std::size_t rejected = 0;
  for (const json& call : vectors().at("calls")) {
    if (call.at("logs").empty()) continue;
    SCOPED_TRACE(call.at("name").get<std::string>());
    const auto outcomes = read_outcomes(objects_of(call), kRegistry, receipt_of(call));
    ASSERT_TRUE(outcomes.has_value()) << outcomes.error().message;
    for (std::size_t item = 0; item < outcomes->size(); ++item) {
      const auto rule = call.at("rejected").find(std::to_string(item));
      if (rule == call.at("rejected").end()) {
        EXPECT_EQ((*outcomes)[item].index, next++);
        continue;
      }
      ++rejected;
      EXPECT_FALSE((*outcomes)[item].index.has_value());
      EXPECT_EQ((*outcomes)[item].refusal,
                broken_rule(selector_of(rule->get<std::string>() + "()")));
    }
  }
  EXPECT_GT(next, 20U);
  EXPECT_GE(rejected, 6U);
}

TEST(SubmitterReceipt, LogsOfOtherContractsSayNothing) {
  const json& call = vector("first_entries");
  Receipt receipt = receipt_of(call);
  receipt.logs.push_back({.address = {},
                          .topics = {},
                          .data = Bytes(9),
                          .block = 0,
                          .index = 0,
                          .block_hash = {},
                          .transaction = {}});
  EXPECT_TRUE(read_outcomes(objects_of(call), kRegistry, receipt).has_value());
  EXPECT_EQ(read_outcomes(objects_of(call), Address{}, receipt).error().code,
            ErrorCode::kMalformed);
}

TEST(SubmitterReceipt, AReceiptOfAnotherCallIsNotBelieved) {
  const json& call = vector("refused");
  const auto objects = objects_of(call);
  const Receipt good = receipt_of(call);
  ASSERT_TRUE(read_outcomes(objects, kRegistry, good).has_value());
  const auto is_refused = [&](const Receipt& receipt) {
    const auto outcomes = read_outcomes(objects, kRegistry, receipt);
    return !outcomes && outcomes.error().code == ErrorCode::kFork;
  };
  Receipt bad = good;
  bad.logs.erase(bad.logs.begin());
  EXPECT_TRUE(is_refused(bad));
  bad = good;
  bad.logs.push_back(good.logs.back());
  EXPECT_TRUE(is_refused(bad));
  bad = good;
  bad.logs.back().data.back() ^= 1U;  // of the entry
  EXPECT_TRUE(is_refused(bad));
  bad = good;
  bad.logs.front().topics.back().bytes.back() = 200;  // an item that there is not
  EXPECT_TRUE(is_refused(bad));
  EXPECT_TRUE(is_refused(receipt_of(vector("two_dots"))));
}

}  // namespace
}  // namespace bw::ledger_ethereum
