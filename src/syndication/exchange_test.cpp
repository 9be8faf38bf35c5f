// SPDX-License-Identifier: Apache-2.0
#include "syndication/testing/exchange.hpp"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bw::syndication {
namespace {

using testing::Cast;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::ProofPtr;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using Strings = std::vector<std::string>;

// "home" grants to alice, bob and carol; each has an agent of her own. What an entity hears, and
// what becomes of what it asked, is kept under its name.
class ExchangeTest : public ::testing::Test {
 protected:
  ProofPtr granted(std::string_view to, std::string_view on, std::string_view can) {
    return Cast::proof({net.cast.grant("home", to, "home", on, can)});
  }
  ClientSession& session(const std::string& name) { return *net.agent(name).session; }

  Outgoing message(const std::string& who, MessageType type, std::string_view uri,
                   const ProofPtr& proof, std::string_view payload = "") {
    return net.cast.message(who, type, "home", uri, proof, payload);
  }
  void say(const std::string& who, std::string_view uri, const ProofPtr& proof,
           std::string_view payload, MessageType type = MessageType::kPublish,
           std::uint16_t consumers = 0) {
    Outgoing value = message(who, type, uri, proof, payload);
    value.consumers = consumers;
    session(who).send_value(value, state(who));
  }
  ClientSession::SubscriptionHandle ask(const std::string& who, MessageType type,
                                        std::string_view uri, const ProofPtr& proof,
                                        bool replay = false) {
    Outgoing request = message(who, type, uri, proof);
    request.replay = replay;
    return session(who).consume(
        request, {.on_message = hearer(who),
                  .on_state = state(who),
                  .on_lost = [this, who](std::uint64_t count) { lost[who] += count; }});
  }
  std::function<void(const Delivery&)> hearer(const std::string& who) {
    return [this, who](const Delivery& delivery) {
      heard[who].push_back(std::string(delivery.stored ? "stored " : "") +
                           delivery.topic.uri.text() + "=" +
                           std::string(as_text(delivery.payload)));
    };
  }
  std::function<void(Result<void>)> state(const std::string& who) {
    return [this, who](const Result<void>& result) {
      states[who].push_back(result ? "ok" : std::string(error_name(result.error().code)));
    };
  }
  Strings heard_by(const std::string& who) {
    net.settle();
    return std::exchange(heard[who], {});
  }
  Strings told(const std::string& who) {
    net.settle();
    return std::exchange(states[who], {});
  }

  testing::Exchange net;
  std::map<std::string, Strings> heard;
  std::map<std::string, Strings> states;
  std::map<std::string, std::uint64_t> lost;

  const ProofPtr alice = granted("alice", "*", "PC*T*L");
  const ProofPtr bob = granted("bob", "floor/*", "PC*T*L");
  const ProofPtr carol = granted("carol", "floor/+", "PC+");
};

TEST_F(ExchangeTest, WhatIsPublishedReachesWhoSubscribed) {
  ask("bob", MessageType::kSubscribe, "floor/*", bob);
  ask("carol", MessageType::kSubscribe, "floor/lamp", carol);
  ask("alice", MessageType::kSubscribe, "floor/lamp", alice);
  EXPECT_THAT(told("bob"), ElementsAre("ok"));
  EXPECT_THAT(told("carol"), ElementsAre("ok"));
  EXPECT_THAT(told("alice"), ElementsAre("ok"));
  for (const char* uri : {"floor/lamp", "roof", "floor/fan", "floor/lamp"}) {
    say("alice", uri, alice, "1");
  }
  EXPECT_THAT(told("alice"), ElementsAre("ok", "ok", "ok", "ok"));
  EXPECT_THAT(heard_by("bob"), ElementsAre("floor/lamp=1", "floor/fan=1", "floor/lamp=1"));
  EXPECT_THAT(heard_by("carol"), ElementsAre("floor/lamp=1", "floor/lamp=1"));
  EXPECT_THAT(heard_by("alice"), ElementsAre("floor/lamp=1", "floor/lamp=1"));
  EXPECT_EQ(session("carol").stats().dropped_unverified, 0U);
  EXPECT_EQ(session("carol").stats().dropped_unasked, 0U);
  EXPECT_EQ(session("alice").unacknowledged(), 0U);
}

TEST_F(ExchangeTest, ADelegatedRightIsEnough) {
  const auto first = net.cast.grant("home", "bob", "home", "floor/*", "P", 1);
  const auto second = net.cast.grant("bob", "dave", "home", "floor/lamp", "P");
  ask("alice", MessageType::kSubscribe, "*", alice);
  say("dave", "floor/lamp", Cast::proof({first, second}), "1");
  say("dave", "floor/fan", Cast::proof({first, second}), "2");
  say("dave", "floor/lamp", Cast::proof({first}), "3");
  EXPECT_THAT(told("dave"), UnorderedElementsAre("ok", "denied", "denied"));
  EXPECT_THAT(heard_by("alice"), ElementsAre("floor/lamp=1"));
}

TEST_F(ExchangeTest, WhatIsNotAllowedIsRefusedAndTheRestOfTheBatchPasses) {
  ask("alice", MessageType::kSubscribe, "*", alice);
  ask("bob", MessageType::kSubscribe, "*", bob);
  ask("carol", MessageType::kTap, "floor/+", carol);
  EXPECT_THAT(told("alice"), ElementsAre("ok"));
  EXPECT_THAT(told("bob"), ElementsAre("denied"));
  EXPECT_THAT(told("carol"), ElementsAre("denied"));
  say("bob", "floor/a", bob, "1");
  say("bob", "roof", bob, "2");
  say("bob", "floor/b", bob, "3");
  EXPECT_THAT(told("bob"), ElementsAre("denied", "ok", "ok"));  // refusals come first
  EXPECT_THAT(heard_by("alice"), ElementsAre("floor/a=1", "floor/b=3"));
}

TEST_F(ExchangeTest, PersistedMessagesAreFoundByQueryAndList) {
  say("alice", "floor/fan", alice, "1", MessageType::kPersist);
  say("alice", "floor/lamp", alice, "2", MessageType::kPersist);
  say("alice", "floor/lamp", alice, "3", MessageType::kPersist);
  say("alice", "floor/gone", alice, "4", MessageType::kPersist);
  EXPECT_THAT(told("alice"), ElementsAre("ok", "ok", "ok", "ok"));
  net.pass(1s);
  say("alice", "floor/gone", alice, "", MessageType::kPersist);
  net.settle();
  ask("bob", MessageType::kQuery, "floor/*", bob);
  ask("bob", MessageType::kTapQuery, "floor/lamp", bob);
  EXPECT_THAT(heard_by("bob"),
              ElementsAre("stored floor/fan=1", "stored floor/lamp=3", "stored floor/lamp=3"));
  EXPECT_THAT(told("bob"), ElementsAre("ok", "ok"));
  Strings names;
  session("bob").list(message("bob", MessageType::kList, "floor/+", bob),
                      [&](Result<Strings> found) { names = *std::move(found); });
  session("carol").list(message("carol", MessageType::kList, "floor/+", carol),
                        [&](const Result<Strings>& found) { EXPECT_FALSE(found); });
  net.settle();
  EXPECT_THAT(names, ElementsAre("fan", "lamp"));
}

TEST_F(ExchangeTest, LimitedMessagesGoRoundAmongSubscribersAndToEveryTap) {
  ask("bob", MessageType::kSubscribe, "floor/job", bob);
  ask("bob", MessageType::kTap, "floor/job", bob);
  ask("carol", MessageType::kSubscribe, "floor/job", carol);
  net.settle();
  for (const char* job : {"1", "2", "3", "4"}) {
    say("alice", "floor/job", alice, job, MessageType::kPublish, 1);
  }
  Strings all = heard_by("bob");
  EXPECT_THAT(all, SizeIs(6));  // four as a tap, two as a subscriber
  const Strings carols = heard_by("carol");
  EXPECT_THAT(carols, SizeIs(2));
  all.insert(all.end(), carols.begin(), carols.end());
  for (const char* job : {"1", "2", "3", "4"}) {
    EXPECT_EQ(std::ranges::count(all, std::string("floor/job=") + job), 2);
  }
  say("alice", "floor/job", alice, "5", MessageType::kPublish, 2);
  EXPECT_THAT(heard_by("bob"), ElementsAre("floor/job=5", "floor/job=5"));
  EXPECT_THAT(heard_by("carol"), ElementsAre("floor/job=5"));
}

TEST_F(ExchangeTest, AReplayIsFollowedByLiveMessagesAndNothingComesTwice) {
  say("alice", "floor/a", alice, "1", MessageType::kPersist);
  net.settle();
  ask("bob", MessageType::kSubscribe, "floor/*", bob, true);
  say("alice", "floor/a", alice, "2", MessageType::kPersist);
  EXPECT_THAT(heard_by("bob"), ElementsAre("stored floor/a=2"));  // alice's agent was first
  say("alice", "floor/a", alice, "3", MessageType::kPersist);
  EXPECT_THAT(heard_by("bob"), ElementsAre("floor/a=3"));

  // Bob's own message crosses his own subscription: stored, and live for the other one.
  say("bob", "floor/b", bob, "4", MessageType::kPersist);
  ask("bob", MessageType::kSubscribe, "floor/b", bob, true);
  EXPECT_THAT(heard_by("bob"), ElementsAre("stored floor/b=4", "floor/b=4"));
}

TEST_F(ExchangeTest, UnsubscribingEndsDeliveriesOnBothSides) {
  const auto standing = ask("bob", MessageType::kSubscribe, "floor/a", bob);
  net.settle();
  ask("bob", MessageType::kSubscribe, "floor/b", bob);
  const auto unanswered = ask("bob", MessageType::kSubscribe, "floor/c", bob);
  EXPECT_EQ(net.core.stats().subscriptions, 1U);
  session("bob").unsubscribe(standing);
  net.flush(net.agent("bob"));
  session("bob").unsubscribe(unanswered);
  net.settle();
  EXPECT_EQ(net.core.stats().subscriptions, 1U);
  for (const char* uri : {"floor/a", "floor/b", "floor/c"}) say("alice", uri, alice, "1");
  EXPECT_THAT(heard_by("bob"), ElementsAre("floor/b=1"));
  EXPECT_EQ(net.core.stats().refused, 0U);
}

TEST_F(ExchangeTest, WhatASlowConsumerLosesIsToldAndTheRestVerifies) {
  ask("bob", MessageType::kSubscribe, "floor/*", bob);
  net.settle();
  say("alice", "floor/a", alice, "1");
  net.flush(net.agent("alice"));
  auto& inbox = net.agent("bob").inbox;
  EXPECT_EQ(std::erase_if(inbox, [](const auto& arrived) { return arrived.droppable; }), 1U);
  net.core.lost(net.agent("bob").id, 1);
  say("alice", "floor/a", alice, "2");
  EXPECT_THAT(heard_by("bob"), ElementsAre("floor/a=2"));
  EXPECT_EQ(lost["bob"], 1U);
}

TEST_F(ExchangeTest, ARevokedGrantEndsWhatRestsOnIt) {
  ask("alice", MessageType::kSubscribe, "floor/a", alice);
  ask("carol", MessageType::kSubscribe, "floor/a", carol);
  net.settle();
  say("bob", "floor/a", bob, "1");
  net.settle();
  states.clear();
  net.revoke(carol->dots[0].id);
  EXPECT_THAT(told("carol"), ElementsAre("revoked"));
  net.revoke(bob->dots[0].id);
  say("bob", "floor/a", bob, "2");
  EXPECT_THAT(told("bob"), ElementsAre("revoked"));
  say("alice", "floor/a", alice, "3");
  EXPECT_THAT(heard_by("carol"), ElementsAre("floor/a=1"));
  EXPECT_THAT(heard_by("alice"), ElementsAre("floor/a=1", "floor/a=3"));
}

TEST_F(ExchangeTest, WhatIsUnderWayWhenItsPublisherIsRevokedIsNotDelivered) {
  ask("alice", MessageType::kSubscribe, "floor/a", alice);
  net.settle();
  say("bob", "floor/a", bob, "1");
  net.flush(net.agent("bob"));
  net.revoke(bob->dots[0].id);
  EXPECT_THAT(heard_by("alice"), IsEmpty());
  EXPECT_EQ(session("alice").last_drop()->code, ErrorCode::kRevoked);
}

TEST_F(ExchangeTest, ARevokedEntityIsDetachedAndStaysOut) {
  ask("bob", MessageType::kSubscribe, "floor/a", bob);
  net.settle();
  states.clear();
  net.revoke(net.cast.entity("bob"));
  EXPECT_THAT(told("bob"), ElementsAre("revoked"));
  const std::uint64_t batches = session("bob").stats().batches_out;
  say("bob", "floor/a", bob, "1");
  EXPECT_THAT(told("bob"), ElementsAre("revoked"));
  EXPECT_EQ(session("bob").stats().batches_out, batches + 1);  // tried once
  EXPECT_THAT(net.agent("bob").errors, IsEmpty());
}

TEST_F(ExchangeTest, ABrokenChannelEndsEverythingAndTheNextOneStartsAfresh) {
  ask("bob", MessageType::kSubscribe, "floor/*", bob);
  ask("alice", MessageType::kSubscribe, "floor/*", alice);
  net.settle();
  say("alice", "floor/a", alice, "1");
  EXPECT_THAT(heard_by("bob"), SizeIs(1));
  heard.clear();
  states.clear();
  say("alice", "floor/a", alice, "under way");
  net.reopen("alice");
  EXPECT_THAT(told("alice"), ElementsAre("unavailable", "unavailable"));
  ask("alice", MessageType::kSubscribe, "floor/*", alice);
  say("alice", "floor/a", alice, "2");
  EXPECT_THAT(told("alice"), ElementsAre("ok", "ok"));
  EXPECT_THAT(heard_by("bob"), ElementsAre("floor/a=2"));
  EXPECT_THAT(heard_by("alice"), ElementsAre("floor/a=2"));
}

TEST_F(ExchangeTest, ExpiryEndsSubscriptionsAndMessages) {
  ask("alice", MessageType::kSubscribe, "floor/*", alice);
  net.settle();
  Outgoing late = message("alice", MessageType::kPublish, "floor/a", alice, "1");
  late.expires = net.now + 10s;
  session("alice").send_value(late, {});
  net.flush(net.agent("alice"));
  net.pass(11s);
  EXPECT_THAT(heard_by("alice"), IsEmpty());
  states.clear();
  net.pass(2'000'000s);  // all DoTs of this cast have expired
  EXPECT_THAT(told("alice"), ElementsAre("expired"));
}

}  // namespace
}  // namespace bw::syndication
