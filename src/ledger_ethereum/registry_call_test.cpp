// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/registry_call.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck/gtest.h>

#include "codec/reader.hpp"
#include "ledger/testing/objects.hpp"
#include "ledger_ethereum/testing/known_map.hpp"

namespace bw::ledger_ethereum {
namespace {

using ledger::testing::dot;
using ledger::testing::entity;
using ledger::testing::id;
using ledger::testing::revoke_dot;
using ledger::testing::revoke_entity;
using ::testing::HasSubstr;
using testing::KnownMap;

// tests/vectors/calls.json was made by a second implementation and played to the contracts.
const nlohmann::json& vectors() {
  static const auto kVectors =
      nlohmann::json::parse(std::ifstream(BW_SOURCE_DIR "/tests/vectors/calls.json"));
  return kVectors;
}

Bytes bytes_of(const nlohmann::json& hex) {
  return from_hex(hex.get<std::string>()).value();
}

TEST(RegistryCallVectors, CallsAreThoseThatTheContractsTook) {
  std::size_t calls = 0;
  for (const auto& vector : vectors().at("calls")) {
    SCOPED_TRACE(vector.at("name").get<std::string>());
    KnownMap known;
    for (const auto& hex : vector.at("known")) known.put(bytes_of(hex));
    RegistryCall call(known);
    for (const auto& hex : vector.at("submitted")) {
      const auto object = wave::parse_object(bytes_of(hex));
      ASSERT_TRUE(object.has_value()) << object.error().message;
      const auto place = call.add(*object);
      ASSERT_TRUE(place.has_value()) << place.error().message;
      ASSERT_TRUE(place->has_value());
      EXPECT_EQ(call.objects()[(*place)->item], bytes_of(hex));
    }
    EXPECT_EQ(to_hex(call.input()), vector.at("call").get<std::string>());
    const auto used = vector.at("gas_used").get<std::uint64_t>();
    EXPECT_GT(call.gas(), used + used / 50);
    EXPECT_LT(call.gas(), 5 * used);
    ++calls;
  }
  EXPECT_GE(calls, 25U);
}

TEST(RegistryCallVectors, ABatchOfDotsIsNotReservedMuchMoreGasThanItTakes) {
  for (const auto& vector : vectors().at("calls")) {
    if (vector.at("name") != "gas_dots_64_of_4_granters") continue;
    KnownMap known;
    RegistryCall call(known);
    for (const auto& hex : vector.at("submitted")) {
      ASSERT_TRUE(call.add(wave::parse_object(bytes_of(hex)).value()).has_value());
    }
    EXPECT_LT(call.gas(), 2 * vector.at("gas_used").get<std::uint64_t>());
    return;
  }
  FAIL() << "no such vector";
}

struct Item {
  Bytes object;
  Bytes evidence;
};

std::vector<Item> items_of(ByteView call) {
  codec::Reader in(call.subspan(1));
  std::vector<Item> items;
  while (in.ok() && in.remaining() > 0) {
    Item item;
    item.object = to_bytes(in.bytes(in.u16()));
    in.bytes(32);
    if (item.object.front() == 3) item.evidence = to_bytes(in.bytes(in.u16()));
    items.push_back(std::move(item));
  }
  EXPECT_TRUE(in.finish("call").has_value());
  return items;
}

TEST(RegistryCall, NamesWhatItDoesNotKnow) {
  KnownMap known;
  RegistryCall call(known);
  const auto grant = dot("ns", "alice");
  const auto refused = call.add(revoke_dot("ns", grant.id));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(refused.error().message, HasSubstr(grant.id.text()));
  EXPECT_EQ(call.add(revoke_entity("warden", "alice")).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(call.empty());
  EXPECT_EQ(call.gas(), kBareCallGas);
}

TEST(RegistryCall, DoesNotPayForARevocationThatTheTargetForbids) {
  KnownMap known;
  RegistryCall call(known);
  const auto grant = dot("ns", "alice", {.revokers = {"warden"}});
  known.put(grant.bytes);
  known.put(entity("alice", {.revokers = {"warden"}}).bytes);
  EXPECT_EQ(call.add(revoke_dot("mallory", grant.id)).error().code, ErrorCode::kDenied);
  EXPECT_EQ(call.add(revoke_entity("mallory", "alice")).error().code, ErrorCode::kDenied);
  for (const char* who : {"ns", "alice", "warden"}) {
    EXPECT_TRUE(call.add(revoke_dot(who, grant.id)).has_value()) << who;
  }
  EXPECT_TRUE(call.add(revoke_entity("warden", "alice")).has_value());
}

TEST(RegistryCall, TellsWhatARevocationReliesOn) {
  KnownMap known;
  RegistryCall call(known);
  const auto first = dot("ns", "alice");
  const auto second = dot("ns", "bob");
  known.put(first.bytes);
  EXPECT_EQ((**call.add(second)).item, 0U);
  const auto place = **call.add(revoke_dot("ns", first.id));
  EXPECT_EQ(place.item, 2U);
  EXPECT_EQ(place.relies_on, 1U);
  const auto other = **call.add(revoke_dot("ns", second.id));
  EXPECT_EQ(other.item, 4U);
  EXPECT_EQ(other.relies_on, 3U);
  EXPECT_EQ((**call.add(revoke_dot("bob", second.id))).relies_on, 3U);
}

// Of two puts in the call the one created later counts on the ledger: the other is refused.
TEST(RegistryCall, TakesRevokersFromTheLatestPut) {
  KnownMap known;
  const auto now = ledger::testing::kNow;
  known.put(entity("alice", {.created = now, .revokers = {"old"}}).bytes);
  RegistryCall call(known);
  ASSERT_TRUE(call.add(entity("alice", {.created = now - 1s, .revokers = {"stale"}})).has_value());
  EXPECT_FALSE(call.add(revoke_entity("stale", "alice")).has_value());
  EXPECT_TRUE(call.add(revoke_entity("old", "alice")).has_value());
  ASSERT_TRUE(call.add(entity("alice", {.created = now + 1s, .revokers = {"new"}})).has_value());
  EXPECT_FALSE(call.add(revoke_entity("old", "alice")).has_value());
  EXPECT_TRUE(call.add(revoke_entity("new", "alice")).has_value());
  const auto items = items_of(call.input());
  Bytes expected{1};
  append(expected, id("new").view());
  EXPECT_EQ(items.back().evidence, expected);
}

TEST(RegistryCall, IsFullAtItsLimitsAndTakesNoHalfOfAPair) {
  KnownMap known;
  RegistryCall call(known);
  std::size_t taken = 0;
  for (;; ++taken) {
    const auto grant = dot("ns", "alice", {.comment = std::to_string(taken)});
    const auto place = call.add(grant);
    ASSERT_TRUE(place.has_value());
    if (!*place) break;
  }
  EXPECT_GT(taken, 250U);
  EXPECT_LE(call.input().size(), kCallBytes);
  EXPECT_LE(call.gas(), kCallGas);
  const Bytes before = call.input();
  const auto grant = dot("ns", "bob");
  known.put(grant.bytes);
  EXPECT_FALSE((*call.add(revoke_dot("ns", grant.id))).has_value());
  EXPECT_EQ(call.input(), before);
  RegistryCall next(known);
  EXPECT_TRUE((*next.add(revoke_dot("ns", grant.id))).has_value());
}

// By the contract's rule a revocation without evidence is of the DoT that the call put last.
RC_GTEST_PROP(RegistryCallProperty, EveryRevocationFollowsItsDotAndNothingIsLost, ()) {
  std::vector<wave::Signed<wave::Dot>> dots;
  KnownMap known;
  for (std::size_t i = 0; i < 4; ++i) {
    dots.push_back(dot("ns", "alice", {.comment = std::to_string(i)}));
    known.put(dots.back().bytes);
  }
  RegistryCall call(known);
  const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 9));
  std::vector<Bytes> asked;
  for (const int step : steps) {
    const auto& one = dots[static_cast<std::size_t>(step) % 4];
    const wave::Object object = step < 4   ? wave::Object(one)
                                : step < 8 ? wave::Object(revoke_dot("ns", one.id))
                                           : wave::Object(entity("ns"));
    const auto place = call.add(object);
    RC_ASSERT(place.has_value() && place->has_value());
    RC_ASSERT(call.objects()[(*place)->item] == to_bytes(wave::bytes_of(object)));
    asked.push_back(to_bytes(wave::bytes_of(object)));
  }
  const auto items = items_of(call.input());
  RC_ASSERT(items.size() == call.objects().size());
  ObjectId last{};
  std::size_t met = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    RC_ASSERT(items[i].object == call.objects()[i]);
    const auto object = wave::parse_object(items[i].object).value();
    if (wave::kind_of(object) == wave::Kind::kDot) last = wave::id_of(object);
    if (const auto* revocation = std::get_if<wave::Signed<wave::Revocation>>(&object)) {
      RC_ASSERT(items[i].evidence.empty());
      RC_ASSERT(revocation->value.dot() == last);
    }
    if (met < asked.size() && items[i].object == asked[met]) ++met;
  }
  RC_ASSERT(met == asked.size());
}

}  // namespace
}  // namespace bw::ledger_ethereum
