// SPDX-License-Identifier: Apache-2.0
#include "replica/proof_cache.hpp"

#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "ledger/testing/objects.hpp"

namespace bw::replica {
namespace {

using ledger::testing::id;
using ledger::testing::kNow;

wave::Request request(std::string_view origin, std::string_view on = "a/b",
                      std::string_view can = "P", std::string_view ns = "ns") {
  return {id(origin), id(ns), *wave::Pattern::parse(on), *wave::Permissions::parse(can)};
}
ObjectId dot(std::string_view name) {
  return ObjectId{crypto::sha256(as_bytes(name)).bytes};
}
wave::Grant path(std::vector<std::string_view> entities, std::vector<std::string_view> dots) {
  wave::Grant grant;
  for (const auto name : entities) grant.entities.push_back(id(name));
  for (const auto name : dots) grant.dots.push_back(dot(name));
  return grant;
}

class Cache : public ::testing::Test {
 protected:
  void put(const wave::Request& about, const wave::Grant& rests_on, Time not_before = Time{},
           Time expires = kNever) {
    cache.put(about, {nullptr, {}, not_before, expires}, rests_on, cache.changes());
  }
  bool has(const wave::Request& about, Time now = kNow) {
    return cache.find(about, now).has_value();
  }
  void changed(const std::vector<EntityKey>& entities, const std::vector<ObjectId>& dots) {
    cache.changed(entities, dots);
  }

  ProofCache cache{3};
};

TEST_F(Cache, FindsTheVeryRequestOnly) {
  put(request("alice"), path({"ns", "alice"}, {"1"}));
  EXPECT_TRUE(has(request("alice")));
  EXPECT_FALSE(has(request("bob")));
  EXPECT_FALSE(has(request("alice", "a/c")));
  EXPECT_FALSE(has(request("alice", "a")));
  EXPECT_FALSE(has(request("alice", "a/b", "C")));
  EXPECT_FALSE(has(request("alice", "a/b", "T*")));
  EXPECT_FALSE(has(request("alice", "a/b", "P", "other")));
}

TEST_F(Cache, HoldsFromNotBeforeUntilExpiry) {
  put(request("alice"), path({"ns"}, {"1"}), kNow, kNow + 10s);
  EXPECT_TRUE(has(request("alice"), kNow));
  EXPECT_TRUE(has(request("alice"), kNow + 10s - 1us));
  EXPECT_FALSE(has(request("alice"), kNow + 10s));
  EXPECT_EQ(cache.size(), 0U);
  put(request("alice"), path({"ns"}, {"1"}), kNow, kNow + 10s);
  EXPECT_FALSE(has(request("alice"), kNow - 1us));
}

TEST_F(Cache, ForgetsTheLeastRecentlyUsed) {
  for (const char* name : {"a", "b", "c"}) put(request(name), path({"ns"}, {name}));
  EXPECT_TRUE(has(request("a")));
  put(request("d"), path({"ns"}, {"d"}));
  EXPECT_EQ(cache.size(), 3U);
  EXPECT_TRUE(has(request("a")));
  EXPECT_FALSE(has(request("b")));
  // What it rested on is forgotten with it.
  changed({}, {dot("b")});
  EXPECT_EQ(cache.size(), 3U);
}

TEST_F(Cache, ChangesDropWhatRestsOnThem) {
  put(request("alice"), path({"ns", "alice"}, {"1", "2"}));
  put(request("bob"), path({"ns", "bob"}, {"1", "3"}));
  changed({id("carol")}, {dot("4")});
  EXPECT_EQ(cache.size(), 2U);
  changed({}, {dot("2")});
  EXPECT_FALSE(has(request("alice")));
  EXPECT_TRUE(has(request("bob")));
  changed({id("ns")}, {});
  EXPECT_FALSE(has(request("bob")));
}

TEST_F(Cache, AReplacedProofRestsOnItsOwnPathOnly) {
  put(request("alice"), path({"ns"}, {"old"}));
  put(request("alice"), path({"ns"}, {"new"}));
  EXPECT_EQ(cache.size(), 1U);
  changed({}, {dot("old")});
  EXPECT_TRUE(has(request("alice")));
  changed({}, {dot("new")});
  EXPECT_FALSE(has(request("alice")));
}

TEST_F(Cache, APartThatComesTwiceIsNoTrouble) {
  put(request("ns"), path({"ns", "ns"}, {"1", "1"}));
  changed({id("ns")}, {dot("1")});
  EXPECT_EQ(cache.size(), 0U);
}

// A revocation that comes in while a proof is searched for must not be outlived by that proof.
TEST_F(Cache, WhatWasFoundBeforeAChangeIsNotKept) {
  const std::uint64_t before = cache.changes();
  changed({}, {dot("1")});
  cache.put(request("alice"), {nullptr, {}, Time{}, kNever}, path({"ns"}, {"1"}), before);
  EXPECT_FALSE(has(request("alice")));
}

// Against a list that is searched from end to end.
RC_GTEST_PROP(CacheProperty, DropsExactlyWhatRestsOnAChange, ()) {
  ProofCache cache(1000);
  std::map<std::string, std::set<std::string>> model;  // origin -> DoTs
  const std::vector<std::string> names{"a", "b", "c", "d", "e"};
  const auto name = rc::gen::elementOf(names);
  const int steps = *rc::gen::inRange(0, 60);
  for (int i = 0; i < steps; ++i) {
    if (*rc::gen::arbitrary<bool>()) {
      const std::string origin = *name;
      const auto picked = *rc::gen::container<std::vector<std::string>>(name);
      const std::set<std::string> dots(picked.begin(), picked.end());
      wave::Grant grant;
      for (const std::string& each : dots) grant.dots.push_back(dot(each));
      cache.put(request(origin), {nullptr, {}, Time{}, kNever}, grant, cache.changes());
      model[origin] = dots;
    } else {
      const std::string gone = *name;
      cache.changed({}, std::vector{dot(gone)});
      std::erase_if(model, [&](const auto& entry) { return entry.second.contains(gone); });
    }
    RC_ASSERT(cache.size() == model.size());
    for (const std::string& origin : names) {
      RC_ASSERT(cache.find(request(origin), kNow).has_value() == model.contains(origin));
    }
  }
}

}  // namespace
}  // namespace bw::replica
