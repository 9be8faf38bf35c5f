// SPDX-License-Identifier: Apache-2.0
#include "syndication/standing_message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "syndication/testing/client_fixture.hpp"

namespace bw::syndication {
namespace {

using ::testing::ElementsAre;
using testing::kExporter;
using testing::kNow;

class StandingMessages : public testing::ClientFixture {
 protected:
  // What an agent keeps of a message that alice published by a grant of home's, among others in one
  // batch.
  Bytes kept(std::string_view permissions = "P") {
    const auto dot = cast.grant("home", "alice", "home", "a/*", permissions);
    const auto proof = std::make_shared<const wave::Proof>(wave::Proof{{dot}});
    Bytes file;
    Consumer consumer;
    consumer.on_message = [&](const Delivery& delivery) {
      file = standing_message(delivery).value_or(Bytes{});
    };
    EXPECT_NE(agent.consume(from("home", MessageType::kSubscribe, "a/b"), consumer), 0U);
    EXPECT_TRUE(hear(ResultFrame{sent_alone(), {}}));
    others.send_value(cast.message("alice", MessageType::kPublish, "home", "a/x", proof, "no"), {});
    EXPECT_TRUE(hear_all(
        published(cast.message("alice", MessageType::kPublish, "home", "a/b", proof, "21.5"))));
    return file;
  }
};

TEST_F(StandingMessages, VerifyAloneWithoutALedger) {
  const Bytes file = kept();
  ASSERT_TRUE(is_standing_message(file));
  const auto message = parse_standing_message(file);
  ASSERT_TRUE(message) << message.error().message;
  EXPECT_EQ(encode(*message), file);
  const auto verdict = verify_offline(*message);
  ASSERT_TRUE(verdict) << verdict.error().message;
  EXPECT_EQ(verdict->header.origin, cast.entity("alice"));
  EXPECT_EQ(as_text(verdict->message.payload), "21.5");
  EXPECT_EQ(message->topic.uri.text(), "a/b");
}

TEST_F(StandingMessages, EveryFlippedBitIsFound) {
  const Bytes file = kept();
  for (std::size_t bit = 0; bit < file.size() * 8; ++bit) {
    Bytes bent = file;
    bent[bit / 8] = static_cast<std::uint8_t>(bent[bit / 8] ^ 1U << bit % 8);
    const auto message = parse_standing_message(bent);
    EXPECT_FALSE(message && verify_offline(*message)) << "bit " << bit;
  }
  for (std::size_t size = 0; size < file.size(); ++size) {
    EXPECT_FALSE(parse_standing_message(ByteView(file).first(size)));
  }
}

TEST_F(StandingMessages, AProofThatGivesTooLittleIsSaid) {
  auto message = parse_standing_message(kept());
  const auto reading = cast.grant("home", "alice", "home", "a/*", "C");
  const auto batch = message->batch;
  message->proof = wave::Proof{{reading}};
  const auto verdict = verify_offline(*message);
  ASSERT_FALSE(verdict);
  // The topic names the proof, so another one is a broken signature first of all.
  message->topic.proof = wave::proof_hash(message->proof);
  EXPECT_FALSE(verify_offline(*message));
}

// A router that shows old frames again after the agent came back is not believed.
TEST_F(StandingMessages, WhatASessionHeardTheNextOneDoesNotHearAgain) {
  const auto frames = published(value("a", "1"));
  const auto heard = std::make_shared<ReplayWindow>();
  for (const int expected : {1, 0}) {
    ClientSession session(kExporter, grants, cast.random, heard);
    int got = 0;
    Consumer consumer;
    consumer.on_message = [&](const Delivery&) { ++got; };
    session.consume(from("home", MessageType::kSubscribe, "a"), consumer);
    const auto headers = batches(flushed(session));
    const Bytes answer =
        bare(ResultFrame{RequestId{headers.back().stream, headers.back().sequence, 0}, {}});
    std::vector<ByteView> views{answer};
    views.insert(views.end(), frames.begin(), frames.end());
    EXPECT_TRUE(session.receive(views, kNow));
    EXPECT_EQ(got, expected);
  }
}

}  // namespace
}  // namespace bw::syndication
