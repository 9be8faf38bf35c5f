// SPDX-License-Identifier: Apache-2.0
#include "wave/search.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wave/testing/scenario.hpp"

namespace bw::wave {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::key_of;
using testing::kNow;
using testing::pattern_of;
using testing::permissions_of;
using testing::Scenario;

class Search : public ::testing::Test {
 protected:
  SearchOutcome find(std::string_view origin, std::string_view on = "floor1/lamp",
                     std::string_view can = "P", const SearchBounds& bounds = {}) const {
    auto outcome =
        find_path(Scenario::request(origin, on, can), given.graph, given.graph, kNow, bounds);
    EXPECT_TRUE(outcome.has_value());
    return outcome.value_or(SearchOutcome{});
  }
  static std::vector<ObjectId> ids(const std::optional<Path>& path) {
    std::vector<ObjectId> found;
    if (path) {
      for (const Edge& edge : path->edges) found.push_back(edge.dot);
    }
    return found;
  }
  Explanation why(std::string_view origin, std::string_view on = "floor1/lamp",
                  std::string_view can = "P") const {
    auto explanation = explain(Scenario::request(origin, on, can), given.graph, given.graph, kNow);
    EXPECT_TRUE(explanation.has_value());
    return explanation.value_or(Explanation{});
  }
  void add_crowd(std::string_view granter_prefix, std::string_view grantee_prefix, int count) {
    // One edge each from or to a crowd of registered strangers; a prefix without '#' is one entity.
    for (int i = 0; i < count; ++i) {
      const auto member = [&](std::string_view prefix) {
        if (!prefix.ends_with('#')) return key_of(prefix);
        const EntityKey key = key_of(std::string(prefix) + std::to_string(i));
        given.graph.add_entity(key);
        return key;
      };
      Edge edge = edge_of(given.unpublished("ns", "ns", {.ttl = 255}));
      edge.granter = member(granter_prefix);
      edge.grantee = member(grantee_prefix);
      given.graph.add_edge(std::move(edge));
    }
  }

  Scenario given{"ns", "alice", "bob", "carol", "dave"};
};

TEST_F(Search, FindsThePathFromTheNamespace) {
  const auto a = given.dot("ns", "alice", {.on = "floor1/*", .ttl = 1});
  const auto b = given.dot("alice", "bob", {.can = "P", .expires = kNow + 9s});
  const auto outcome = find("bob");
  EXPECT_THAT(ids(outcome.path), ElementsAre(a.id, b.id));
  EXPECT_EQ(outcome.path->expires, kNow + 9s);
  EXPECT_FALSE(outcome.exhausted_bounds);
  EXPECT_FALSE(find("carol").path);
  EXPECT_FALSE(find("bob", "floor2/lamp").path);
  EXPECT_FALSE(find("bob", "floor1/lamp", "C").path);
}

TEST_F(Search, TheNamespaceNeedsNoEdges) {
  const auto outcome = find("ns");
  ASSERT_TRUE(outcome.path);
  EXPECT_TRUE(outcome.path->edges.empty());
}

TEST_F(Search, EndsAtEveryoneButNeverGoesThroughThem) {
  const auto open = given.dot("ns", "everyone", {.ttl = 255});
  given.dot("everyone", "bob", {.on = "floor1/lamp"});
  EXPECT_THAT(ids(find("bob").path), ElementsAre(open.id));
  EXPECT_FALSE(find("everyone").path);
  EXPECT_FALSE(find("stranger").path);
}

TEST_F(Search, PrefersFewerHopsThenLaterExpiry) {
  given.dot("ns", "alice", {.ttl = 2});
  given.dot("alice", "carol", {.ttl = 1});
  given.dot("carol", "bob");
  const auto soon = given.dot("alice", "dave", {.ttl = 1, .expires = kNow + 5s});
  const auto last = given.dot("dave", "bob");
  EXPECT_EQ(find("bob").path->expires, kNever);
  const auto direct = given.dot("alice", "bob", {.expires = kNow + 1s});
  EXPECT_EQ(ids(find("bob").path).back(), direct.id);
  const auto later = given.dot("alice", "bob", {.expires = kNow + 2s});
  EXPECT_EQ(ids(find("bob").path).back(), later.id);
}

TEST_F(Search, ALongerPrefixCountsWhenItLeavesMoreTtl) {
  given.dot("ns", "carol", {.ttl = 1});  // short, but may not be passed on far enough
  const auto a = given.dot("ns", "alice", {.ttl = 255});
  const auto b = given.dot("alice", "carol", {.ttl = 255});
  const auto c = given.dot("carol", "dave", {.ttl = 1});
  const auto d = given.dot("dave", "bob", {.ttl = 0});
  EXPECT_THAT(ids(find("bob").path), ElementsAre(a.id, b.id, c.id, d.id));
}

TEST_F(Search, WhoCanFollowsALongerPrefixThatLeavesMoreTtl) {
  given.dot("ns", "carol", {.ttl = 0});
  given.dot("ns", "alice", {.ttl = 2});
  given.dot("alice", "carol", {.ttl = 255});
  given.dot("carol", "dave", {.ttl = 255});
  given.dot("dave", "bob");  // alice's grant ends at dave
  const auto holders =
      who_can(key_of("ns"), pattern_of("a"), permissions_of("P"), given.graph, given.graph, kNow)
          .value()
          .list;
  ASSERT_EQ(holders.size(), 4U);
  EXPECT_EQ(holders[1].entity, key_of("carol"));
  EXPECT_EQ(holders[1].path.edges.size(), 1U);
  EXPECT_EQ(holders[3].entity, key_of("dave"));
  EXPECT_EQ(holders[3].path.edges.size(), 3U);
}

TEST_F(Search, TtlAtItsEdges) {
  given.dot("ns", "alice", {.ttl = 0});
  given.dot("alice", "bob", {.ttl = 255});
  EXPECT_TRUE(find("alice").path);
  EXPECT_FALSE(find("bob").path);
}

TEST_F(Search, PathsAreAtMostSixteenLinks) {
  std::string at = "ns";
  for (int i = 1; i <= 17; ++i) {
    const std::string next = "hop" + std::to_string(i);
    given.graph.add_entity(key_of(next));
    given.dot(at, next, {.ttl = 255});
    at = next;
  }
  EXPECT_EQ(ids(find("hop16").path).size(), 16U);
  EXPECT_FALSE(find("hop17").path);
  EXPECT_FALSE(find("hop4", "a", "P", {.hops = 3}).path);
  EXPECT_TRUE(find("hop3", "a", "P", {.hops = 3}).path);
}

TEST_F(Search, GoesAroundTheDead) {
  given.dot("ns", "alice", {.ttl = 1});
  given.dot("alice", "bob");
  given.graph.revoke_entity(key_of("alice"));
  EXPECT_FALSE(find("bob").path);
  const auto a = given.dot("ns", "carol", {.ttl = 2});
  const auto b = given.dot("carol", "dave", {.ttl = 2});
  const auto c = given.dot("dave", "bob");
  EXPECT_THAT(ids(find("bob").path), ElementsAre(a.id, b.id, c.id));
  given.graph.revoke_entity(key_of("bob"));
  EXPECT_FALSE(find("bob").path);
}

TEST_F(Search, AStoreThatFailsIsAnErrorNotANo) {
  given.graph.break_with({ErrorCode::kIo, "disk"});
  const auto request = Scenario::request("bob", "a", "P");
  const auto& graph = given.graph;
  EXPECT_EQ(find_path(request, graph, graph, kNow).error().code, ErrorCode::kIo);
  EXPECT_EQ(explain(request, graph, graph, kNow).error().code, ErrorCode::kIo);
  EXPECT_EQ(what_can(request.origin, graph, graph, kNow).error().code, ErrorCode::kIo);
  EXPECT_EQ(
      who_can(request.ns, request.pattern, request.permissions, graph, graph, kNow).error().code,
      ErrorCode::kIo);
}

TEST_F(Search, SpamAtTheVictimCostsLittle) {
  add_crowd("spammer#", "bob", 100'000);
  const auto a = given.dot("ns", "alice", {.ttl = 255});
  const auto b = given.dot("alice", "carol", {.ttl = 255});
  const auto c = given.dot("carol", "bob");
  const auto outcome = find("bob");
  EXPECT_THAT(ids(outcome.path), ElementsAre(a.id, b.id, c.id));
  EXPECT_LT(outcome.edges_seen, 100U);
}

TEST_F(Search, SpamWithoutAPathIsRefusedCheaplyToo) {
  add_crowd("spammer#", "bob", 100'000);
  given.dot("ns", "alice", {.ttl = 255});
  const auto outcome = find("bob");
  EXPECT_FALSE(outcome.path);
  EXPECT_FALSE(outcome.exhausted_bounds);
  EXPECT_LT(outcome.edges_seen, 100U);
}

TEST_F(Search, AHubCostsLittle) {
  add_crowd("ns", "member#", 100'000);
  const auto hub = find("member#77777");
  EXPECT_EQ(ids(hub.path).size(), 1U);
  EXPECT_LT(hub.edges_seen, 60U);
  given.dot("member#77777", "bob");
  const auto behind = find("bob");
  EXPECT_EQ(ids(behind.path).size(), 2U);
  EXPECT_LT(behind.edges_seen, 100U);
  EXPECT_FALSE(find("carol").path);
}

TEST_F(Search, AHubInFrontOfASpammedVictimCostsLittle) {
  add_crowd("spammer#", "bob", 100'000);
  add_crowd("ns", "member#", 100'000);
  const auto direct = given.dot("ns", "bob");
  const auto outcome = find("bob");
  EXPECT_THAT(ids(outcome.path), ElementsAre(direct.id));
  EXPECT_LT(outcome.edges_seen, 100U);
}

TEST_F(Search, AHubTwoLinksBeforeASpammedVictimIsMetByProbes) {
  given.dot("member#5", "bob");
  add_crowd("spammer#", "bob", 30'000);
  add_crowd("ns", "other#", 30'000);
  add_crowd("ns", "member#", 10);
  const auto outcome = find("bob");
  EXPECT_EQ(ids(outcome.path).size(), 2U);
  EXPECT_LT(outcome.edges_seen, 1000U);
}

TEST_F(Search, AHubDeeperInTheTreeInFrontOfASpammedVictim) {
  add_crowd("spammer#", "bob", 30'000);
  given.dot("ns", "alice", {.ttl = 255});
  add_crowd("alice", "member#", 30'000);
  given.dot("alice", "bob");
  const auto outcome = find("bob");
  EXPECT_EQ(ids(outcome.path).size(), 2U);
  EXPECT_LT(outcome.edges_seen, 100U);
}

TEST_F(Search, SpamForEveryoneHidesNoPath) {
  add_crowd("spammer#", "everyone", 30'000);
  add_crowd("alice", "member#", 30'000);
  given.dot("ns", "alice", {.ttl = 255});
  given.dot("member#29999", "bob", {.ttl = 1});
  given.dot("bob", "carol");
  const auto outcome = find("carol");
  EXPECT_EQ(ids(outcome.path).size(), 4U);
  EXPECT_LT(outcome.edges_seen, 2000U);
}

TEST_F(Search, CyclesEndWithinBounds) {
  // Complete graph of parallel DoTs with ttl 255: the original explored every walk in it.
  const std::vector<std::string> names{"alice", "bob", "carol", "dave", "eve", "frank"};
  for (const auto& from : names) {
    given.graph.add_entity(key_of(from));
    for (const auto& to : names) {
      if (from == to) continue;
      for (int i = 0; i < 8; ++i) given.dot(from, to, {.ttl = 255});
    }
  }
  EXPECT_FALSE(find("bob").path);
  given.dot("ns", "alice", {.ttl = 255});
  given.dot("dave", "ns", {.ttl = 255});
  given.graph.add_entity(key_of("grace"));
  const auto refused = find("grace");
  EXPECT_FALSE(refused.path);
  EXPECT_FALSE(refused.exhausted_bounds);
  const auto outcome = find("bob");
  EXPECT_EQ(ids(outcome.path).size(), 2U);
  EXPECT_LT(outcome.edges_seen, 1000U);
}

TEST_F(Search, SaysWhenItGaveUp) {
  add_crowd("ns", "member#", 1000);
  add_crowd("spammer#", "bob", 1000);
  const auto outcome = find("bob", "a", "P", {.edges = 500});
  EXPECT_FALSE(outcome.path);
  EXPECT_TRUE(outcome.exhausted_bounds);
  EXPECT_LT(outcome.edges_seen, 600U);
}

TEST_F(Search, ExplainShowsThePathWhenThereIsOne) {
  const auto a = given.dot("ns", "bob");
  EXPECT_THAT(ids(why("bob").path), ElementsAre(a.id));
}

TEST_F(Search, ExplainNamesTheOneBadLink) {
  given.dot("ns", "alice", {.ttl = 1});
  struct Case {
    testing::DotTerms terms;
    const char* words;
  };
  for (const Case& test :
       {Case{{.on = "floor1/*", .can = "C"}, "grants C, not P"},
        Case{{.on = "floor2/*"}, "grants on floor2/*"}, Case{{.expires = kNow}, "expired 2027"},
        Case{{.not_before = kNow + 1s}, "not valid before"},
        Case{{.conditions = "x"}, "conditions"}}) {
    const auto dot = given.dot("alice", "bob", test.terms);
    const Explanation explanation = why("bob");
    EXPECT_FALSE(explanation.path);
    ASSERT_EQ(explanation.misses.size(), 1U);
    EXPECT_EQ(explanation.misses[0].link, 1);
    EXPECT_EQ(explanation.misses[0].path.edges.size(), 2U);
    EXPECT_THAT(explanation.misses[0].reason, HasSubstr("link 2 of 2"));
    EXPECT_THAT(explanation.misses[0].reason, HasSubstr(test.words));
    EXPECT_THAT(explanation.granters, ElementsAre(key_of("ns"), key_of("alice")));
    given.graph.revoke_dot(dot.id);
  }
}

TEST_F(Search, ExplainNamesTheTtlThatIsTooShort) {
  given.dot("ns", "alice", {.ttl = 0});
  given.dot("alice", "bob");
  const Explanation explanation = why("bob");
  ASSERT_EQ(explanation.misses.size(), 1U);
  EXPECT_EQ(explanation.misses[0].link, 0);
  EXPECT_THAT(explanation.misses[0].reason, HasSubstr("has ttl 0, but 1 more link follows"));
  EXPECT_THAT(explanation.granters, ElementsAre(key_of("ns")));
}

TEST_F(Search, ExplainNamesDeadEntities) {
  given.dot("ns", "alice", {.ttl = 1});
  given.dot("alice", "bob");
  given.graph.revoke_entity(key_of("alice"));
  Explanation explanation = why("bob");
  ASSERT_EQ(explanation.misses.size(), 1U);
  EXPECT_EQ(explanation.misses[0].link, 1);
  EXPECT_THAT(explanation.misses[0].reason, HasSubstr(key_of("alice").brief() + " was revoked"));
  given.graph.add_entity(key_of("bob"), {}, kNow);
  explanation = why("bob");
  ASSERT_EQ(explanation.misses.size(), 1U);
  EXPECT_THAT(explanation.misses[0].reason, HasSubstr(key_of("bob").brief() + " expired"));
  explanation = why("stranger");
  EXPECT_THAT(explanation.misses[0].reason, HasSubstr("not on the ledger"));
}

TEST_F(Search, ExplainNamesNoLinkWhereTwoThingsFail) {
  given.dot("ns", "alice", {.ttl = 1});
  given.dot("alice", "bob", {.expires = kNow});
  given.graph.revoke_entity(key_of("alice"));
  const Explanation explanation = why("bob");
  ASSERT_EQ(explanation.misses.size(), 1U);
  EXPECT_THAT(explanation.misses[0].reason, HasSubstr("no grant in namespace"));
  EXPECT_THAT(explanation.granters, ElementsAre(key_of("ns")));
}

TEST_F(Search, ExplainPutsTheNearestMissFirst) {
  given.dot("ns", "bob", {.on = "elsewhere/*"});
  given.dot("ns", "bob", {.on = "floor1/+", .can = "CL"});
  const auto expired = given.dot("ns", "bob", {.expires = kNow - 1s});
  const Explanation explanation = why("bob");
  ASSERT_EQ(explanation.misses.size(), 3U);
  EXPECT_EQ(explanation.misses[0].path.edges[0].dot, expired.id);
  EXPECT_THAT(explanation.misses[1].reason, HasSubstr("grants CL, not P"));
  EXPECT_THAT(explanation.misses[2].reason, HasSubstr("elsewhere"));
  for (int i = 0; i < 10; ++i) given.dot("ns", "bob", {.on = "there/*"});
  EXPECT_EQ(why("bob").misses.size(), 5U);
}

TEST_F(Search, ExplainSaysWhoHoldsNothingToPassOn) {
  given.dot("alice", "bob");
  Explanation explanation = why("bob");
  ASSERT_EQ(explanation.misses.size(), 1U);
  EXPECT_EQ(explanation.misses[0].link, -1);
  EXPECT_EQ(explanation.misses[0].path.edges.size(), 1U);
  EXPECT_THAT(explanation.misses[0].reason,
              HasSubstr("grant it to " + key_of("alice").brief() + " with ttl 1"));
  explanation = why("carol");
  ASSERT_EQ(explanation.misses.size(), 1U);
  EXPECT_EQ(explanation.misses[0].link, 0);
  EXPECT_TRUE(explanation.misses[0].path.edges.empty());
  EXPECT_THAT(explanation.misses[0].reason, HasSubstr("no grant in namespace"));
}

TEST_F(Search, WhoCanListsHoldersNamespaceFirst) {
  given.dot("ns", "alice", {.on = "floor1/*", .ttl = 1});
  given.dot("alice", "bob", {.can = "P"});
  given.dot("bob", "carol", {.can = "P"});  // bob may not pass it on
  given.dot("ns", "dave", {.on = "floor2/*"});
  given.dot("ns", "everyone", {.on = "floor1/bell"});
  const auto list = [&](std::string_view on, std::string_view can) {
    std::vector<EntityKey> names;
    for (const Holder& holder :
         who_can(key_of("ns"), pattern_of(on), permissions_of(can), given.graph, given.graph, kNow)
             .value()
             .list) {
      names.push_back(holder.entity);
    }
    return names;
  };
  EXPECT_THAT(list("floor1/lamp", "P"), ElementsAre(key_of("ns"), key_of("alice"), key_of("bob")));
  EXPECT_THAT(list("floor1/lamp", "PC"), ElementsAre(key_of("ns"), key_of("alice")));
  EXPECT_THAT(list("floor1/bell", "P"), Contains(kEveryone));
  given.graph.revoke_entity(key_of("alice"));
  EXPECT_THAT(list("floor1/lamp", "P"), ElementsAre(key_of("ns")));
  given.graph.revoke_entity(key_of("ns"));
  EXPECT_THAT(list("floor1/lamp", "P"), IsEmpty());
}

std::string text_of(const Capability& capability) {
  return fmt::format("{} on {}/{} ttl {}", capability.permissions.text(), capability.ns.brief(),
                     capability.pattern.text(), capability.ttl);
}

TEST_F(Search, WhatCanNarrowsAlongThePathOverAllNamespaces) {
  given.dot("ns", "alice", {.on = "+/lamp", .can = "PC", .ttl = 3});
  given.dot("alice", "bob", {.on = "floor1/*", .can = "PL", .ttl = 1});
  given.dot("carol", "bob", {.on = "x/*", .can = "C*", .expires = kNow + 3s, .ns = "carol"});
  given.dot("carol", "bob", {.on = "x/y", .can = "C", .ns = "carol"});  // covered
  given.dot("dave", "everyone", {.on = "door", .can = "L", .ns = "dave"});
  given.dot("alice", "bob", {.on = "floor1/*", .can = "L", .ns = "dave"});  // alice has nothing
  std::vector<std::string> found;
  const auto capabilities = what_can(key_of("bob"), given.graph, given.graph, kNow).value().list;
  for (const Capability& capability : capabilities) found.push_back(text_of(capability));
  const auto in = [](std::string_view ns) { return key_of(ns).brief(); };
  EXPECT_THAT(found, ::testing::UnorderedElementsAre("C*T*PL on " + in("bob") + "/* ttl 255",
                                                     "P on " + in("ns") + "/floor1/lamp ttl 1",
                                                     "C* on " + in("carol") + "/x/* ttl 0",
                                                     "L on " + in("dave") + "/door ttl 0"));
}

TEST_F(Search, WhatCanKeepsTheShorterPathThatNeedsLessTtl) {
  given.dot("carol", "bob", {.on = "*"});
  given.dot("alice", "bob", {.on = "a/*", .can = "P"});
  given.dot("alice", "carol", {.on = "*", .ttl = 1});
  given.dot("ns", "alice", {.ttl = 1});  // not enough to go by carol
  const auto capabilities = what_can(key_of("bob"), given.graph, given.graph, kNow).value().list;
  ASSERT_EQ(capabilities.size(), 2U);
  EXPECT_EQ(text_of(capabilities[1]), "P on " + key_of("ns").brief() + "/a/* ttl 0");
}

TEST_F(Search, WhatCanTrustsNoDeadEntity) {
  const auto count = [&] {
    return what_can(key_of("bob"), given.graph, given.graph, kNow).value().list.size();
  };
  given.dot("ns", "alice", {.on = "a/*", .ttl = 1});
  given.dot("alice", "bob");
  given.dot("carol", "bob", {.ns = "carol"});
  EXPECT_EQ(count(), 3U);
  given.graph.revoke_entity(key_of("alice"));
  EXPECT_EQ(count(), 2U);
  given.graph.revoke_entity(key_of("carol"));
  EXPECT_EQ(count(), 1U);
  given.graph.revoke_entity(key_of("bob"));
  EXPECT_EQ(count(), 0U);
}

TEST_F(Search, WhatCanEndsWithinBoundsUnderSpam) {
  add_crowd("spammer#", "bob", 30'000);
  for (int i = 0; i < 20'000; ++i) {
    given.dot("alice", "bob", {.on = "p" + std::to_string(i) + "/*"});
  }
  given.dot("dave", "everyone", {.on = "door", .can = "L", .ns = "dave"});
  const auto capabilities = what_can(key_of("bob"), given.graph, given.graph, kNow).value().list;
  EXPECT_EQ(capabilities.size(), 2U);
}

TEST_F(Search, ListsSayWhenTheyMayLackSome) {
  const auto holders = [&](std::size_t edges) {
    return who_can(key_of("ns"), pattern_of("a"), permissions_of("P"), given.graph, given.graph,
                   kNow, {.edges = edges})
        .value();
  };
  const auto capabilities = [&](std::size_t edges) {
    return what_can(key_of("bob"), given.graph, given.graph, kNow, {.edges = edges}).value();
  };
  given.dot("ns", "alice", {.ttl = 2});
  given.dot("alice", "bob", {.ttl = 1});
  EXPECT_FALSE(holders(1000).exhausted_bounds);
  EXPECT_FALSE(capabilities(1000).exhausted_bounds);
  for (int i = 0; i < 100; ++i) {
    given.graph.add_entity(key_of("guest#" + std::to_string(i)));
    given.dot("bob", "guest#" + std::to_string(i));
    given.dot("spammer#" + std::to_string(i), "bob");
  }
  EXPECT_TRUE(holders(50).exhausted_bounds);
  EXPECT_LT(holders(50).list.size(), 103U);
  EXPECT_FALSE(holders(1000).exhausted_bounds);
  EXPECT_EQ(holders(1000).list.size(), 103U);
  EXPECT_TRUE(capabilities(50).exhausted_bounds);
  EXPECT_FALSE(capabilities(1000).exhausted_bounds);
}

}  // namespace
}  // namespace bw::wave
