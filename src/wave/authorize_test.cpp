// SPDX-License-Identifier: Apache-2.0
#include "wave/authorize.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wave/testing/scenario.hpp"

namespace bw::wave {
namespace {

using testing::DotTerms;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::key_of;
using testing::kNow;
using testing::Scenario;

class Authorize : public ::testing::Test {
 protected:
  Result<Grant, Denial> ask(const Request& request, const std::vector<Signed<Dot>>& dots,
                            Time now = kNow) const {
    return authorize(request, Proof{dots}, given.graph, now);
  }
  void expect_denied(const Result<Grant, Denial>& result, ErrorCode code, int link,
                     const std::string& words) {
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(error_name(result.error().code), error_name(code)) << result.error().reason;
    EXPECT_EQ(result.error().link, link) << result.error().reason;
    EXPECT_THAT(result.error().reason, HasSubstr(words));
    EXPECT_EQ(result.error().to_error().message, result.error().reason);
  }

  Scenario given{"ns", "alice", "bob", "carol"};
  const Request bob_publishes = Scenario::request("bob", "floor1/lamp", "P");
  // ns -> alice -> bob
  const Signed<Dot> to_alice = given.dot("ns", "alice", {.on = "floor1/*", .ttl = 1});
  const Signed<Dot> to_bob = given.dot("alice", "bob", {.on = "floor1/*", .can = "P"});
};

TEST_F(Authorize, AllowsAPathThatCoversTheRequestAndSaysWhatItRestsOn) {
  const auto grant = ask(bob_publishes, {to_alice, to_bob});
  ASSERT_TRUE(grant) << grant.error().reason;
  EXPECT_THAT(grant->entities, ElementsAre(key_of("ns"), key_of("alice"), key_of("bob")));
  EXPECT_THAT(grant->dots, ElementsAre(to_alice.id, to_bob.id));
  EXPECT_TRUE(grant->limits.empty());
  EXPECT_EQ(grant->expires, kNever);
}

TEST_F(Authorize, ExpiresWithTheFirstThingOnThePath) {
  const auto dot = given.dot("alice", "bob", {.expires = kNow + 20s});
  EXPECT_EQ(ask(bob_publishes, {to_alice, dot})->expires, kNow + 20s);
  given.graph.add_entity(key_of("alice"), {}, kNow + 10s);
  EXPECT_EQ(ask(bob_publishes, {to_alice, dot})->expires, kNow + 10s);
  given.graph.add_entity(key_of("bob"), {}, kNow + 5s);
  EXPECT_EQ(ask(bob_publishes, {to_alice, dot})->expires, kNow + 5s);
  given.graph.add_entity(key_of("ns"), {}, kNow + 2s);
  EXPECT_EQ(ask(bob_publishes, {to_alice, dot})->expires, kNow + 2s);
}

TEST_F(Authorize, ReportsThePublishLimitsOnThePath) {
  const auto a = given.dot("ns", "alice", {.ttl = 1, .messages_per_second = 7});
  const auto b = given.dot("alice", "bob", {.stored_bytes = 1000});
  const auto grant = ask(bob_publishes, {a, b});
  ASSERT_TRUE(grant);
  ASSERT_EQ(grant->limits.size(), 2U);
  EXPECT_EQ(grant->limits[0].dot, a.id);
  EXPECT_EQ(grant->limits[0].messages_per_second, 7U);
  EXPECT_EQ(grant->limits[0].stored_bytes, 0U);
  EXPECT_EQ(grant->limits[1].dot, b.id);
  EXPECT_EQ(grant->limits[1].stored_bytes, 1000U);
}

TEST_F(Authorize, TheNamespaceNeedsNoProof) {
  const auto grant = ask(Scenario::request("ns", "x/y", "C*T*PL"), {});
  ASSERT_TRUE(grant);
  EXPECT_THAT(grant->entities, ElementsAre(key_of("ns")));
  EXPECT_TRUE(grant->dots.empty());
}

TEST_F(Authorize, TheEmptyPathProvesNothingForOthers) {
  expect_denied(ask(bob_publishes, {}), ErrorCode::kDenied, -1, "there is no proof");
}

TEST_F(Authorize, ARevokedNamespaceHasNoAuthority) {
  given.graph.revoke_entity(key_of("ns"));
  expect_denied(ask(Scenario::request("ns", "x", "P"), {}), ErrorCode::kRevoked, -1, "was revoked");
  expect_denied(ask(bob_publishes, {to_alice, to_bob}), ErrorCode::kRevoked, -1,
                key_of("ns").brief());
}

// What the original accepted: anybody's proof with one's own key as the origin.
TEST_F(Authorize, SomebodyElsesProofIsWorthNothing) {
  expect_denied(ask(Scenario::request("carol", "floor1/lamp", "P"), {to_alice, to_bob}),
                ErrorCode::kDenied, 1, "not at " + key_of("carol").brief());
  expect_denied(ask(Scenario::request("alice", "floor1/lamp", "P"), {to_alice, to_bob}),
                ErrorCode::kDenied, 1, "who asks");
}

TEST_F(Authorize, AProofStartsAtTheNamespace) {
  expect_denied(ask(bob_publishes, {to_bob}), ErrorCode::kDenied, 0,
                "its granter is not namespace");
}

TEST_F(Authorize, LinksMustJoin) {
  const auto elsewhere = given.dot("carol", "bob");
  expect_denied(ask(bob_publishes, {to_alice, elsewhere}), ErrorCode::kDenied, 1,
                "does not start at " + key_of("alice").brief());
}

TEST_F(Authorize, EveryLinkIsAboutTheNamespace) {
  const auto foreign = given.dot("alice", "bob", {.ns = "carol"});
  expect_denied(ask(bob_publishes, {to_alice, foreign}), ErrorCode::kDenied, 1,
                "is about namespace");
  const auto foreign_first = given.dot("ns", "bob", {.ns = "carol"});
  expect_denied(ask(bob_publishes, {foreign_first}), ErrorCode::kDenied, 0, "is about namespace");
}

TEST_F(Authorize, AGrantToEveryoneServesRegisteredEntitiesOnly) {
  const auto open = given.dot("alice", "everyone");
  EXPECT_TRUE(ask(bob_publishes, {to_alice, open}));
  expect_denied(ask(Scenario::request("mallory", "floor1/lamp", "P"), {to_alice, open}),
                ErrorCode::kNotFound, -1, key_of("mallory").brief());
  given.graph.revoke_entity(key_of("bob"));
  expect_denied(ask(bob_publishes, {to_alice, open}), ErrorCode::kRevoked, -1, "was revoked");
}

TEST_F(Authorize, EveryoneIsNobodyInParticular) {
  // Even when somebody managed to register 32 zero bytes.
  given.graph.add_entity(kEveryone);
  const auto open = given.dot("ns", "everyone", {.ttl = 1});
  const auto on = given.dot("everyone", "bob");
  expect_denied(ask(bob_publishes, {open, on}), ErrorCode::kDenied, 1, "granted by everyone");
  expect_denied(ask(Scenario::request("everyone", "a", "P"), {open}), ErrorCode::kDenied, -1,
                "nobody can act as everyone");
  expect_denied(ask(Scenario::request("everyone", "a", "P", "everyone"), {}), ErrorCode::kDenied,
                -1, "nobody can act as everyone");
}

TEST_F(Authorize, TtlCountsTheLinksThatFollow) {
  const auto path = [&](int first, int second) {
    return std::vector{given.dot("ns", "alice", {.ttl = first}),
                       given.dot("alice", "carol", {.ttl = second}), given.dot("carol", "bob")};
  };
  EXPECT_TRUE(ask(bob_publishes, path(2, 1)));
  EXPECT_TRUE(ask(bob_publishes, path(255, 255)));
  expect_denied(ask(bob_publishes, path(1, 255)), ErrorCode::kDenied, 0,
                "has ttl 1, but 2 more links follow");
  expect_denied(ask(bob_publishes, path(255, 0)), ErrorCode::kDenied, 1,
                "has ttl 0, but 1 more link follows");
  EXPECT_TRUE(ask(bob_publishes, {given.dot("ns", "bob", {.ttl = 0})}));
}

TEST_F(Authorize, EveryLinkCoversTheWholeRequest) {
  const auto some = given.dot("alice", "bob", {.on = "floor1/+"});
  EXPECT_TRUE(ask(bob_publishes, {to_alice, some}));
  expect_denied(ask(Scenario::request("bob", "floor1/*", "C*"), {to_alice, some}),
                ErrorCode::kDenied, 1, "does not cover all of floor1/*");
  expect_denied(ask(Scenario::request("bob", "floor2/lamp", "P"), {to_alice, to_bob}),
                ErrorCode::kDenied, 0, "link 1 of 2");
}

TEST_F(Authorize, EveryLinkGivesAllThePermissions) {
  expect_denied(ask(Scenario::request("bob", "floor1/lamp", "PC"), {to_alice, to_bob}),
                ErrorCode::kDenied, 1, "grants P, not CP");
}

TEST_F(Authorize, ARequestForNothingIsRefused) {
  Request nothing = bob_publishes;
  nothing.permissions = {};
  expect_denied(ask(nothing, {to_alice, to_bob}), ErrorCode::kDenied, -1, "no permission");
  Request nowhere = bob_publishes;
  nowhere.pattern = {};
  expect_denied(ask(nowhere, {to_alice, to_bob}), ErrorCode::kDenied, -1, "no URI");
}

TEST_F(Authorize, TimesAreInclusiveAtTheStartAndExclusiveAtTheEnd) {
  const auto dot = given.dot("alice", "bob", {.expires = kNow + 10s, .not_before = kNow - 10s});
  EXPECT_TRUE(ask(bob_publishes, {to_alice, dot}, kNow - 10s));
  expect_denied(ask(bob_publishes, {to_alice, dot}, kNow - 10s - 1us), ErrorCode::kExpired, 1,
                "is not valid before");
  EXPECT_TRUE(ask(bob_publishes, {to_alice, dot}, kNow + 10s - 1us));
  expect_denied(ask(bob_publishes, {to_alice, dot}, kNow + 10s), ErrorCode::kExpired, 1,
                "ask " + key_of("alice").brief() + " for a new grant");
}

TEST_F(Authorize, ConditionsItDoesNotUnderstandDeny) {
  const auto dot = given.dot("alice", "bob", {.conditions = "after sunset"});
  expect_denied(ask(bob_publishes, {to_alice, dot}), ErrorCode::kUnsupported, 1, "conditions");
}

TEST_F(Authorize, ADotMustBeOnTheLedgerAndUnrevoked) {
  const auto secret = given.unpublished("alice", "bob");
  expect_denied(ask(bob_publishes, {to_alice, secret}), ErrorCode::kNotFound, 1,
                "is not on the ledger as far as this node knows");
  given.graph.revoke_dot(to_alice.id);
  expect_denied(ask(bob_publishes, {to_alice, to_bob}), ErrorCode::kRevoked, 0, "is revoked");
}

TEST_F(Authorize, NamesTheLinkInFull) {
  given.graph.revoke_dot(to_bob.id);
  const auto result = ask(bob_publishes, {to_alice, to_bob});
  ASSERT_FALSE(result);
  EXPECT_EQ(
      result.error().reason,
      fmt::format("link 2 of 2 ({}: {} -> {}, P on floor1/*) is revoked; ask {} for a new grant",
                  to_bob.id.brief(), key_of("alice").brief(), key_of("bob").brief(),
                  key_of("alice").brief()));
}

TEST_F(Authorize, EveryGranterMustBeRegisteredAndLive) {
  given.graph.add_entity(key_of("alice"), {}, kNow);
  expect_denied(ask(bob_publishes, {to_alice, to_bob}), ErrorCode::kExpired, 1, "expired");
  given.graph.add_entity(key_of("alice"), {}, kNever);
  given.graph.revoke_entity(key_of("alice"));
  expect_denied(ask(bob_publishes, {to_alice, to_bob}), ErrorCode::kRevoked, 1, "has a granter");
  const auto a = given.dot("ns", "stranger", {.ttl = 1});
  const auto b = given.dot("stranger", "bob");
  expect_denied(ask(bob_publishes, {a, b}), ErrorCode::kNotFound, 1, "not on the ledger");
}

TEST_F(Authorize, AStaleNodeDoesNotDecide) {
  given.graph.set_max_staleness(key_of("ns"), 60s);
  EXPECT_TRUE(ask(bob_publishes, {to_alice, to_bob}, kNow + 60s));
  expect_denied(ask(bob_publishes, {to_alice, to_bob}, kNow + 60s + 1us), ErrorCode::kStale, -1,
                "last heard from its ledger");
  expect_denied(ask(Scenario::request("ns", "x", "P"), {}, kNow + 61s), ErrorCode::kStale, -1,
                "1 m");
}

TEST_F(Authorize, AClockSetBackMakesTheNodeStale) {
  given.graph.set_heard_at(kNow + limits::kClockSkew);
  EXPECT_TRUE(ask(bob_publishes, {to_alice, to_bob}));
  given.graph.set_heard_at(kNow + limits::kClockSkew + 1us);
  expect_denied(ask(bob_publishes, {to_alice, to_bob}), ErrorCode::kStale, -1, "clock went back");
}

TEST_F(Authorize, AStoreThatFailsDenies) {
  given.graph.break_with({ErrorCode::kCorrupt, "index block 7 fails its checksum"});
  expect_denied(ask(bob_publishes, {to_alice, to_bob}), ErrorCode::kCorrupt, 0, "index block 7");
  expect_denied(ask(Scenario::request("ns", "x", "P"), {}), ErrorCode::kCorrupt, -1,
                "index block 7");
}

TEST_F(Authorize, PathsAreAtMostSixteenLinks) {
  const auto chain = [&](std::size_t links) {
    std::vector<Signed<Dot>> dots;
    std::string at = "ns";
    for (std::size_t i = 0; i + 1 < links; ++i) {
      const std::string next = "hop" + std::to_string(i);
      given.graph.add_entity(key_of(next));
      dots.push_back(given.dot(at, next, {.ttl = 255}));
      at = next;
    }
    dots.push_back(given.dot(at, "bob"));
    return dots;
  };
  EXPECT_TRUE(ask(bob_publishes, chain(limits::kProofDots)));
  expect_denied(ask(bob_publishes, chain(limits::kProofDots + 1)), ErrorCode::kDenied, -1,
                "the proof has 17 links");
}

}  // namespace
}  // namespace bw::wave
