// SPDX-License-Identifier: Apache-2.0
#include "syndication/router_core.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "syndication/testing/router_world.hpp"

namespace bw::syndication {
namespace {

using ::testing::ElementsAre;
using testing::Grantable;
using ::testing::IsEmpty;
using testing::Peer;
using testing::ProofPtr;
using testing::Say;
using ::testing::UnorderedElementsAre;
using testing::World;
using enum MessageType;

using Code = std::optional<ErrorCode>;
constexpr Code kOk = std::nullopt;

class RouterCoreTest : public ::testing::Test {
 protected:
  // Subscribes and expects that it stands.
  RequestId subscribe(Peer& peer, std::uint64_t stream, const std::string& uri, ProofPtr proof,
                      MessageType type = kSubscribe) {
    const RequestId id = peer.say(stream, {.uri = uri, .type = type, .proof = std::move(proof)});
    EXPECT_EQ(peer.answer(id), kOk);
    return id;
  }

  World world;
  Peer alice{world, "alice"};
  Peer bob{world, "bob"};
  std::uint64_t from_alice = alice.attach("alice");
  std::uint64_t from_bob = bob.attach("bob");
  ProofPtr alices = world.granted("alice");
  ProofPtr bobs = world.granted("bob");
};

TEST_F(RouterCoreTest, PublishReachesEverySubscriptionVerifiably) {
  subscribe(bob, from_bob, "a/*", bobs);
  subscribe(alice, from_alice, "+/b", alices);
  const RequestId id = alice.say(from_alice, {{.uri = "a/b", .payload = "1", .proof = alices},
                                              {.uri = "a/b", .payload = "2", .proof = alices},
                                              {.uri = "c", .payload = "3", .proof = alices}});
  EXPECT_THAT(bob.heard(), ElementsAre("a/b=1", "a/b=2"));
  EXPECT_THAT(alice.heard(), ElementsAre("a/b=1", "a/b=2"));
  EXPECT_THAT(bob.dropped, IsEmpty());
  EXPECT_EQ(alice.acks[from_alice], id.sequence);
  EXPECT_FALSE(alice.answered(id));
  EXPECT_EQ(world.core.stats().messages_out, 4);
}

TEST_F(RouterCoreTest, NamespaceNeedsNoProof) {
  Peer owner(world, "ns");
  const auto stream = owner.attach("ns");
  subscribe(bob, from_bob, "a", bobs);
  owner.say(stream, {.uri = "a", .payload = "mine"});
  EXPECT_THAT(bob.heard(), ElementsAre("a=mine"));
  const RequestId id = alice.say(from_alice, {.uri = "a", .payload = "not mine"});
  EXPECT_EQ(alice.answer(id), ErrorCode::kDenied);
  EXPECT_THAT(bob.heard(), IsEmpty());
}

TEST_F(RouterCoreTest, TopicsAndProofsAreToldOnceAndBeforeUse) {
  subscribe(bob, from_bob, "*", bobs);
  bob.read();
  bob.order.clear();
  for (int i = 0; i < 3; ++i) alice.say(from_alice, {.uri = "a", .proof = alices});
  alice.say(from_alice, {.uri = "b", .proof = alices});
  bob.read();
  EXPECT_THAT(bob.order, ElementsAre(FrameType::kProof, FrameType::kTopic, FrameType::kBatch,
                                     FrameType::kBatch, FrameType::kBatch, FrameType::kTopic,
                                     FrameType::kBatch));
}

TEST_F(RouterCoreTest, OneCallMakesAtMostTwoSendsPerSessionAndSharesBytes) {
  Peer carol(world, "carol");
  const auto from_carol = carol.attach("carol");
  subscribe(bob, from_bob, "*", bobs);
  subscribe(carol, from_carol, "a/*", world.granted("carol"));
  world.sent.clear();

  Bytes frames;
  for (int i = 0; i < 5; ++i) alice.compose(from_alice, {{.uri = "a/b", .proof = alices}}, frames);
  alice.deliver(frames);

  std::vector<const World::Sent*> to_bob;
  std::vector<const World::Sent*> to_carol;
  std::size_t to_alice = 0;
  for (const World::Sent& sent : world.sent) {
    if (sent.session == bob.id()) to_bob.push_back(&sent);
    if (sent.session == carol.id()) to_carol.push_back(&sent);
    if (sent.session == alice.id()) ++to_alice;
  }
  ASSERT_EQ(to_bob.size(), 2);
  ASSERT_EQ(to_carol.size(), 2);
  EXPECT_EQ(to_alice, 1);  // one ACK for all five
  EXPECT_FALSE(to_bob[0]->droppable);
  EXPECT_TRUE(to_bob[1]->droppable);
  EXPECT_EQ(to_bob[1]->frames, to_carol[1]->frames);
}

TEST_F(RouterCoreTest, ForwardsSelectionsThatVerifyAlone) {
  Peer carol(world, "carol");
  Peer dave(world, "dave");
  const auto from_carol = carol.attach("carol");
  const auto from_dave = dave.attach("dave");
  subscribe(bob, from_bob, "x/+", bobs);
  subscribe(carol, from_carol, "y/1", world.granted("carol"));
  subscribe(dave, from_dave, "*/1", world.granted("dave"));
  std::vector<Say> batch;
  for (const char* uri : {"x/1", "y/1", "z/2", "x/2", "y/1", "z/1", "x/3"}) {
    batch.push_back({.uri = uri, .payload = std::to_string(batch.size()), .proof = alices});
  }
  alice.say(from_alice, batch);
  EXPECT_THAT(bob.heard(), ElementsAre("x/1=0", "x/2=3", "x/3=6"));
  EXPECT_THAT(carol.heard(), ElementsAre("y/1=1", "y/1=4"));
  EXPECT_THAT(dave.heard(), ElementsAre("x/1=0", "y/1=1", "y/1=4", "z/1=5"));
  EXPECT_THAT(bob.dropped, IsEmpty());
  EXPECT_THAT(carol.dropped, IsEmpty());
  EXPECT_THAT(dave.dropped, IsEmpty());
}

TEST_F(RouterCoreTest, OneBadMessageDoesNotSinkTheOthers) {
  const auto narrow = world.granted("alice", {.permissions = "P", .uri = "ok/*"});
  subscribe(bob, from_bob, "*", bobs);
  const RequestId id =
      alice.say(from_alice, {{.uri = "ok/1", .payload = "1", .proof = narrow},
                             {.uri = "other", .payload = "2", .proof = narrow},
                             {.uri = "ok/+", .payload = "3", .proof = narrow},
                             {.uri = "ok/2", .payload = "4", .proof = narrow, .expires = world.now},
                             {.uri = "ok/3", .payload = "5", .proof = narrow}});
  EXPECT_THAT(bob.heard(), ElementsAre("ok/1=1", "ok/3=5"));
  EXPECT_THAT(bob.dropped, IsEmpty());
  EXPECT_FALSE(alice.answered(id, 0));
  EXPECT_EQ(alice.answer(id, 1), ErrorCode::kDenied);
  EXPECT_EQ(alice.answer(id, 2), ErrorCode::kInvalidArgument);
  EXPECT_EQ(alice.answer(id, 3), ErrorCode::kExpired);
  EXPECT_FALSE(alice.answered(id, 4));
  EXPECT_EQ(alice.acks[from_alice], id.sequence);
  EXPECT_EQ(world.core.stats().refused, 3);
}

TEST_F(RouterCoreTest, SubscribeSeesOnlyWhatComesAfterIt) {
  alice.say(from_alice, {{.uri = "a", .payload = "before", .proof = alices},
                         {.uri = "a", .type = kSubscribe, .proof = alices},
                         {.uri = "a", .payload = "after", .proof = alices}});
  EXPECT_THAT(alice.heard(), ElementsAre("a=after"));
  EXPECT_THAT(alice.dropped, IsEmpty());
}

// --- Consumers limits.

TEST_F(RouterCoreTest, LimitedMessagesGoRoundAndTapsAreNotCounted) {
  Peer carol(world, "carol");
  const auto from_carol = carol.attach("carol");
  const auto carols = world.granted("carol");
  const RequestId b1 = subscribe(bob, from_bob, "job/*", bobs);
  const RequestId b2 = subscribe(bob, from_bob, "job/+", bobs);
  const RequestId c = subscribe(carol, from_carol, "job/1", carols);
  subscribe(carol, from_carol, "job/*", carols, kTap);

  std::map<std::string, int> served;
  for (int i = 0; i < 9; ++i) {
    alice.say(from_alice,
              {.uri = "job/1", .payload = std::to_string(i), .proof = alices, .consumers = 1});
    for (const std::string& got : bob.heard_directly()) ++served["bob " + got.substr(0, 3)];
    for (const std::string& got : carol.heard_directly()) ++served["carol " + got.substr(0, 3)];
    EXPECT_THAT(carol.heard(), ElementsAre("job/1=" + std::to_string(i)));  // the tap's
    EXPECT_THAT(bob.heard(), IsEmpty());
  }
  EXPECT_EQ(served[fmt::format("bob {}.0", b1.sequence)], 3);
  EXPECT_EQ(served[fmt::format("bob {}.0", b2.sequence)], 3);
  EXPECT_EQ(served[fmt::format("carol {}.0", c.sequence)], 3);
  EXPECT_THAT(bob.dropped, IsEmpty());
  EXPECT_THAT(carol.dropped, IsEmpty());
}

TEST_F(RouterCoreTest, LimitAboveTheSubscriptionsServesAllOfThem) {
  subscribe(bob, from_bob, "job", bobs);
  subscribe(alice, from_alice, "job", alices);
  alice.say(from_alice, {{.uri = "job", .payload = "1", .proof = alices, .consumers = 5},
                         {.uri = "job", .payload = "2", .proof = alices, .consumers = 2}});
  EXPECT_EQ(bob.heard_directly().size(), 2);
  EXPECT_EQ(alice.heard_directly().size(), 2);
  EXPECT_THAT(bob.heard(), IsEmpty());
}

TEST_F(RouterCoreTest, OneBatchIsSpreadOverTheSubscriptions) {
  Peer carol(world, "carol");
  const auto from_carol = carol.attach("carol");
  subscribe(bob, from_bob, "job", bobs);
  subscribe(carol, from_carol, "job", world.granted("carol"));
  std::vector<Say> jobs(10, {.uri = "job", .proof = alices, .consumers = 1});
  alice.say(from_alice, jobs);
  EXPECT_EQ(bob.heard_directly().size(), 5);
  EXPECT_EQ(carol.heard_directly().size(), 5);
}

// --- Persisted messages.

TEST_F(RouterCoreTest, PersistedIsDeliveredStoredAndReplayed) {
  subscribe(bob, from_bob, "a/*", bobs);
  alice.say(from_alice, {.uri = "a/1", .payload = "v", .type = kPersist, .proof = alices});
  EXPECT_THAT(bob.heard(), ElementsAre("a/1=v"));
  EXPECT_EQ(world.core.stats().persisted, 1);

  Peer carol(world, "carol");
  const auto from_carol = carol.attach("carol");
  const auto carols = world.granted("carol");
  const RequestId query = carol.say(from_carol, {.uri = "a/+", .type = kQuery, .proof = carols});
  EXPECT_EQ(carol.answer(query), kOk);
  EXPECT_THAT(carol.heard_stored(), ElementsAre("a/1=v"));
  const RequestId replay =
      carol.say(from_carol, {.uri = "*", .type = kTap, .proof = carols, .replay = true});
  EXPECT_EQ(carol.answer(replay), kOk);
  EXPECT_THAT(carol.heard_stored(), ElementsAre("a/1=v"));
  alice.say(from_alice, {.uri = "a/1", .payload = "w", .proof = alices});
  EXPECT_THAT(carol.heard(), ElementsAre("a/1=w"));
  EXPECT_THAT(carol.dropped, IsEmpty());
  EXPECT_EQ(std::ranges::count(carol.order, FrameType::kProof), 1);
}

TEST_F(RouterCoreTest, PersistsOfOneCallAreStoredTogetherBeforeTheirAck) {
  Bytes frames;
  for (const char* uri : {"a", "b", "c"}) {
    alice.compose(from_alice, {{.uri = uri, .type = kPersist, .proof = alices}}, frames);
  }
  alice.deliver(frames);
  EXPECT_EQ(world.store.puts(), 1);
  EXPECT_EQ(world.store.size(), 3);
}

TEST_F(RouterCoreTest, QueryFindsWhatTheSameCallPersisted) {
  Bytes frames;
  alice.compose(from_alice, {{.uri = "a", .payload = "1", .type = kPersist, .proof = alices}},
                frames);
  alice.compose(from_alice,
                {{.uri = "b", .payload = "2", .type = kPersist, .proof = alices},
                 {.uri = "*", .type = kQuery, .proof = alices},
                 {.uri = "c", .payload = "3", .type = kPersist, .proof = alices}},
                frames);
  alice.deliver(frames);
  EXPECT_THAT(alice.heard_stored(), ElementsAre("a=1", "b=2"));
  EXPECT_EQ(world.store.size(), 3);
}

TEST_F(RouterCoreTest, NewestPersistedWins) {
  subscribe(bob, from_bob, "a", bobs);
  alice.say(from_alice, {.uri = "a", .payload = "new", .type = kPersist, .proof = alices});
  bob.set_created(world.now - 10s);
  const RequestId late =
      bob.say(from_bob, {.uri = "a", .payload = "old", .type = kPersist, .proof = bobs});
  EXPECT_EQ(bob.answer(late), ErrorCode::kConflict);
  EXPECT_THAT(bob.heard(), ElementsAre("a=new"));
  bob.set_created({});
  const RequestId query = bob.say(from_bob, {.uri = "a", .type = kQuery, .proof = bobs});
  EXPECT_EQ(bob.answer(query), kOk);
  EXPECT_THAT(bob.heard_stored(), ElementsAre("a=new"));
}

TEST_F(RouterCoreTest, EmptyPersistDeletesAndTheOldCannotComeBack) {
  alice.say(from_alice, {.uri = "a", .payload = "v", .type = kPersist, .proof = alices});
  world.pass(1s);
  alice.say(from_alice, {.uri = "a", .payload = "", .type = kPersist, .proof = alices});
  alice.say(from_alice, {.uri = "a", .type = kQuery, .proof = alices});
  EXPECT_THAT(alice.heard_stored(), IsEmpty());
  bob.set_created(world.now - 1s);
  const RequestId late =
      bob.say(from_bob, {.uri = "a", .payload = "v", .type = kPersist, .proof = bobs});
  EXPECT_EQ(bob.answer(late), ErrorCode::kConflict);
}

TEST_F(RouterCoreTest, StoredBytesAreLimitedByTheDot) {
  const auto small = world.granted("alice", {.stored_bytes = 1500});
  subscribe(bob, from_bob, "*", bobs);
  EXPECT_FALSE(alice.answered(
      alice.say(from_alice,
                {.uri = "a", .payload = std::string(500, 'x'), .type = kPersist, .proof = small})));
  bob.heard();
  const RequestId second = alice.say(
      from_alice, {.uri = "b", .payload = std::string(500, 'x'), .type = kPersist, .proof = small});
  EXPECT_EQ(alice.answer(second), ErrorCode::kLimited);
  EXPECT_THAT(bob.heard(), IsEmpty());
  // A newer value of the first takes its place.
  world.pass(1s);
  EXPECT_FALSE(alice.answered(
      alice.say(from_alice,
                {.uri = "a", .payload = std::string(500, 'y'), .type = kPersist, .proof = small})));
}

TEST_F(RouterCoreTest, FailingStoreRefusesPersistsAndNothingElse) {
  subscribe(bob, from_bob, "*", bobs);
  world.store.break_with(Error{ErrorCode::kIo, "disk full"});
  const RequestId id =
      alice.say(from_alice, {{.uri = "a", .payload = "1", .type = kPersist, .proof = alices},
                             {.uri = "b", .payload = "2", .proof = alices},
                             {.uri = "*", .type = kQuery, .proof = alices}});
  EXPECT_EQ(alice.answer(id, 0), ErrorCode::kIo);
  EXPECT_FALSE(alice.answered(id, 1));
  EXPECT_EQ(alice.answer(id, 2), ErrorCode::kIo);
  EXPECT_THAT(bob.heard(), ElementsAre("b=2"));
}

TEST_F(RouterCoreTest, ExpiredPersistedMessagesAreNotFound) {
  alice.say(from_alice, {.uri = "a", .type = kPersist, .proof = alices, .expires = world.now + 5s});
  world.pass(5s);
  alice.say(from_alice, {.uri = "a", .type = kQuery, .proof = alices});
  EXPECT_THAT(alice.heard_stored(), IsEmpty());
  world.core.tick(world.now);
  EXPECT_EQ(world.store.size(), 0);
}

TEST_F(RouterCoreTest, ListNamesChildrenOnly) {
  for (const char* uri : {"lab/room1/temp", "lab/room10/temp", "lab/door", "labsecret/x"}) {
    alice.say(from_alice, {.uri = uri, .type = kPersist, .proof = alices});
  }
  const RequestId id = alice.say(from_alice, {.uri = "lab/+", .type = kList, .proof = alices});
  EXPECT_EQ(alice.answer(id), kOk);
  EXPECT_THAT(alice.names, ElementsAre("door", "room1", "room10"));
}

// --- Quotas.

TEST_F(RouterCoreTest, DotLimitsMessagesPerSecondOverAllUsersOfIt) {
  const auto shared = world.grant("ns", "boss", {.ttl = 1, .messages_per_second = 3});
  const auto alices_share = World::proof({shared, world.grant("boss", "alice")});
  const auto bobs_share = World::proof({shared, world.grant("boss", "bob")});
  const RequestId a =
      alice.say(from_alice, std::vector<Say>(2, {.uri = "a", .proof = alices_share}));
  const RequestId b = bob.say(from_bob, std::vector<Say>(2, {.uri = "a", .proof = bobs_share}));
  EXPECT_FALSE(alice.answered(a, 1));
  EXPECT_FALSE(bob.answered(b, 0));
  EXPECT_EQ(bob.answer(b, 1), ErrorCode::kLimited);
  world.pass(1s);
  EXPECT_FALSE(bob.answered(bob.say(from_bob, {.uri = "a", .proof = bobs_share})));
}

TEST(RouterCoreLimits, EntityHasARate) {
  World world({.messages_per_second_per_entity = 4});
  Peer peer(world, "alice");
  const auto stream = peer.attach("alice");
  const auto proof = world.granted("alice");
  EXPECT_FALSE(peer.answered(peer.say(stream, std::vector<Say>(4, {.uri = "a", .proof = proof}))));
  const RequestId refused = peer.say(stream, {.uri = "a", .proof = proof});
  EXPECT_EQ(peer.answer(refused), ErrorCode::kLimited);
  EXPECT_EQ(peer.acks[stream], refused.sequence);
  world.pass(1s);
  EXPECT_FALSE(peer.answered(peer.say(stream, {.uri = "a", .proof = proof})));
  EXPECT_THAT(world.core.blacklist(world.now), IsEmpty());
}

TEST(RouterCoreLimits, EntityHasSoManySubscriptions) {
  World world({.subscriptions_per_entity = 2});
  Peer peer(world, "alice");
  Peer other(world, "alice");
  const auto proof = world.granted("alice");
  const auto stream = peer.attach("alice");
  const auto elsewhere = other.attach("alice");
  const RequestId first = peer.say(stream, {.uri = "a", .type = kSubscribe, .proof = proof});
  EXPECT_EQ(other.answer(other.say(elsewhere, {.uri = "b", .type = kTap, .proof = proof})), kOk);
  EXPECT_EQ(peer.answer(peer.say(stream, {.uri = "c", .type = kSubscribe, .proof = proof})),
            ErrorCode::kLimited);
  Bytes name;
  codec::Writer(name).u64(first.stream).u64(first.sequence).u16(first.index);
  EXPECT_EQ(peer.answer(
                peer.say(stream, {.uri = "a", .type = kUnsubscribe, .proof = proof, .raw = name})),
            kOk);
  EXPECT_EQ(peer.answer(peer.say(stream, {.uri = "c", .type = kSubscribe, .proof = proof})), kOk);
}

TEST(RouterCoreLimits, EntityHasSoManySessions) {
  World world({.sessions_per_entity = 2});
  Peer first(world, "alice");
  Peer second(world, "alice");
  Peer third(world, "alice");
  Peer other(world, "bob");
  EXPECT_EQ(world.closed.at(third.id()).code, ErrorCode::kLimited);
  EXPECT_FALSE(other.closed());
  EXPECT_EQ(world.core.stats().sessions, 3U);
  world.core.closed(first.id());
  Peer again(world, "alice");
  EXPECT_FALSE(again.closed());
}

TEST_F(RouterCoreTest, SessionHasSoManyStreams) {
  for (std::size_t i = 1; i < limits::kStreamsPerSession; ++i) alice.attach("alice");
  alice.read();
  EXPECT_THAT(alice.detached, IsEmpty());
  const auto last = alice.attach("alice");
  alice.read();
  ASSERT_TRUE(alice.detached.contains(last));
  EXPECT_EQ(alice.detached[last].code, ErrorCode::kLimited);
}

TEST_F(RouterCoreTest, SlowSessionsAreTold) {
  world.core.lost(bob.id(), 17);
  bob.read();
  EXPECT_EQ(bob.lost, 17);
}

// --- Sessions and streams.

TEST_F(RouterCoreTest, OnlyRegisteredLiveEntitiesMayConnectAndAttach) {
  world.revoke(world.id("carol"));
  Peer carol(world, "carol");
  EXPECT_EQ(world.closed.at(carol.id()).code, ErrorCode::kRevoked);

  world.revoke(world.id("dave"));
  const auto stream = alice.attach("dave");
  alice.read();
  EXPECT_EQ(alice.detached.at(stream).code, ErrorCode::kRevoked);
  // What was on its way for the refused stream is no breach.
  alice.say(stream, {.uri = "a", .proof = alices});
  EXPECT_FALSE(alice.closed());
}

TEST_F(RouterCoreTest, AttachNeedsTheEntitysSignatureOnThisVeryChannel) {
  Bytes frames;
  encode_frame(attach(alice.exporter(), world.key("carol"), 77), frames);
  bob.deliver(frames);
  bob.read();
  EXPECT_EQ(bob.detached.at(77).code, ErrorCode::kBadSignature);
  EXPECT_EQ(world.core.stats().streams, 2);
}

TEST_F(RouterCoreTest, StreamIdsAreNotSharedWithinASession) {
  alice.attach_as("carol", from_alice);
  EXPECT_TRUE(alice.closed());
}

TEST_F(RouterCoreTest, EndOfAStreamEndsItsSubscriptionsAndIsToldToListeners) {
  subscribe(bob, from_bob, "*", bobs);
  subscribe(alice, from_alice, "*", alices);
  alice.say(from_alice, {.uri = "a", .payload = "last", .proof = alices});
  Bytes frames;
  alice.compose(from_alice, {{.uri = "b", .payload = "very last", .proof = alices}}, frames);
  encode_frame(Detach{world.id("alice"), from_alice, {ErrorCode::kUnavailable, "done"}}, frames);
  alice.deliver(frames);
  EXPECT_THAT(bob.heard(), ElementsAre("a=last", "b=very last"));
  EXPECT_THAT(bob.dropped, IsEmpty());
  EXPECT_TRUE(bob.detached.contains(from_alice));
  EXPECT_EQ(world.core.stats().subscriptions, 1);
  EXPECT_EQ(world.core.stats().streams, 1);
}

TEST_F(RouterCoreTest, ClosedSessionsLeaveNothingBehind) {
  subscribe(bob, from_bob, "*", bobs);
  subscribe(alice, from_alice, "*", alices);
  alice.say(from_alice, {.uri = "a", .proof = alices});
  bob.say(from_bob, {.uri = "b", .proof = bobs});
  world.core.closed(bob.id());
  world.core.closed(bob.id());
  alice.heard();
  EXPECT_TRUE(alice.detached.contains(from_bob));
  alice.say(from_alice, {.uri = "a", .payload = "2", .proof = alices});
  EXPECT_THAT(alice.heard(), ElementsAre("a=2"));
  EXPECT_EQ(world.core.stats().sessions, 1);
  EXPECT_EQ(world.core.stats().subscriptions, 1);
}

TEST_F(RouterCoreTest, FramesThatAreNoAgentsCloseTheSession) {
  Bytes frames;
  encode_frame(Lost{1}, frames);
  alice.deliver(frames);
  EXPECT_TRUE(alice.closed());
}

TEST_F(RouterCoreTest, TopicNumbersAreGivenOnce) {
  Bytes frames;
  const Topic topic{world.id("ns"), wave::proof_hash(*alices), testing::pattern("a")};
  encode_frame(TopicFrame{world.id("alice"), from_alice, 1, topic}, frames);
  alice.deliver(frames);
  EXPECT_FALSE(alice.closed());
  alice.deliver(frames);
  EXPECT_TRUE(alice.closed());
}

}  // namespace
}  // namespace bw::syndication
