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

class ClientSessionTest : public testing::ClientFixture {};

TEST_F(ClientSessionTest, NamesEverythingOnceBeforeTheBatchThatUsesIt) {
  agent.send_value(value("a", "1"), {});
  agent.send_value(value("a", "2"), {});
  const auto first = flushed();
  using enum FrameType;
  EXPECT_THAT(types(first), ElementsAre(kProof, kAttach, kTopic, kBatch));
  const Attach attached = all_of<Attach>(first).front();
  EXPECT_TRUE(check_attach(attached, kExporter));
  EXPECT_EQ(attached.entity, cast.entity("home"));
  EXPECT_NE(attached.stream, 0U);
  EXPECT_EQ(batches(first).front(),
            (BatchHeader{cast.entity("home"), attached.stream, 1, kNow, 2}));

  agent.send_value(value("a", "3"), {});
  agent.send_value(value("b", "4"), {});
  const auto second = flushed();
  EXPECT_THAT(types(second), ElementsAre(kTopic, kBatch));
  EXPECT_EQ(all_of<TopicFrame>(first).front().number, 0U);
  EXPECT_EQ(all_of<TopicFrame>(second).front().number, 1U);
  EXPECT_EQ(batches(second).front().sequence, 2U);
  EXPECT_EQ(agent.stats().messages_out, 4U);
  EXPECT_EQ(agent.stats().batches_out, 2U);
}

TEST_F(ClientSessionTest, SendsNothingWhenNothingWaits) {
  EXPECT_FALSE(agent.has_waiting());
  EXPECT_THAT(flushed(), IsEmpty());
  agent.send_value(value("a", "1"), {});
  EXPECT_TRUE(agent.has_waiting());
  EXPECT_THAT(flushed(), SizeIs(4));
  EXPECT_FALSE(agent.has_waiting());
  EXPECT_THAT(flushed(), IsEmpty());
}

TEST_F(ClientSessionTest, EntitiesHaveStreamsOfTheirOwn) {
  agent.send_value(value("a", "1"), {});
  agent.send_value(from("alice", MessageType::kPublish, "a"), {});
  const auto frames = flushed();
  const auto attached = all_of<Attach>(frames);
  ASSERT_THAT(attached, SizeIs(2));
  EXPECT_NE(attached[0].stream, attached[1].stream);
  EXPECT_THAT(batches(frames), SizeIs(2));
  EXPECT_THAT(all_of<ProofFrame>(frames), SizeIs(1));
}

TEST_F(ClientSessionTest, SplitsWhatDoesNotFitIntoOneBatch) {
  for (int i = 0; i < 2500; ++i) agent.send_value(value("a", "x"), note("x"));
  const auto headers = batches(flushed());
  ASSERT_THAT(headers, SizeIs(3));
  EXPECT_EQ(headers[0].count + headers[1].count + headers[2].count, 2500);
  EXPECT_EQ(headers[2].sequence, 3U);
  EXPECT_TRUE(hear(Ack{headers[0].stream, 3}));
  EXPECT_THAT(noted(), SizeIs(2500));

  const std::string large(limits::kMessageBytes, 'x');
  for (int i = 0; i < 5; ++i) agent.send_value(value("a", large), {});
  const auto frames = flushed();
  EXPECT_THAT(batches(frames), SizeIs(2));
  for (const Bytes& frame : frames) EXPECT_LE(frame.size(), limits::kFrameBytes);
}

TEST_F(ClientSessionTest, OpensAFreshStreamWhenTopicNumbersRunOut) {
  for (std::size_t i = 0; i < limits::kTopicsPerStream; ++i) {
    agent.send_value(value("a/" + std::to_string(i), ""), {});
  }
  EXPECT_THAT(all_of<Attach>(flushed()), SizeIs(1));
  agent.send_value(value("one/more", ""), {});
  agent.send_value(value("a/1", ""), {});  // keeps its stream, and so its order
  const auto frames = flushed();
  ASSERT_THAT(all_of<Attach>(frames), SizeIs(1));
  const auto topics = all_of<TopicFrame>(frames);
  ASSERT_THAT(topics, SizeIs(1));
  EXPECT_EQ(topics[0].stream, all_of<Attach>(frames)[0].stream);
  EXPECT_EQ(topics[0].number, 0U);
  const auto headers = batches(frames);
  ASSERT_THAT(headers, SizeIs(2));
  EXPECT_NE(headers[0].stream, headers[1].stream);
}

TEST_F(ClientSessionTest, RefusesAtOnceWhatCannotBeSent) {
  agent.send_value(value("a/+", ""), note("wildcard"));
  agent.send_value(from("home", MessageType::kQuery, "a"), note("query"));
  agent.send_value(value("a", std::string(limits::kMessageBytes + 1, 'x')), note("large"));
  Outgoing bare = value("a", "");
  bare.proof = nullptr;
  agent.send_value(bare, note("no proof"));
  bare = value("a", "");
  bare.topic.proof.bytes[0] ^= 1U;
  agent.send_value(bare, note("other proof"));
  bare = value("a", "");
  bare.expires = Time{};
  agent.send_value(bare, note("expiry"));
  Outgoing request = from("home", MessageType::kQuery, "a");
  request.replay = true;
  EXPECT_EQ(agent.consume(request, consumer("replay")), 0U);
  request = from("home", MessageType::kTap, "a");
  request.consumers = 1;
  EXPECT_EQ(agent.consume(request, consumer("consumers")), 0U);
  EXPECT_EQ(agent.consume(value("a", ""), consumer("publish")), 0U);
  agent.list(from("home", MessageType::kList, "a/b"),
             [&](const auto& names) { notes.push_back("list " + word(names.map([](auto) {}))); });
  EXPECT_THAT(noted(), ElementsAre("wildcard invalid_argument", "query invalid_argument",
                                   "large too_large", "no proof invalid_argument",
                                   "other proof invalid_argument", "expiry invalid_argument",
                                   "replay invalid_argument", "consumers invalid_argument",
                                   "publish invalid_argument", "list invalid_argument"));
  EXPECT_EQ(agent.unacknowledged(), 0U);
  EXPECT_THAT(batches(flushed()), IsEmpty());
}

TEST_F(ClientSessionTest, BoundsWhatWaits) {
  const Outgoing large = value("a", std::string(limits::kMessageBytes, 'x'));
  const std::size_t fit = limits::kSessionQueueBytes / limits::kMessageBytes;
  for (std::size_t i = 0; i < fit + 3; ++i) agent.send_value(large, note("large"));
  const Strings refused = noted();
  EXPECT_GE(refused.size(), 3U);
  EXPECT_LE(refused.size(), 5U);
  EXPECT_EQ(refused.back(), "large limited");
  EXPECT_THAT(batches(flushed()), Not(IsEmpty()));
  agent.send_value(large, note("later"));
  EXPECT_THAT(noted(), IsEmpty());
}

TEST_F(ClientSessionTest, AnAckSettlesEverythingUpToItButWhatWasRefusedBefore) {
  agent.send_value(value("a", "1"), note("one"));
  agent.send_value(value("a", "2"), note("two"));
  agent.send_value(value("a", "3"), {});
  const std::uint64_t stream = batches(flushed()).front().stream;
  agent.send_value(value("a", "4"), note("four"));
  flushed();
  agent.send_value(value("a", "5"), note("five"));
  flushed();
  EXPECT_EQ(agent.unacknowledged(), 5U);

  EXPECT_TRUE(hear(ResultFrame{{stream, 1, 1}, Error{ErrorCode::kDenied, "no"}}));
  EXPECT_THAT(noted(), ElementsAre("two denied"));
  EXPECT_TRUE(hear(ResultFrame{{stream, 1, 1}, Error{ErrorCode::kDenied, "no"}}));
  EXPECT_TRUE(hear(Ack{stream, 2}));
  EXPECT_THAT(noted(), ElementsAre("one ok", "four ok"));
  EXPECT_EQ(agent.unacknowledged(), 1U);
  EXPECT_TRUE(hear(Ack{stream, 2}));
  EXPECT_TRUE(hear(Ack{stream, 1}));
  EXPECT_TRUE(hear(ResultFrame{{stream, 1, 0}, Error{ErrorCode::kDenied, "no"}}));
  EXPECT_THAT(noted(), IsEmpty());
  EXPECT_TRUE(hear(Ack{stream, 3}));
  EXPECT_THAT(noted(), ElementsAre("five ok"));
  EXPECT_EQ(agent.unacknowledged(), 0U);
}

TEST_F(ClientSessionTest, AnAckOfWhatWasNeverSentBreaksTheProtocol) {
  agent.send_value(value("a", "1"), note("one"));
  const std::uint64_t stream = batches(flushed()).front().stream;
  agent.send_value(value("a", "2"), note("two"));  // waits unsigned
  EXPECT_EQ(word(hear(Ack{stream, 2})), "malformed");
  EXPECT_EQ(word(hear(Ack{stream, ~0ULL})), "malformed");
  EXPECT_TRUE(hear(Ack{stream + 1, 1}));  // perhaps of a stream that is over
  EXPECT_TRUE(hear(Ack{stream, 0}));
  EXPECT_THAT(noted(), IsEmpty());
  EXPECT_EQ(agent.unacknowledged(), 2U);
}

TEST_F(ClientSessionTest, ResultsForWhatWasNeverAskedAreIgnored) {
  const RequestId id = subscribed("s", from("home", MessageType::kSubscribe, "a"));
  for (const RequestId& other : {RequestId{id.stream, id.sequence, 5}, RequestId{id.stream, 99, 0},
                                 RequestId{id.stream, ~0ULL, 0}, RequestId{1, 1, 0}}) {
    EXPECT_TRUE(hear(ResultFrame{other, {}}));
    EXPECT_TRUE(hear(ResultFrame{other, kGone}));
    EXPECT_TRUE(hear(Children{other, {"x"}}));
  }
  EXPECT_TRUE(hear(ResultFrame{id, {}}));  // it stands already
  EXPECT_THAT(noted(), IsEmpty());
}

TEST_F(ClientSessionTest, CallbacksMaySendFlushAndEnd) {
  agent.send_value(value("a", "1"), [&](const Result<void>&) {
    notes.push_back("one");
    for (int i = 0; i < 3000; ++i) agent.send_value(value("b", "more"), {});
    EXPECT_THAT(batches(flushed()), SizeIs(3));
    agent.send_value(value("b", "never acknowledged"), note("late"));
  });
  agent.send_value(value("a", "2"), [&](const Result<void>&) {
    notes.push_back("two");
    agent.end(kGone);
    notes.push_back("ended");
  });
  agent.send_value(value("a", "3"), note("three"));
  const std::uint64_t stream = batches(flushed()).front().stream;
  EXPECT_TRUE(hear(Ack{stream, 1}));
  EXPECT_THAT(noted(), ElementsAre("one", "two", "three unavailable", "late unavailable", "ended"));
  EXPECT_EQ(agent.unacknowledged(), 0U);
}

TEST_F(ClientSessionTest, DetachFailsAllThatIsPendingAndTheNextSendAttachesAnew) {
  const RequestId id = subscribed("s", from("home", MessageType::kSubscribe, "a"));
  agent.send_value(value("a", "1"), note("sent"));
  flushed();
  agent.send_value(value("a", "2"), note("waiting"));
  const Error why{ErrorCode::kExpired, "entity expired"};
  EXPECT_TRUE(hear(Detach{cast.entity("alice"), id.stream, why}));  // not hers
  EXPECT_THAT(noted(), IsEmpty());
  EXPECT_TRUE(hear(Detach{cast.entity("home"), id.stream, why}));
  EXPECT_THAT(noted(), ElementsAre("sent expired", "waiting expired", "s expired"));
  EXPECT_THAT(flushed(), IsEmpty());
  EXPECT_EQ(agent.unacknowledged(), 0U);
  EXPECT_TRUE(hear_all(published(value("a", "for nobody"))));
  EXPECT_TRUE(hear(Ack{id.stream, 2}));

  agent.send_value(value("a", "3"), note("anew"));
  const auto frames = flushed();
  using enum FrameType;
  EXPECT_THAT(types(frames), ElementsAre(kAttach, kTopic, kBatch));
  EXPECT_NE(all_of<Attach>(frames)[0].stream, id.stream);
  EXPECT_EQ(all_of<TopicFrame>(frames)[0].number, 0U);
  EXPECT_EQ(batches(frames)[0].sequence, 1U);
  EXPECT_TRUE(hear(Ack{all_of<Attach>(frames)[0].stream, 1}));
  EXPECT_THAT(noted(), ElementsAre("anew ok"));
}

TEST_F(ClientSessionTest, CallbacksOfADetachMayAskAnewAndUnsubscribeTheOthers) {
  ClientSession::SubscriptionHandle other = 0;
  const RequestId id = subscribed("other", from("home", MessageType::kSubscribe, "b"), &other);
  agent.send_value(value("a", "1"), [&](const Result<void>& result) {
    notes.push_back("sent " + word(result));
    agent.unsubscribe(other);
    agent.send_value(value("a", "again"), note("again"));
  });
  flushed();
  EXPECT_TRUE(hear(Detach{cast.entity("home"), id.stream, kGone}));
  EXPECT_THAT(noted(), ElementsAre("sent unavailable"));
  const auto frames = flushed();
  EXPECT_EQ(batches(frames).front().count, 1U);  // nothing to unsubscribe from
}

TEST_F(ClientSessionTest, EndTellsEverythingPendingOnceAndWhatIsAskedLater) {
  const RequestId id = subscribed("stands", from("home", MessageType::kSubscribe, "a"));
  asked("asked", from("home", MessageType::kQuery, "a"));
  agent.list(from("home", MessageType::kList, "a/+"),
             [&](const auto& names) { notes.push_back("list " + word(names.map([](auto) {}))); });
  agent.send_value(value("a", "1"), note("value"));
  agent.end(kGone);
  EXPECT_THAT(noted(), ElementsAre("value unavailable", "stands unavailable", "asked unavailable",
                                   "list unavailable"));
  agent.end(kGone);
  EXPECT_FALSE(agent.has_waiting());
  EXPECT_FALSE(hear(Ack{id.stream, 1}));
  EXPECT_FALSE(hear_all(published(value("a", "late"))));
  EXPECT_THAT(noted(), IsEmpty());

  agent.send_value(value("a", "2"), note("later"));
  EXPECT_EQ(agent.consume(from("home", MessageType::kTap, "a"), consumer("tap")), 0U);
  EXPECT_THAT(noted(), ElementsAre("later unavailable", "tap unavailable"));
}

TEST_F(ClientSessionTest, AnErrorFrameIsTheReasonToClose) {
  EXPECT_EQ(word(hear(ErrorFrame{{ErrorCode::kBlacklisted, "enough"}})), "blacklisted");
  EXPECT_EQ(word(hear(Attach{cast.entity("home"), 1, {}})), "malformed");
  EXPECT_FALSE(agent.receive(std::vector<ByteView>{as_bytes("?!")}, kNow));
}

TEST_F(ClientSessionTest, AnswersTheLatestPing) {
  EXPECT_TRUE(hear(Ping{1}));
  EXPECT_TRUE(hear(Ping{2}));
  EXPECT_TRUE(hear(Pong{3}));
  EXPECT_TRUE(agent.has_waiting());
  const auto pongs = all_of<Pong>(flushed());
  ASSERT_THAT(pongs, SizeIs(1));
  EXPECT_EQ(pongs[0].nonce, 2U);
}

}  // namespace
}  // namespace bw::syndication
