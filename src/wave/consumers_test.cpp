// SPDX-License-Identifier: Apache-2.0
#include "wave/consumers.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "wave/testing/scenario.hpp"

namespace bw::wave {
namespace {

using testing::key_of;
using testing::kNow;
using testing::pattern_of;
using testing::Scenario;

class ConsumersTest : public ::testing::Test {
 protected:
  Result<Consumers> of(std::string_view uri, std::size_t most = 100) const {
    return consumers_of(key_of("ns"), pattern_of(uri), world.graph, world.graph, kNow, most, {});
  }
  std::vector<std::string> names(std::string_view uri) const {
    const Consumers found = of(uri).value();
    EXPECT_TRUE(std::ranges::is_sorted(found.entities));
    std::vector<std::string> out;
    for (const char* name : {"ns", "alice", "bob", "carol", "dave"}) {
      if (std::ranges::count(found.entities, key_of(name)) > 0) out.emplace_back(name);
    }
    EXPECT_EQ(out.size(), found.entities.size());
    return out;
  }

  Scenario world{"ns", "alice", "bob", "carol"};
  using Names = std::vector<std::string>;
};

TEST_F(ConsumersTest, TheNamespaceAndWhoMayConsumeOrTap) {
  world.dot("ns", "alice", {.on = "a/*", .can = "C*", .ttl = 1});
  world.dot("alice", "bob", {.on = "a/b", .can = "C"});
  world.dot("ns", "carol", {.on = "a/b", .can = "T"});
  EXPECT_EQ(names("a/b"), (Names{"ns", "alice", "bob", "carol"}));
  EXPECT_EQ(names("a/c"), (Names{"ns", "alice"}));
  EXPECT_EQ(names("x"), Names{"ns"});
}

TEST_F(ConsumersTest, NotWhoMayOnlyPublishOrIsNotLive) {
  world.dot("ns", "alice", {.on = "*", .can = "PL"});
  world.dot("ns", "bob", {.on = "*", .can = "C"});
  world.dot("ns", "dave", {.on = "*", .can = "C"});  // not registered
  world.dot("ns", "carol", {.on = "*", .can = "C", .not_before = kNow + 1s});
  EXPECT_EQ(names("a"), (Names{"ns", "bob"}));
  world.graph.revoke_entity(key_of("bob"));
  EXPECT_EQ(names("a"), Names{"ns"});
}

TEST_F(ConsumersTest, ARevokedLinkEndsAllBehindIt) {
  const auto first = world.dot("ns", "alice", {.can = "C", .ttl = 1});
  world.dot("alice", "bob", {.can = "C"});
  EXPECT_EQ(names("a"), (Names{"ns", "alice", "bob"}));
  world.graph.revoke_dot(first.id);
  EXPECT_EQ(names("a"), Names{"ns"});
}

TEST_F(ConsumersTest, EveryoneStandsForAll) {
  world.dot("ns", "alice", {.on = "a", .can = "C"});
  world.dot("ns", "everyone", {.on = "a", .can = "C"});
  world.dot("ns", "everyone", {.on = "b", .can = "T"});
  world.dot("ns", "everyone", {.on = "c", .can = "P"});
  EXPECT_TRUE(of("a")->everyone);
  EXPECT_TRUE(of("a")->entities.empty());
  EXPECT_TRUE(of("b")->everyone);
  EXPECT_FALSE(of("c")->everyone);
}

TEST_F(ConsumersTest, SaysUntilWhenItHolds) {
  EXPECT_EQ(of("a")->until, kNever);
  world.dot("ns", "alice", {.can = "C", .expires = kNow + 10s});
  EXPECT_EQ(of("a")->until, kNow + 10s);
  world.graph.add_entity(key_of("alice"), Time{}, kNow + 5s);
  EXPECT_EQ(of("a")->until, kNow + 5s);
}

TEST_F(ConsumersTest, NobodyIsLeftOutUnnoticed) {
  world.dot("ns", "alice", {.can = "C"});
  world.dot("ns", "bob", {.can = "C"});
  EXPECT_TRUE(of("a", 3));
  EXPECT_EQ(of("a", 2).error().code, ErrorCode::kLimited);
  const auto cut = consumers_of(key_of("ns"), pattern_of("a"), world.graph, world.graph, kNow, 100,
                                {.edges = 2});
  EXPECT_EQ(cut.error().code, ErrorCode::kLimited);
  world.graph.break_with({ErrorCode::kIo, "broken"});
  EXPECT_EQ(of("a").error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace bw::wave
