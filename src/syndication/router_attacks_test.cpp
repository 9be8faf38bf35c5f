// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "syndication/testing/router_world.hpp"

// What the first implementation fell to (docs/security.md), and what else a peer might try.
namespace bw::syndication {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Peer;
using testing::ProofPtr;
using testing::Say;
using testing::World;
using enum MessageType;

using Code = std::optional<ErrorCode>;
constexpr Code kOk = std::nullopt;

Bytes name_of(const RequestId& id) {
  Bytes name;
  codec::Writer(name).u64(id.stream).u64(id.sequence).u16(id.index);
  return name;
}

class RouterAttacks : public ::testing::Test {
 protected:
  RouterAttacks() {
    const auto id =
        witness.say(from_witness, {.uri = "*", .type = kTap, .proof = world.granted("witness")});
    EXPECT_EQ(witness.answer(id), kOk);
  }

  World world;
  Peer bob{world, "bob"};
  Peer mallory{world, "mallory"};
  Peer witness{world, "witness"};  // hears whatever is let through
  std::uint64_t from_bob = bob.attach("bob");
  std::uint64_t from_mallory = mallory.attach("mallory");
  std::uint64_t from_witness = witness.attach("witness");
};

TEST_F(RouterAttacks, AnothersProofIsWorthNothing) {
  const auto bobs = world.granted("bob", {.permissions = "P", .uri = "a/b/c"});
  const RequestId id = mallory.say(from_mallory, {.uri = "a/b/c", .proof = bobs});
  EXPECT_EQ(mallory.answer(id), ErrorCode::kDenied);
  EXPECT_THAT(witness.heard(), IsEmpty());
}

TEST_F(RouterAttacks, BatchInAnothersNameClosesTheSession) {
  mallory.forge_as("bob");
  mallory.say(from_mallory, {.uri = "a", .proof = world.granted("bob")});
  EXPECT_EQ(world.closed.at(mallory.id()).code, ErrorCode::kDenied);
  EXPECT_THAT(witness.heard(), IsEmpty());
}

TEST_F(RouterAttacks, WildcardsAreNotNarrowedButRefused) {
  const auto one = world.granted("mallory", {.permissions = "CT", .uri = "a/b/c"});
  const auto below = world.granted("mallory", {.permissions = "C*T*", .uri = "a/b/*"});
  const auto plain = world.granted("mallory", {.permissions = "CT", .uri = "*"});
  for (const auto& proof : {one, below, plain}) {
    for (const auto type : {kSubscribe, kTap, kQuery, kTapQuery}) {
      EXPECT_EQ(
          mallory.answer(mallory.say(from_mallory, {.uri = "*", .type = type, .proof = proof})),
          ErrorCode::kDenied);
    }
    world.pass(600s);  // strikes fade
  }
  EXPECT_EQ(
      mallory.answer(mallory.say(from_mallory, {.uri = "a/*", .type = kSubscribe, .proof = below})),
      ErrorCode::kDenied);
  EXPECT_EQ(mallory.answer(
                mallory.say(from_mallory, {.uri = "a/b/+", .type = kSubscribe, .proof = below})),
            kOk);
}

TEST_F(RouterAttacks, ListAndQueryStopAtCells) {
  const auto bobs = world.granted("bob");
  for (const char* uri : {"labsecret/x", "lab/room1/temp", "lab/room10/temp"}) {
    bob.say(from_bob, {.uri = uri, .type = kPersist, .proof = bobs});
  }
  const auto lab = world.granted("mallory", {.permissions = "C*L", .uri = "lab/*"});
  mallory.say(from_mallory, {.uri = "lab/+", .type = kList, .proof = lab});
  mallory.say(from_mallory, {.uri = "lab/+", .type = kQuery, .proof = lab});
  EXPECT_THAT(mallory.heard_stored(), IsEmpty());
  EXPECT_THAT(mallory.names, ElementsAre("room1", "room10"));
  mallory.say(from_mallory, {.uri = "lab/room1/+", .type = kQuery, .proof = lab});
  EXPECT_THAT(mallory.heard_stored(), ElementsAre("lab/room1/temp=x"));
  EXPECT_EQ(mallory.answer(
                mallory.say(from_mallory, {.uri = "labsecret/+", .type = kList, .proof = lab})),
            ErrorCode::kDenied);
}

TEST_F(RouterAttacks, ReplaysAreDropped) {
  Bytes frames;
  const auto bobs = world.granted("bob");
  bob.say(from_bob, {.uri = "a", .payload = "0", .proof = bobs});
  bob.compose(from_bob, {{.uri = "a", .payload = "1", .proof = bobs}}, frames);
  for (int i = 0; i < 3; ++i) bob.deliver(frames);
  EXPECT_THAT(witness.heard(), ElementsAre("a=0", "a=1"));
  EXPECT_EQ(world.core.stats().replayed, 2);

  // On another session there is no stream to replay it on, attached or not by its name.
  mallory.deliver(frames);
  EXPECT_FALSE(mallory.closed());
  mallory.attach_as("mallory", from_bob);
  mallory.deliver(frames);
  EXPECT_TRUE(mallory.closed());
  EXPECT_THAT(witness.heard(), IsEmpty());
}

TEST_F(RouterAttacks, OldAndFutureBatchesAreRefused) {
  const auto bobs = world.granted("bob");
  for (const Duration off : {-limits::kReplayWindow - 1s, limits::kReplayWindow + 1s}) {
    bob.set_created(world.now + off);
    EXPECT_EQ(bob.answer(bob.say(from_bob, {.uri = "a", .proof = bobs})), ErrorCode::kExpired);
  }
  EXPECT_THAT(witness.heard(), IsEmpty());
}

TEST_F(RouterAttacks, JunkAfterABatchClosesTheSession) {
  Bytes frames;
  mallory.compose(from_mallory, {{.uri = "a", .proof = world.granted("mallory")}}, frames);
  // Four bytes more in the last frame, and in its length.
  const std::size_t last = frames.size() - testing::split_frames(frames).back().size() - 4;
  append(frames, Bytes{1, 2, 3, 4});
  finish_frame(last, frames);
  mallory.deliver(frames);
  EXPECT_TRUE(mallory.closed());
  EXPECT_THAT(witness.heard(), IsEmpty());
}

TEST_F(RouterAttacks, AlteredBytesFailTheSignature) {
  Bytes frames;
  const RequestId id = mallory.compose(
      from_mallory, {{.uri = "a", .payload = "pay 1", .proof = world.granted("mallory")}}, frames);
  frames.back() = '9';
  mallory.deliver(frames);
  EXPECT_EQ(mallory.answer(id), ErrorCode::kBadSignature);
  EXPECT_EQ(world.core.stats().bad_signatures, 1);
  EXPECT_THAT(witness.heard(), IsEmpty());
}

TEST_F(RouterAttacks, OnlyTheSubscriberUnsubscribes) {
  const auto bobs = world.granted("bob");
  const RequestId subscription = bob.say(from_bob, {.uri = "a", .type = kSubscribe, .proof = bobs});
  const Say cancel{.uri = "a", .type = kUnsubscribe, .proof = bobs, .raw = name_of(subscription)};
  EXPECT_EQ(mallory.answer(mallory.say(from_mallory, cancel)), ErrorCode::kNotFound);
  // Nor another entity on the very session.
  const auto guest = bob.attach("guest");
  EXPECT_EQ(bob.answer(bob.say(guest, cancel)), ErrorCode::kDenied);
  witness.say(from_witness, {.uri = "a", .payload = "still", .proof = world.granted("witness")});
  EXPECT_THAT(bob.heard(), ElementsAre("a=still"));
  EXPECT_EQ(bob.answer(bob.say(from_bob, cancel)), kOk);
  EXPECT_EQ(bob.answer(bob.say(from_bob, cancel)), ErrorCode::kNotFound);
  witness.say(from_witness, {.uri = "a", .payload = "no more", .proof = world.granted("witness")});
  EXPECT_THAT(bob.heard(), IsEmpty());
}

TEST_F(RouterAttacks, UnknownProofIsRefusedAndTheRouterStaysUp) {
  Bytes frames;
  const Topic topic{world.id("ns"), Hash{}, testing::pattern("a")};
  encode_frame(TopicFrame{world.id("mallory"), from_mallory, 1, topic}, frames);
  BatchBuilder builder;
  const crypto::Sha256 prefix = leaf_prefix(topic_hash(topic));
  builder.add({.topic = 1, .expires = {}, .payload = as_bytes("x")}, prefix);
  const std::size_t begin = begin_frame(FrameType::kBatch, frames);
  builder.seal(
      {.origin = world.id("mallory"), .stream = from_mallory, .sequence = 1, .created = world.now},
      world.key("mallory"), frames);
  finish_frame(begin, frames);
  mallory.deliver(frames);
  EXPECT_EQ(mallory.answer({from_mallory, 1, 0}), ErrorCode::kNotFound);
  EXPECT_FALSE(mallory.closed());
}

TEST_F(RouterAttacks, UnnamedTopicClosesTheSession) {
  Bytes frames;
  mallory.compose(from_mallory, {{.uri = "a", .proof = world.granted("mallory")}}, frames);
  const ByteView batch = testing::split_frames(frames).back();
  world.core.receive(mallory.id(), {&batch, 1}, world.now);
  EXPECT_TRUE(mallory.closed());
}

TEST_F(RouterAttacks, GarbageClosesTheSession) {
  const Bytes garbage{255, 0, 1};
  const ByteView frame = garbage;
  world.core.receive(mallory.id(), {&frame, 1}, world.now);
  EXPECT_TRUE(mallory.closed());
  world.core.receive(mallory.id(), {&frame, 1}, world.now);
  EXPECT_EQ(world.core.stats().sessions, 2);
}

TEST_F(RouterAttacks, PersistentOffendersAreBlacklistedForAWhile) {
  const auto nothing = world.granted("mallory", {.permissions = "P", .uri = "nothing"});
  const auto some = world.granted("mallory", {.permissions = "P", .uri = "some"});
  mallory.say(from_mallory, std::vector<Say>(19, {.uri = "secret", .proof = nothing}));
  EXPECT_FALSE(mallory.answered(mallory.say(from_mallory, {.uri = "some", .proof = some})));
  mallory.say(from_mallory, {.uri = "secret", .proof = nothing});
  ASSERT_EQ(world.core.blacklist(world.now).size(), 1);
  EXPECT_EQ(world.core.blacklist(world.now)[0].entity, world.id("mallory"));
  EXPECT_EQ(world.core.blacklist(world.now)[0].until, world.now + 60s);

  // Nothing more is heard from her, and a new session is refused.
  EXPECT_EQ(world.closed.at(mallory.id()).code, ErrorCode::kBlacklisted);
  EXPECT_EQ(world.core.stats().sessions, 2);
  Peer anew(world, "mallory");
  EXPECT_EQ(world.closed.at(anew.id()).code, ErrorCode::kBlacklisted);
  const auto through_bob = bob.attach("mallory");
  bob.read();
  EXPECT_EQ(bob.detached.at(through_bob).code, ErrorCode::kBlacklisted);
  // Others are not concerned.
  EXPECT_FALSE(bob.answered(bob.say(from_bob, {.uri = "a", .proof = world.granted("bob")})));

  world.pass(60s);
  Peer later(world, "mallory");
  const auto from_later = later.attach("mallory");
  EXPECT_FALSE(later.answered(later.say(from_later, {.uri = "some", .proof = some})));
}

// An agent that hears of a revocation later than the router goes on for a while, with new streams too.
TEST_F(RouterAttacks, WhoeverIsLateWithARevokedGrantIsRefusedAndNotBlacklisted) {
  const auto proof = world.granted("bob");
  world.revoke(proof->dots.back().id);
  const auto refused = bob.say(from_bob, std::vector<Say>(40, {.uri = "a", .proof = proof}));
  EXPECT_EQ(bob.answer(refused, 39), ErrorCode::kRevoked);
  EXPECT_THAT(world.core.blacklist(world.now), IsEmpty());
}

TEST_F(RouterAttacks, BannedGuestLosesItsStreamsButNotTheSessionOfItsAgent) {
  const auto guest = bob.attach("guest");
  const auto elsewhere = mallory.attach("guest");
  const auto nothing = world.granted("guest", {.permissions = "P", .uri = "nothing"});
  bob.say(guest, std::vector<Say>(20, {.uri = "secret", .proof = nothing}));
  for (Peer* agent : {&bob, &mallory}) agent->read();
  EXPECT_EQ(bob.detached.at(guest).code, ErrorCode::kBlacklisted);
  EXPECT_EQ(mallory.detached.at(elsewhere).code, ErrorCode::kBlacklisted);
  EXPECT_FALSE(bob.closed());
  EXPECT_FALSE(bob.answered(bob.say(from_bob, {.uri = "a", .proof = world.granted("bob")})));
  EXPECT_THAT(witness.heard(), ElementsAre("a=x"));
  EXPECT_EQ(world.core.stats().bans, 1);
}

TEST_F(RouterAttacks, BadSignaturesCountFiveAndForTheAgentToo) {
  const auto proof = world.granted("guest");
  const auto guest = mallory.attach("guest");
  for (int i = 0; i < 4; ++i) {
    EXPECT_THAT(world.core.blacklist(world.now), IsEmpty());
    Bytes frames;
    mallory.compose(guest, {{.uri = "a", .proof = proof}}, frames);
    frames.back() ^= 1;
    mallory.deliver(frames);
  }
  EXPECT_EQ(world.core.blacklist(world.now).size(), 2);
}

}  // namespace
}  // namespace bw::syndication
