// SPDX-License-Identifier: Apache-2.0
#include "syndication/intake.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "syndication/testing/router_world.hpp"

// The two halves of a router with time between them: what was verified waits while the ledger moves
// on, entities are banned and streams end. And how much one session may ask of the first half.
namespace bw::syndication {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Peer;
using testing::ProofPtr;
using testing::Say;
using testing::World;
using enum MessageType;

class Halves : public ::testing::Test {
 protected:
  Halves() {
    subscription = bob.say(from_bob, {.uri = "*", .type = kSubscribe, .proof = bobs});
    alice.say(from_alice, {.uri = "a", .payload = "0", .proof = alices});
    EXPECT_THAT(bob.heard(), ElementsAre("a=0"));
    world.core.hold();
  }
  RequestId publish(const std::string& payload) {
    return alice.say(from_alice, {.uri = "a", .payload = payload, .proof = alices});
  }
  void route() { world.core.route(world.now); }

  World world;
  Peer alice{world, "alice"};
  Peer bob{world, "bob"};
  std::uint64_t from_alice = alice.attach("alice");
  std::uint64_t from_bob = bob.attach("bob");
  ProofPtr alices = world.granted("alice");
  ProofPtr bobs = world.granted("bob");
  RequestId subscription;
};

TEST_F(Halves, VerifiedBeforeARevocationButRoutedAfterItIsRefused) {
  const RequestId before = publish("before");
  const RequestId after = publish("too late");
  world.core.route(world.now, 1);
  world.revoke(alices->dots[0].id);
  route();
  EXPECT_THAT(bob.heard(), ElementsAre("a=before"));
  EXPECT_FALSE(alice.answered(before));
  EXPECT_EQ(alice.answer(after), ErrorCode::kRevoked);
  EXPECT_EQ(alice.acks[from_alice], after.sequence);
}

TEST_F(Halves, RevokedPublisherIsNotHeardThoughItsBatchWasOnItsWay) {
  publish("too late");
  world.revoke(world.id("alice"));
  route();
  EXPECT_THAT(bob.heard(), IsEmpty());
  EXPECT_EQ(world.closed.at(alice.id()).code, ErrorCode::kRevoked);
}

TEST_F(Halves, GuestRevokedMeanwhileLosesItsStreamOnBothSides) {
  const auto guest = alice.attach("guest");
  const auto guests = world.granted("guest");
  alice.say(guest, {.uri = "a", .payload = "1", .proof = guests});
  world.core.route(world.now, 2);
  EXPECT_THAT(bob.heard(), ElementsAre("a=1"));
  alice.say(guest, {.uri = "a", .payload = "2", .proof = guests});
  world.revoke(world.id("guest"));
  // Taken in by a thread that has not been told.
  alice.say(guest, {.uri = "a", .payload = "3", .proof = guests});
  route();
  EXPECT_THAT(bob.heard(), IsEmpty());
  alice.read();
  EXPECT_EQ(alice.detached.at(guest).code, ErrorCode::kRevoked);

  world.core.tell_intakes();
  alice.say(guest, {.uri = "a", .payload = "4", .proof = guests});
  route();
  alice.read();
  EXPECT_EQ(alice.detached.at(guest).code, ErrorCode::kNotFound);
  EXPECT_THAT(bob.heard(), IsEmpty());
  EXPECT_EQ(world.core.stats().streams, 2);
}

TEST_F(Halves, WhatStillHoldsAfterAChangeIsDelivered) {
  publish("renewed meanwhile");
  world.graph.add_entity(world.id("alice"), world.now, world.now + 3600s);
  world.core.authority_changed({&world.id("alice"), 1}, {}, {}, world.now);
  route();
  EXPECT_THAT(bob.heard(), ElementsAre("a=renewed meanwhile"));
}

TEST_F(Halves, NamespaceThatMovedAwayMeanwhileIsNotServed) {
  const RequestId late = publish("too late");
  const EntityKey ns = world.id("ns");
  world.not_carried.insert(ns);
  world.core.authority_changed({}, {}, {&ns, 1}, world.now);
  route();
  EXPECT_THAT(bob.heard(), IsEmpty());
  EXPECT_EQ(alice.answer(late), ErrorCode::kUnavailable);
}

TEST_F(Halves, SubscriptionVerifiedBeforeARevocationDoesNotStandAfterIt) {
  Peer carol(world, "carol");
  const auto from_carol = carol.attach("carol");
  const auto carols = world.granted("carol");
  const RequestId asked = carol.say(from_carol, {.uri = "a", .type = kSubscribe, .proof = carols});
  world.revoke(carols->dots[0].id);
  route();
  EXPECT_EQ(carol.answer(asked), ErrorCode::kRevoked);
  publish("x");
  route();
  EXPECT_THAT(carol.heard(), IsEmpty());
}

TEST_F(Halves, SessionsThatWaitTogetherAreServedTogetherAndInOrder) {
  Peer carol(world, "carol");
  const auto from_carol = carol.attach("carol");
  const auto carols = world.granted("carol");
  publish("1");
  carol.say(from_carol, {.uri = "c", .payload = "1", .proof = carols});
  publish("2");
  carol.say(from_carol, {.uri = "c", .payload = "2", .type = kPersist, .proof = carols});
  publish("3");
  world.sent.clear();
  const auto puts = world.store.puts();
  route();
  EXPECT_EQ(world.store.puts(), puts + 1);
  std::size_t sends = 0;
  for (const World::Sent& sent : world.sent) sends += sent.session == bob.id() ? 1 : 0;
  EXPECT_LE(sends, 2);
}

TEST_F(Halves, PingIsAnsweredBehindAllThatCameBeforeIt) {
  Bytes frames;
  const RequestId id = alice.compose(from_alice, {{.uri = "a", .proof = alices}}, frames);
  encode_frame(Ping{7}, frames);
  alice.deliver(frames);
  route();
  alice.read();
  EXPECT_EQ(alice.acks[from_alice], id.sequence);
  EXPECT_EQ(alice.order.back(), FrameType::kPong);
}

TEST_F(Halves, BanEndsWhatIsOnItsWayFromOtherSessionsToo) {
  Peer mallory(world, "mallory");
  Peer again(world, "mallory");
  const auto from_mallory = mallory.attach("mallory");
  const auto from_again = again.attach("mallory");
  const auto some = world.granted("mallory", {.permissions = "P", .uri = "some"});
  mallory.say(from_mallory, std::vector<Say>(20, {.uri = "secret", .proof = some}));
  again.say(from_again, {.uri = "some", .payload = "too late", .proof = some});
  route();
  EXPECT_THAT(bob.heard(), IsEmpty());
  EXPECT_EQ(world.closed.at(mallory.id()).code, ErrorCode::kBlacklisted);
  EXPECT_EQ(world.closed.at(again.id()).code, ErrorCode::kBlacklisted);
  // Whatever more comes in costs no signature and no word.
  world.sent.clear();
  again.say(from_again, {.uri = "some", .proof = some});
  route();
  EXPECT_THAT(world.sent, IsEmpty());
}

// Whatever the order in which threads get their turns: nothing is heard of a publisher after its
// right was revoked, and all that is heard comes in order.
RC_GTEST_PROP(HalvesProperty, NothingIsHeardAfterItsRevocationAndOrderIsKept, ()) {
  World world;
  Peer listener(world, "listener");
  const auto from_listener = listener.attach("listener");
  listener.say(from_listener, {.uri = "*", .type = kSubscribe, .proof = world.granted("listener")});
  std::vector<std::unique_ptr<Peer>> peers;
  std::vector<std::uint64_t> streams;
  std::vector<ProofPtr> proofs;
  for (int i = 0; i < 3; ++i) {
    const std::string name = "p" + std::to_string(i);
    peers.push_back(std::make_unique<Peer>(world, name));
    streams.push_back(peers.back()->attach(name));
    proofs.push_back(world.granted(name));
  }
  world.core.hold();
  std::map<std::string, int> last;
  std::vector<bool> revoked(3, false);
  int said = 0;
  const auto check = [&] {
    for (const std::string& heard : listener.heard()) {
      const std::string who = heard.substr(0, 2);
      const int number = std::stoi(heard.substr(3));
      RC_ASSERT(!revoked[static_cast<std::size_t>(who[1] - '0')]);
      RC_ASSERT(number > last[who]);
      last[who] = number;
    }
  };
  const int steps = *rc::gen::inRange(5, 40);
  for (int step = 0; step < steps; ++step) {
    const auto who = *rc::gen::inRange<std::size_t>(0, 3);
    switch (*rc::gen::inRange(0, 8)) {
      case 0:
        check();  // what came before may be heard
        if (!revoked[who]) world.revoke(proofs[who]->dots[0].id);
        check();
        revoked[who] = true;
        break;
      case 1:
      case 2:
      case 3:
        world.core.route(world.now, *rc::gen::inRange<std::size_t>(1, 4));
        check();
        break;
      default:
        peers[who]->say(streams[who], {.uri = "p" + std::to_string(who),
                                       .payload = std::to_string(++said),
                                       .proof = proofs[who]});
    }
  }
  world.core.route(world.now);
  check();
  RC_ASSERT(listener.dropped.empty());
}

TEST_F(Halves, ManySubscriptionsGoALittleAtATimeButGetNothingAtOnce) {
  Peer carol(world, "carol");
  const auto from_carol = carol.attach("carol");
  const auto carols = world.granted("carol");
  carol.say(from_carol, std::vector<Say>(1000, {.uri = "a", .type = kSubscribe, .proof = carols}));
  route();
  ASSERT_EQ(world.core.stats().subscriptions, 1001U);
  world.core.closed(carol.id());
  EXPECT_GT(world.core.stats().subscriptions, 500U);
  world.sent.clear();
  publish("after");
  alice.say(from_alice, {.uri = "a", .payload = "one", .proof = alices, .consumers = 1000});
  route();
  for (const World::Sent& sent : world.sent) EXPECT_NE(sent.session, carol.id());
  world.revoke(carols->dots[0].id);
  world.core.tick(world.now);
  std::size_t slices = 0;
  while (world.core.sweep()) ++slices;
  EXPECT_GT(slices, 1U);
  EXPECT_EQ(world.core.stats().subscriptions, 1U);
  EXPECT_EQ(world.core.stats().sessions, 2U);
}

// --- What one session may ask for.

class Turns : public ::testing::Test {
 protected:
  // Frames of `count` batches of one message each.
  static Bytes batches(Peer& peer, std::uint64_t from, const ProofPtr& by, int count) {
    Bytes frames;
    for (int i = 0; i < count; ++i) peer.compose(from, {{.uri = "a", .proof = by}}, frames);
    return frames;
  }

  World world{{.strikes_to_blacklist = 1e9}};
  Peer mallory{world, "mallory"};
  std::uint64_t stream = mallory.attach("mallory");
  ProofPtr proof = world.granted("mallory");
  Parcel parcel;
};

TEST_F(Turns, OneSessionGetsNoMoreThanATurnsWorkAtATime) {
  const Bytes bytes = batches(mallory, stream, proof, 100);
  const auto frames = testing::split_frames(bytes);
  std::span<const ByteView> left = frames;
  std::size_t turns = 0;
  while (!left.empty()) {
    const auto taken = world.core.intake(mallory.id()).take(left, world.now, parcel, true);
    EXPECT_LE(taken.frames, 20U);
    EXPECT_EQ(taken.pause, Duration{});
    left = left.subspan(taken.frames);
    ++turns;
  }
  EXPECT_GE(turns, 5U);
}

TEST_F(Turns, WhoeverMisbehavesIsReadMoreSlowly) {
  Bytes bytes = batches(mallory, stream, proof, 2);
  bytes.back() ^= 1;
  const auto frames = testing::split_frames(bytes);
  const auto good = world.core.intake(mallory.id())
                        .take(std::span(frames).first(frames.size() - 1), world.now, parcel, true);
  EXPECT_EQ(good.pause, Duration{});
  const auto bad =
      world.core.intake(mallory.id()).take(std::span(frames).last(1), world.now, parcel, true);
  EXPECT_EQ(bad.pause, 50ms);  // five strikes
}

// Time that passes as the pauses say, with a flood of bad signatures on many sessions: what the
// entity makes the router do in vain stays within its share.
TEST_F(Turns, WastedVerificationStaysWithinTheShareOfAnEntity) {
  RouterLimits limits{.strikes_to_blacklist = 1e9};
  limits.pause_per_strike = {};
  World site(limits);
  const auto granted = site.granted("mallory");
  struct Attacker {
    std::unique_ptr<Peer> peer;
    std::uint64_t stream;
    Time next;
  };
  std::vector<Attacker> attackers(8);
  for (Attacker& one : attackers) {
    one.peer = std::make_unique<Peer>(site, "mallory");
    one.stream = one.peer->attach("mallory");
    one.next = site.now;
  }
  const Time until = site.now + 10s;
  double wasted = 0;
  for (Attacker* one = attackers.data(); one->next < until;
       one = &*std::ranges::min_element(attackers, {}, &Attacker::next)) {
    site.now = std::max(site.now, one->next);
    Bytes bytes = batches(*one->peer, one->stream, granted, 1);
    bytes.back() ^= 1;
    const auto taken = site.core.intake(one->peer->id())
                           .take(testing::split_frames(bytes), site.now, parcel, true);
    wasted += static_cast<double>(parcel.counts.wasted_us);
    one->next = site.now + std::max(taken.pause, Duration{40});
  }
  EXPECT_LT(wasted, 1.1 * 10e6 * limits.wasted_share);
  EXPECT_GT(wasted, 0.5 * 10e6 * limits.wasted_share);
}

// Frames of a batch of `count` subscriptions to different URIs, with the topics before it.
Bytes mass_subscription(Peer& peer, std::uint64_t from, const ProofPtr& by, int count) {
  std::vector<Say> wanted;
  for (int i = 0; i < count; ++i) {
    wanted.push_back({.uri = "s/" + std::to_string(i), .type = kSubscribe, .proof = by});
  }
  Bytes bytes;
  peer.compose(from, wanted, bytes);
  return bytes;
}

TEST_F(Turns, ABatchOfManySubscriptionsIsDoneALittleAtATime) {
  Peer bob(world, "bob");
  const auto from_bob = bob.attach("bob");
  const auto bobs = world.granted("bob");
  const Bytes bytes = mass_subscription(mallory, stream, proof, 1000);
  const auto frames = testing::split_frames(bytes);
  std::span<const ByteView> left = frames;
  Intake& intake = world.core.intake(mallory.id());
  std::size_t slices = 0;
  bool wants = false;
  while (!left.empty() || intake.unfinished()) {
    const auto taken = intake.take(left, world.now, parcel, wants);
    left = left.subspan(taken.frames);
    if (!wants) {  // nothing of it happens but in spare time
      EXPECT_TRUE(parcel.steps.empty());
    }
    const std::uint64_t before = world.core.stats().subscriptions;
    world.core.take_parcel(parcel, world.now);
    EXPECT_LE(world.core.stats().subscriptions - before, 16U);
    ++slices;
    wants = taken.wants_spare_time;
  }
  EXPECT_GT(slices, 140U);
  EXPECT_EQ(world.core.stats().subscriptions, 1000U);
  bob.say(from_bob, {.uri = "s/999", .payload = "x", .proof = bobs});
  EXPECT_THAT(mallory.heard(), ElementsAre("s/999=x"));
  mallory.read();
  EXPECT_EQ(mallory.acks[stream], 1U);
}

TEST_F(Turns, ValuesOnTopicsInUseNeedNoSpareTime) {
  mallory.say(stream, {.uri = "a", .payload = "0", .proof = proof});
  const Bytes known = batches(mallory, stream, proof, 5);
  const auto taken =
      world.core.intake(mallory.id()).take(testing::split_frames(known), world.now, parcel, false);
  EXPECT_EQ(taken.frames, 5U);
  EXPECT_FALSE(taken.wants_spare_time);
  EXPECT_EQ(parcel.counts.values, 5U);
  // A topic, and a right that was not asked for before, do.
  Bytes fresh;
  mallory.compose(stream, {{.uri = "b", .proof = proof}}, fresh);
  const auto frames = testing::split_frames(fresh);
  Intake& intake = world.core.intake(mallory.id());
  EXPECT_TRUE(intake.take(frames, world.now, parcel, false).wants_spare_time);
  EXPECT_EQ(intake.take(frames, world.now, parcel, false).frames, 0U);
  EXPECT_EQ(intake.take(std::span(frames).first(1), world.now, parcel, true).frames, 1U);
  const auto unasked = intake.take(std::span(frames).last(1), world.now, parcel, false);
  EXPECT_TRUE(unasked.wants_spare_time);
  EXPECT_TRUE(intake.unfinished());
  EXPECT_TRUE(parcel.steps.empty());
}

TEST_F(Turns, AStreamThatEndsInTheMiddleOfABatchEndsTheBatch) {
  const Bytes bytes = mass_subscription(mallory, stream, proof, 100);
  const auto frames = testing::split_frames(bytes);
  std::span<const ByteView> left = frames;
  Intake& intake = world.core.intake(mallory.id());
  while (!intake.unfinished()) {
    left = left.subspan(intake.take(left, world.now, parcel, true).frames);
  }
  intake.ended(world.id("mallory"), stream);
  while (intake.unfinished()) (void)intake.take(left, world.now, parcel, true);
  world.core.take_parcel(parcel, world.now);
  mallory.read();
  EXPECT_EQ(mallory.detached.at(stream).code, ErrorCode::kNotFound);
  EXPECT_EQ(world.core.stats().subscriptions, 0U);
}

TEST_F(Turns, RightsThatGoInTheMiddleOfABatchAreNotThere) {
  const Bytes bytes = mass_subscription(mallory, stream, proof, 100);
  const auto frames = testing::split_frames(bytes);
  std::span<const ByteView> left = frames;
  Intake& intake = world.core.intake(mallory.id());
  while (world.core.stats().subscriptions < 30) {
    left = left.subspan(intake.take(left, world.now, parcel, true).frames);
    world.core.take_parcel(parcel, world.now);
  }
  world.revoke(proof->dots[0].id);
  while (!left.empty() || intake.unfinished()) {
    left = left.subspan(intake.take(left, world.now, parcel, true).frames);
    world.core.take_parcel(parcel, world.now);
  }
  EXPECT_EQ(world.core.stats().subscriptions, 0U);
}

TEST_F(Turns, WhatASessionHeldIsForgottenALittleAtATime) {
  const Bytes bytes = mass_subscription(mallory, stream, proof, 1000);
  world.core.receive(mallory.id(), testing::split_frames(bytes), world.now);
  world.core.closed(mallory.id());
  world.core.intake(mallory.id()).over();
  std::size_t slices = 0;
  while (world.core.intake(mallory.id()).forget_some()) ++slices;
  EXPECT_GE(slices, 15U);
}

TEST_F(Turns, UnauthorisedMessagesCostNoSignature) {
  const auto nothing = world.granted("mallory", {.permissions = "P", .uri = "nothing"});
  Bytes bytes;
  mallory.compose(stream, {{.uri = "secret", .proof = nothing}}, bytes);
  bytes.back() ^= 1;  // nobody looks at the signature
  (void)world.core.intake(mallory.id()).take(testing::split_frames(bytes), world.now, parcel, true);
  EXPECT_EQ(parcel.counts.bad_signatures, 0U);
  EXPECT_EQ(parcel.counts.refused, 1U);
  EXPECT_LT(parcel.counts.wasted_us, 20U);
}

TEST_F(Turns, KeptParcelsDoNotNeedTheFramesTheyWereMadeOf) {
  RouterCore core(world.graph, [](const EntityKey&) { return true; }, world.store, world, {});
  Intake intake = core.intake(77, world.id("mallory"), mallory.exporter(), world.now);
  intake.keep_bytes(true);
  core.open(77, world.id("mallory"), world.now);
  Bytes bytes;
  encode_frame(attach(mallory.exporter(), world.key("mallory"), stream), bytes);
  mallory.compose(stream,
                  {{.uri = "a", .type = kSubscribe, .proof = proof},
                   {.uri = "a", .payload = "kept", .proof = proof}},
                  bytes);
  (void)intake.take(testing::split_frames(bytes), world.now, parcel, true);
  std::ranges::fill(bytes, 0);
  world.sent.clear();
  Parcel* const one = &parcel;
  core.take({&one, 1}, world.now);
  const Bytes sent = world.sent_to(77);
  EXPECT_NE(as_text(sent).find("kept"), std::string_view::npos);
}

}  // namespace
}  // namespace bw::syndication
