// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/network.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck/gtest.h>

#include "base/text.hpp"
#include "crypto/keccak.hpp"
#include "ledger_ethereum/json_values.hpp"

namespace bw::ledger_ethereum {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

Network sample() {
  Address registry{};
  registry.fill(0x5a);
  return network_of("test", 31337, registry, 7);
}

std::string refusal_of(const json& changed) {
  const auto parsed = parse_network(changed.dump());
  EXPECT_FALSE(parsed) << changed.dump();
  if (parsed) return "";
  EXPECT_EQ(parsed.error().code, ErrorCode::kMalformed);
  return parsed.error().message;
}

TEST(Network, ReadsWhatItWrites) {
  EXPECT_EQ(*parse_network(to_json(sample())), sample());
}

TEST(Network, ReadsOnlyWhatIsOne) {
  const json good = json::parse(to_json(sample()));
  for (const auto& [name, value] : good.items()) {
    json without = good;
    without.erase(name);
    EXPECT_THAT(refusal_of(without), HasSubstr(name == "code_hashes" ? "object" : name));
    json other = good;
    other[name] = -1.5;
    EXPECT_THAT(refusal_of(other), HasSubstr(name == "code_hashes" ? "object" : name));
  }
  json more = good;
  more["owner"] = "me";
  EXPECT_THAT(refusal_of(more), HasSubstr("owner"));
  more = good;
  more["code_hashes"]["proxy"] = "0x";
  EXPECT_THAT(refusal_of(more), HasSubstr("proxy"));
  for (const std::string name : {"", "a\nb"}) {
    json named = good;
    named["name"] = name;
    EXPECT_THAT(refusal_of(named), HasSubstr("name"));
  }
}

TEST(Network, HoldsAddressesToTheirChecksumAndToTheRegistry) {
  const json good = json::parse(to_json(sample()));
  json changed = good;
  auto text = good["alias"].get<std::string>();
  const auto letter = text.find_first_of("abcdefABCDEF", 2);
  text[letter] = static_cast<char>(text[letter] ^ 0x20);
  changed["alias"] = text;
  EXPECT_THAT(refusal_of(changed), HasSubstr("alias"));
  changed = good;
  std::swap(changed["alias"], changed["affinity"]);
  EXPECT_THAT(refusal_of(changed), HasSubstr("not made by the registry"));
}

RC_GTEST_PROP(Network, NoTextTerminatesTheReader, ()) {
  std::string text = to_json(sample());
  const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
  text[at] = *rc::gen::arbitrary<char>();
  const auto parsed = parse_network(text);
  if (!parsed) return;
  const auto again = parse_network(to_json(*parsed));
  RC_ASSERT(again.has_value());
  RC_ASSERT(*again == *parsed);
}

TEST(RegistryCode, IsACreationThatLeavesTheRegistry) {
  const Bytes code = registry_creation_code();
  EXPECT_GT(code.size(), 10'000U);
  // EIP-3860
  EXPECT_LE(code.size(), 49'152U);
  const CodeHashes hashes = built_in_code_hashes();
  EXPECT_NE(hashes.registry, hashes.alias);
  EXPECT_NE(hashes.alias, hashes.affinity);
}

}  // namespace
}  // namespace bw::ledger_ethereum
