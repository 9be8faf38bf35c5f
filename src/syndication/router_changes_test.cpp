// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "syndication/testing/router_world.hpp"

// Live sessions while the ledger and the time move on.
namespace bw::syndication {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Peer;
using testing::ProofPtr;
using testing::World;
using enum MessageType;

using Code = std::optional<ErrorCode>;
constexpr Code kOk = std::nullopt;

class RouterChanges : public ::testing::Test {
 protected:
  RouterChanges() {
    link = world.grant("ns", "boss", {.ttl = 1});
    last = world.grant("boss", "bob");
    bobs = World::proof({*link, *last});
    subscription = bob.say(from_bob, {.uri = "a/*", .type = kSubscribe, .proof = bobs});
    EXPECT_EQ(bob.answer(subscription), kOk);
    EXPECT_THAT(publish(), ElementsAre("a/b=x"));
  }

  // What bob hears of a message of alice's.
  std::vector<std::string> publish() {
    published = alice.say(from_alice, {.uri = "a/b", .proof = alices});
    return bob.heard();
  }

  World world;
  Peer alice{world, "alice"};
  Peer bob{world, "bob"};
  std::uint64_t from_alice = alice.attach("alice");
  std::uint64_t from_bob = bob.attach("bob");
  ProofPtr alices = world.granted("alice");
  std::optional<wave::Signed<wave::Dot>> link;
  std::optional<wave::Signed<wave::Dot>> last;
  ProofPtr bobs;
  RequestId subscription;
  RequestId published;
};

TEST_F(RouterChanges, RevokedDotEndsTheSubscriptionAtOnce) {
  world.revoke(last->id);
  EXPECT_EQ(bob.answer(subscription), ErrorCode::kRevoked);
  EXPECT_THAT(publish(), IsEmpty());
  EXPECT_EQ(world.core.stats().subscriptions, 0);
  EXPECT_EQ(world.core.stats().subscriptions_ended, 1);
}

TEST_F(RouterChanges, ASubscriptionEndsWhenItsOwnMessageExpires) {
  const RequestId brief = bob.say(
      from_bob, {.uri = "a/+", .type = kSubscribe, .proof = bobs, .expires = world.now + 10s});
  EXPECT_EQ(bob.answer(brief), kOk);
  EXPECT_THAT(publish(), ElementsAre("a/b=x"));
  world.pass(10s);
  EXPECT_EQ(world.core.stats().subscriptions, 2);
  world.core.tick(world.now);
  EXPECT_EQ(bob.answer(brief), ErrorCode::kExpired);
  EXPECT_EQ(bob.answer(subscription), kOk);
  EXPECT_EQ(world.core.stats().subscriptions, 1);
}

TEST_F(RouterChanges, RevokedGranterEndsTheSubscription) {
  world.revoke(world.id("boss"));
  EXPECT_EQ(bob.answer(subscription), ErrorCode::kRevoked);
  EXPECT_THAT(publish(), IsEmpty());
}

TEST_F(RouterChanges, UnrelatedRevocationsChangeNothing) {
  world.revoke(world.grant("ns", "carol").id);
  world.revoke(world.id("carol"));
  EXPECT_EQ(bob.answer(subscription), kOk);
  EXPECT_THAT(publish(), ElementsAre("a/b=x"));
}

TEST_F(RouterChanges, RevokedPublisherIsRefused) {
  world.revoke(alices->dots[0].id);
  EXPECT_THAT(publish(), IsEmpty());
  EXPECT_EQ(alice.answer(published), ErrorCode::kRevoked);
}

TEST_F(RouterChanges, WhoeverLostARightInUseIsRefusedButDidNothingWrong) {
  world.revoke(alices->dots[0].id);
  for (int i = 0; i < 100; ++i) publish();
  EXPECT_EQ(alice.answer(published), ErrorCode::kRevoked);
  EXPECT_THAT(world.core.blacklist(world.now), IsEmpty());
}

TEST_F(RouterChanges, RevokedEntityLosesStreamsAndSessions) {
  const auto guest = bob.attach("guest");
  world.revoke(world.id("guest"));
  bob.read();
  EXPECT_EQ(bob.detached.at(guest).code, ErrorCode::kRevoked);
  EXPECT_THAT(publish(), ElementsAre("a/b=x"));

  world.revoke(world.id("bob"));
  EXPECT_EQ(world.closed.at(bob.id()).code, ErrorCode::kRevoked);
  EXPECT_EQ(world.core.stats().sessions, 1);
  EXPECT_EQ(world.core.stats().subscriptions, 0);
}

TEST_F(RouterChanges, ExpiredEntityLosesItsStreamUnlessRenewed) {
  const auto stream = bob.attach("guest");
  world.graph.add_entity(world.id("guest"), world.now, world.now + 10s);
  world.core.authority_changed({&world.id("guest"), 1}, {}, {}, world.now);
  world.pass(9s);
  world.graph.add_entity(world.id("guest"), world.now, world.now + 11s);
  world.core.authority_changed({&world.id("guest"), 1}, {}, {}, world.now);
  world.pass(10s);
  world.core.tick(world.now);
  bob.read();
  EXPECT_THAT(bob.detached, IsEmpty());
  world.pass(1s);
  world.core.tick(world.now);
  bob.read();
  EXPECT_EQ(bob.detached.at(stream).code, ErrorCode::kExpired);
}

TEST_F(RouterChanges, ExpiredGrantStopsDeliveryEvenBeforeTheTick) {
  Peer carol(world, "carol");
  const auto stream = carol.attach("carol");
  const auto brief = world.granted("carol", {.expires = world.now + 10s});
  const RequestId id = carol.say(stream, {.uri = "a/b", .type = kSubscribe, .proof = brief});
  publish();
  EXPECT_THAT(carol.heard(), ElementsAre("a/b=x"));
  world.pass(10s);
  publish();
  EXPECT_THAT(carol.heard(), IsEmpty());
  EXPECT_EQ(carol.answer(id), kOk);
  world.core.tick(world.now);
  EXPECT_EQ(carol.answer(id), ErrorCode::kExpired);
  EXPECT_THAT(publish(), ElementsAre("a/b=x"));
}

TEST_F(RouterChanges, StaleViewDeliversNothingButKeepsSubscriptions) {
  world.now += limits::kDefaultStaleness + 1s;
  world.core.tick(world.now);
  EXPECT_THAT(publish(), IsEmpty());
  EXPECT_EQ(alice.answer(published), ErrorCode::kStale);
  const RequestId asked = alice.say(from_alice, {.uri = "a/b", .type = kQuery, .proof = alices});
  EXPECT_EQ(alice.answer(asked), ErrorCode::kStale);

  // A change that comes while stale: nobody can tell, so nothing is delivered and nothing ends.
  world.core.authority_changed({&world.id("boss"), 1}, {}, {}, world.now);
  EXPECT_EQ(world.core.stats().subscriptions, 1);
  EXPECT_THAT(world.core.blacklist(world.now), IsEmpty());

  world.pass(0s);
  world.core.tick(world.now);
  EXPECT_THAT(publish(), ElementsAre("a/b=x"));
  EXPECT_EQ(bob.answer(subscription), kOk);
}

TEST_F(RouterChanges, NamespaceThatMovesAwayTakesItsSubscriptionsAlong) {
  const EntityKey ns = world.id("ns");
  world.not_carried.insert(ns);
  world.core.authority_changed({}, {}, {&ns, 1}, world.now);
  EXPECT_EQ(bob.answer(subscription), ErrorCode::kUnavailable);
  EXPECT_THAT(publish(), IsEmpty());
  EXPECT_EQ(alice.answer(published), ErrorCode::kUnavailable);
  EXPECT_THAT(world.core.blacklist(world.now), IsEmpty());

  world.not_carried.clear();
  world.core.authority_changed({}, {}, {&ns, 1}, world.now);
  bob.say(from_bob, {.uri = "a/*", .type = kSubscribe, .proof = bobs});
  EXPECT_THAT(publish(), ElementsAre("a/b=x"));
}

TEST_F(RouterChanges, AffinityThatLapsesByTimeIsNoticed) {
  world.not_carried.insert(world.id("ns"));
  world.core.tick(world.now);
  EXPECT_EQ(bob.answer(subscription), ErrorCode::kUnavailable);
  publish();
  EXPECT_EQ(alice.answer(published), ErrorCode::kUnavailable);
}

TEST_F(RouterChanges, FailingAuthorityStopsDeliveryAndEndsNothing) {
  world.graph.break_with(Error{ErrorCode::kIo, "disk"});
  world.core.authority_changed({&world.id("boss"), 1}, {}, {}, world.now);
  EXPECT_THAT(publish(), IsEmpty());
  EXPECT_EQ(world.core.stats().subscriptions, 1);
}

}  // namespace
}  // namespace bw::syndication
