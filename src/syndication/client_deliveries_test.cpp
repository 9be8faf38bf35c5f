// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "syndication/handshake.hpp"
#include "syndication/testing/client_fixture.hpp"

namespace bw::syndication {
namespace {

using testing::Cast;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kExporter;
using testing::kGone;
using testing::kNow;
using ::testing::SizeIs;
using testing::Strings;
using testing::word;

class ClientDeliveries : public testing::ClientFixture {};

TEST_F(ClientDeliveries, DeliversToEverySubscriptionThatMatches) {
  subscribed("plain", from("home", MessageType::kSubscribe, "a/b"));
  subscribed("plus", from("home", MessageType::kTap, "a/+"));
  subscribed("other", from("home", MessageType::kSubscribe, "a/c"));
  EXPECT_TRUE(hear_all(published(value("a/b", "1"))));
  EXPECT_THAT(noted(), ElementsAre("plain <a/b:1>", "plus <a/b:1>"));
  EXPECT_TRUE(hear_all(published(value("a/c", "2"))));
  EXPECT_THAT(noted(), ElementsAre("plus <a/c:2>", "other <a/c:2>"));
  EXPECT_TRUE(hear_all(published(value("z", "3"))));
  EXPECT_THAT(noted(), IsEmpty());
  EXPECT_EQ(agent.stats().messages_in, 2U);
  EXPECT_EQ(agent.stats().dropped_unasked, 1U);
}

TEST_F(ClientDeliveries, ASubscriptionGetsNothingBeforeItStandsNorAfterItsEnd) {
  // Another entity's subscription on the same session brings the messages here.
  subscribed("alice", from("alice", MessageType::kSubscribe, "a"));
  const RequestId bob = asked("bob", from("bob", MessageType::kSubscribe, "a"));
  EXPECT_TRUE(hear_all(published(value("a", "1"))));
  EXPECT_THAT(noted(), ElementsAre("alice <a:1>"));
  EXPECT_TRUE(hear(ResultFrame{bob, {}}));
  EXPECT_TRUE(hear_all(published(value("a", "2"))));
  EXPECT_THAT(noted(), ElementsAre("bob ok", "alice <a:2>", "bob <a:2>"));
  EXPECT_TRUE(hear(ResultFrame{bob, Error{ErrorCode::kRevoked, "link 1"}}));
  EXPECT_TRUE(hear_all(published(value("a", "3"))));
  EXPECT_TRUE(hear(ResultFrame{bob, {}}));
  EXPECT_THAT(noted(), ElementsAre("bob revoked", "alice <a:3>"));
}

TEST_F(ClientDeliveries, UnsubscribingSilencesAtOnce) {
  ClientSession::SubscriptionHandle standing = 0;
  ClientSession::SubscriptionHandle unanswered = 0;
  const RequestId first = subscribed("s", from("home", MessageType::kSubscribe, "a"), &standing);
  const RequestId second = asked("u", from("home", MessageType::kSubscribe, "a"), &unanswered);
  const auto unsent = agent.consume(from("home", MessageType::kSubscribe, "a"), consumer("n"));
  for (const auto handle : {standing, unanswered, unsent, standing, unsent + 99}) {
    agent.unsubscribe(handle);
  }
  EXPECT_TRUE(hear(ResultFrame{second, {}}));
  EXPECT_TRUE(hear_all(published(value("a", "1"))));
  EXPECT_TRUE(hear(Lost{3}));
  EXPECT_THAT(noted(), IsEmpty());

  // The last one's request and its end leave in one batch, in order.
  const auto frames = flushed();
  const BatchFrame frame = all_of<BatchFrame>(frames).front();
  BatchView view;
  ASSERT_TRUE(parse_batch(frame.batch, view));
  ASSERT_THAT(view.messages, SizeIs(4));
  std::vector<RequestId> ended;
  for (const ParsedMessage& parsed : view.messages) {
    if (parsed.message.type == MessageType::kUnsubscribe) {
      ended.push_back(*parse_request_id(parsed.message.payload));
    }
  }
  EXPECT_THAT(ended, ElementsAre(first, second, RequestId{first.stream, 3, 0}));
  EXPECT_EQ(view.messages[0].message.type, MessageType::kSubscribe);
}

TEST_F(ClientDeliveries, CallbacksMayChangeSubscriptionsWhileBeingCalled) {
  ClientSession::SubscriptionHandle second = 0;
  ClientSession::SubscriptionHandle first = 0;
  Consumer changing = consumer("first");
  const auto alive = std::make_shared<int>(1);
  changing.on_message = [&, alive](const Delivery& delivery) {
    notes.push_back("first " + std::string(as_text(delivery.payload)));
    agent.unsubscribe(second);
    agent.unsubscribe(first);
    for (int i = 0; i < 100; ++i) {
      agent.consume(from("home", MessageType::kSubscribe, "a"), consumer("new"));
    }
    EXPECT_EQ(*alive, 1);  // what this function owns is still there
  };
  first = agent.consume(from("home", MessageType::kSubscribe, "a"), std::move(changing));
  EXPECT_TRUE(hear(ResultFrame{sent_alone(), {}}));
  EXPECT_THAT(noted(), ElementsAre("first ok"));
  subscribed("second", from("home", MessageType::kSubscribe, "a"), &second);
  subscribed("third", from("home", MessageType::kSubscribe, "a"));
  others.send_value(value("a", "1"), {});
  EXPECT_TRUE(hear_all(published(value("a", "2"))));
  EXPECT_THAT(noted(), ElementsAre("first 1", "third <a:1>", "third <a:2>"));
  EXPECT_EQ(alive.use_count(), 1);  // and is let go of afterwards
}

TEST_F(ClientDeliveries, ACallbackMayEndTheSessionAmidABatch) {
  Consumer ending = consumer("one");
  ending.on_message = [&](const Delivery&) {
    agent.end(kGone);
    noted();
  };
  agent.consume(from("home", MessageType::kSubscribe, "a"), std::move(ending));
  EXPECT_TRUE(hear(ResultFrame{sent_alone(), {}}));
  EXPECT_THAT(noted(), ElementsAre("one ok"));
  subscribed("two", from("home", MessageType::kSubscribe, "a"));
  noted();
  others.send_value(value("a", "1"), {});
  (void)hear_all(published(value("a", "2")));
  EXPECT_THAT(noted(), IsEmpty());
}

TEST_F(ClientDeliveries, WhatCannotBeJudgedForLackOfALedgerCountsAsLost) {
  const RequestId one = subscribed("one", from("home", MessageType::kSubscribe, "a"));
  subscribed("elsewhere", from("home", MessageType::kSubscribe, "b"));
  const Time late = kNow + limits::kDefaultStaleness + 1s;
  EXPECT_TRUE(hear_all(published(value("a", "1"), late), late));
  EXPECT_THAT(noted(), ElementsAre("one lost 1"));

  Outgoing limited = value("a", "2");
  limited.consumers = 1;
  const auto frames = published(limited, late);
  EXPECT_TRUE(hear(Direct{one, batch_of(frames)}, late));
  EXPECT_THAT(noted(), ElementsAre("one lost 1"));

  cast.ledger.set_heard_at(late);
  EXPECT_TRUE(hear_all(published(value("a", "3"), late), late));
  EXPECT_THAT(noted(), ElementsAre("one <a:3>"));
}

TEST_F(ClientDeliveries, LimitedMessagesGoToTapsAndToWhomTheyAreSentDirectly) {
  const RequestId one = subscribed("one", from("home", MessageType::kSubscribe, "a"));
  const RequestId two = subscribed("two", from("home", MessageType::kSubscribe, "a"));
  const RequestId tap = subscribed("tap", from("home", MessageType::kTap, "a"));
  const RequestId elsewhere = subscribed("elsewhere", from("home", MessageType::kSubscribe, "b"));
  Outgoing message = value("a", "1");
  message.consumers = 1;
  const auto frames = published(message);
  EXPECT_TRUE(hear_all(frames));
  EXPECT_THAT(noted(), ElementsAre("tap <a:1>"));

  const Bytes batch = batch_of(frames);
  EXPECT_TRUE(hear(Direct{one, batch}));
  EXPECT_TRUE(hear(Direct{two, batch}));  // with consumers = 2 that is what happens
  EXPECT_THAT(noted(), ElementsAre("one <a:1>", "two <a:1>"));
  EXPECT_TRUE(hear(Direct{one, batch}));
  EXPECT_TRUE(hear(Direct{tap, batch}));
  EXPECT_TRUE(hear(Direct{elsewhere, batch}));
  EXPECT_TRUE(hear(Direct{{one.stream, 77, 0}, batch}));
  EXPECT_THAT(noted(), IsEmpty());

  // A message for all has no business in a DIRECT frame: it would come twice.
  const auto plain = published(value("a", "2"));
  EXPECT_TRUE(hear(Direct{one, batch_of(plain)}));
  EXPECT_THAT(noted(), IsEmpty());
  EXPECT_TRUE(hear_all(plain));
  EXPECT_THAT(noted(), ElementsAre("one <a:2>", "two <a:2>", "tap <a:2>"));
}

TEST_F(ClientDeliveries, TellsSubscriptionsOfLosses) {
  subscribed("s", from("home", MessageType::kSubscribe, "a"));
  asked("q", from("home", MessageType::kQuery, "a"));
  EXPECT_TRUE(hear(Lost{12}));
  EXPECT_THAT(noted(), ElementsAre("s lost 12"));
}

TEST_F(ClientDeliveries, AQueryGetsItsStoredMessagesThenItsEnd) {
  const RequestId id = asked("q", from("home", MessageType::kQuery, "a/+"));
  EXPECT_TRUE(hear_stored(id, from("home", MessageType::kPersist, "a/b", "1"), kNow - 900s));
  EXPECT_TRUE(hear_stored(id, from("home", MessageType::kPersist, "a/c", "2")));
  EXPECT_TRUE(hear(ResultFrame{id, {}}));
  EXPECT_THAT(noted(), ElementsAre("q <a/b:1 stored>", "q <a/c:2 stored>", "q ok"));
  EXPECT_TRUE(hear_stored(id, from("home", MessageType::kPersist, "a/d", "3")));
  EXPECT_TRUE(hear(ResultFrame{id, kGone}));
  EXPECT_THAT(noted(), IsEmpty());
}

TEST_F(ClientDeliveries, StoredMessagesMustAnswerTheQuery) {
  const RequestId id = asked("q", from("home", MessageType::kQuery, "a/+"));
  const RequestId live = subscribed("s", from("home", MessageType::kSubscribe, "a/+"));
  EXPECT_TRUE(hear_stored(id, from("home", MessageType::kPersist, "b/c", "other uri")));
  EXPECT_TRUE(hear_stored(id, value("a/b", "not persisted")));
  EXPECT_TRUE(hear_stored(id, cast.message("away", MessageType::kPersist, "away", "a/b",
                                           Cast::proof(), "other namespace")));
  EXPECT_TRUE(hear_stored(live, from("home", MessageType::kPersist, "a/b", "never asked")));
  EXPECT_THAT(noted(), IsEmpty());
  EXPECT_EQ(dropped(), 4U);

  // The same message under another URI: its signature does not cover that.
  const auto frames = published(from("home", MessageType::kPersist, "z", "moved"));
  Topic moved = from("home", MessageType::kPersist, "a/b").topic;
  EXPECT_TRUE(hear(Stored{id, moved, batch_of(frames)}));
  EXPECT_THAT(noted(), IsEmpty());
  EXPECT_EQ(agent.last_drop()->code, ErrorCode::kBadSignature);

  EXPECT_TRUE(hear_stored(id, from("home", MessageType::kPersist, "a/m", "first")));
  EXPECT_TRUE(hear_stored(id, from("home", MessageType::kPersist, "a/m", "second")));
  EXPECT_TRUE(hear_stored(id, from("home", MessageType::kPersist, "a/b", "backwards")));
  EXPECT_THAT(noted(), ElementsAre("q <a/m:first stored>"));
}

// Cell by cell "a/c" comes before "a-b", although its text does not.
TEST_F(ClientDeliveries, StoredMessagesComeInTheOrderOfTheirCells) {
  const RequestId id = asked("q", from("home", MessageType::kQuery, "*"));
  for (const char* uri : {"a/c", "a-b", "a/c"}) {
    EXPECT_TRUE(hear_stored(id, from("home", MessageType::kPersist, uri, "1")));
  }
  EXPECT_THAT(noted(), ElementsAre("q <a/c:1 stored>", "q <a-b:1 stored>"));
}

TEST_F(ClientDeliveries, AReplayComesBeforeTheSubscriptionStandsAndNothingComesTwice) {
  Outgoing request = from("home", MessageType::kSubscribe, "a");
  request.replay = true;
  const RequestId id = asked("s", request);
  const Outgoing message = from("home", MessageType::kPersist, "a", "1");
  const auto frames = published(message);
  EXPECT_TRUE(hear_all({bare(ProofFrame{wave::encode(*message.proof)}),
                        bare(Stored{id, message.topic, batch_of(frames)})}));
  EXPECT_TRUE(hear(ResultFrame{id, {}}));
  EXPECT_THAT(noted(), ElementsAre("s <a:1 stored>", "s ok"));
  EXPECT_TRUE(hear_all(frames));  // it crossed the subscription
  EXPECT_THAT(noted(), IsEmpty());
  EXPECT_TRUE(hear_all(published(value("a", "2"))));
  EXPECT_TRUE(hear_stored(id, from("home", MessageType::kPersist, "a", "too late")));
  EXPECT_THAT(noted(), ElementsAre("s <a:2>"));
}

TEST_F(ClientDeliveries, AListGetsItsNames) {
  Strings names;
  agent.list(from("home", MessageType::kList, "a/+"),
             [&](Result<Strings> found) { names = *std::move(found); });
  const RequestId id = sent_alone();
  EXPECT_TRUE(hear(Children{id, {"b", "c"}}));
  EXPECT_TRUE(hear(Children{id, {"c", "d"}}));  // twice the same: the router errs
  EXPECT_THAT(names, IsEmpty());
  EXPECT_TRUE(hear(ResultFrame{id, {}}));
  EXPECT_THAT(names, ElementsAre("b", "c", "d"));
}

TEST_F(ClientDeliveries, AMessageComesOnceHoweverOftenItIsSent) {
  subscribed("s", from("home", MessageType::kSubscribe, "a"));
  const auto first = published(value("a", "1"));
  const auto second = published(value("a", "2"));
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(hear_all(first));
    EXPECT_TRUE(hear_all(second));
  }
  EXPECT_THAT(noted(), ElementsAre("s <a:1>", "s <a:2>"));
  EXPECT_TRUE(hear_all(published(value("a", "old"), kNow - 61s)));
  EXPECT_TRUE(hear_all(published(value("a", "early"), kNow + 61s)));
  EXPECT_THAT(noted(), IsEmpty());
  agent.tick(kNow + 30s);
  EXPECT_TRUE(hear_all(second, kNow + 30s));
  agent.tick(kNow + 200s);
  EXPECT_TRUE(hear_all(second, kNow + 200s));
  EXPECT_THAT(noted(), IsEmpty());
}

TEST_F(ClientDeliveries, ANumberCannotBeGivenAnotherMeaning) {
  subscribed("s", from("home", MessageType::kSubscribe, "good/+"));
  auto frames = published(value("bad/a", "1"));
  TopicFrame topic = all_of<TopicFrame>(frames).front();
  topic.topic.uri = testing::pattern_of("good/a");
  const std::vector<Bytes> renamed = {frames.front(), bare(topic), frames.back()};
  EXPECT_TRUE(hear_all(renamed));  // first naming a lie
  EXPECT_EQ(agent.last_drop()->code, ErrorCode::kBadSignature);
  EXPECT_TRUE(hear_all(frames));  // then the truth
  EXPECT_TRUE(hear(Detach{topic.origin, topic.stream, kGone}));
  const std::uint64_t before = dropped();
  EXPECT_TRUE(hear_all(renamed));  // forgotten, and named again
  EXPECT_EQ(dropped(), before + 1);
  EXPECT_THAT(noted(), IsEmpty());
}

TEST_F(ClientDeliveries, AlteredAndUnauthorisedMessagesAreDropped) {
  subscribed("s", from("home", MessageType::kSubscribe, "*"));
  auto frames = published(value("a", "payload"));
  frames.back().back() ^= 1U;
  EXPECT_TRUE(hear_all(frames));
  EXPECT_EQ(agent.last_drop()->code, ErrorCode::kBadSignature);
  EXPECT_TRUE(hear_all(published(from("mallory", MessageType::kPublish, "a", "no right"))));
  EXPECT_EQ(agent.last_drop()->code, ErrorCode::kDenied);
  EXPECT_TRUE(hear_all(published(
      cast.message("away", MessageType::kPublish, "away", "a", Cast::proof(), "elsewhere"))));
  Outgoing late = value("b", "expired");
  late.expires = kNow - 1s;
  EXPECT_TRUE(hear_all(published(late)));
  EXPECT_TRUE(hear(BatchFrame{as_bytes("nonsense")}));
  EXPECT_TRUE(hear(ProofFrame{as_bytes("nonsense")}));
  EXPECT_THAT(noted(), IsEmpty());
  EXPECT_EQ(agent.stats().dropped_unverified, 5U);
  EXPECT_EQ(agent.stats().dropped_unasked, 1U);
}

TEST_F(ClientDeliveries, APublisherWhoseGrantIsRevokedIsNoLongerHeard) {
  subscribed("s", from("home", MessageType::kSubscribe, "a"));
  const auto dot = cast.grant("home", "alice", "home", "a", "P");
  const auto proof = Cast::proof({dot});
  const auto alice = [&](std::string_view payload) {
    return cast.message("alice", MessageType::kPublish, "home", "a", proof, payload);
  };
  EXPECT_TRUE(hear_all(published(alice("1"))));
  EXPECT_THAT(noted(), ElementsAre("s <a:1>"));
  cast.ledger.revoke_dot(dot.id);
  grants.changed({}, std::vector{dot.id});
  EXPECT_TRUE(hear_all(published(alice("2"))));
  EXPECT_THAT(noted(), IsEmpty());
  EXPECT_EQ(agent.last_drop()->code, ErrorCode::kRevoked);
}

}  // namespace
}  // namespace bw::syndication
