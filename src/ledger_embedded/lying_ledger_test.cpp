// SPDX-License-Identifier: Apache-2.0
#include <functional>
#include <list>

#include "ledger_embedded/testing/world.hpp"
#include "session/session.hpp"

// A ledger that holds the right key and says what the test wants.
namespace bw::ledger_embedded {
namespace {

namespace wire = syndication;
namespace lt = ledger::testing;
using testing::FollowerNode;
using testing::ManualClock;

template <class T>
Bytes frame_of(const T& frame) {
  Bytes out;
  wire::encode_frame(frame, out);
  return out;
}

class LyingLedger : public net::testing::Loopback {
 protected:
  using OnFrame = std::function<void(net::Channel&, const wire::Frame&)>;

  void SetUp() override {
    auto bound = net::Listener::bind(context, "127.0.0.1:0");
    ASSERT_TRUE(bound.has_value());
    listener = *std::move(bound);
    tasks.spawn(listener->run([this](net::ChannelPtr channel) {
      ++connections;
      if (before_hello) return before_hello(std::move(channel));
      tasks.spawn(serve(std::move(channel)));
    }));
    const auto started = follower.start(listener->address());
    ASSERT_TRUE(started.has_value()) << started.error().message;
  }
  void TearDown() override {
    follower.stop();
    Loopback::TearDown();
  }

  net::Task<void> serve(net::ChannelPtr channel) {
    session::Self self{&lt::key("ledger"), wire::Role::kLedger, {}};
    session::Welcome anybody = [](const session::Peer&) { return Result<void>{}; };
    const auto peer = co_await session::accept(channel, std::move(self), std::move(anybody));
    if (!peer) co_return;
    session::OnFrames on_frames = [this, channel](auto frames) -> Result<void> {
      for (const ByteView frame : frames) {
        BW_TRY(const auto parsed, wire::parse_frame(frame));
        on_frame(*channel, parsed.frame);
      }
      return {};
    };
    ended.push_back(co_await session::run(channel, std::move(on_frames)));
  }

  // Whatever size is followed from, the answer is `bytes`.
  void answer_follow_with(Bytes bytes) {
    on_frame = [bytes = std::move(bytes)](net::Channel& channel, const wire::Frame& frame) {
      if (std::holds_alternative<wire::Follow>(frame)) channel.send(bytes);
    };
  }
  static Bytes head_frame(const std::vector<Bytes>& entries, std::string_view signer = "ledger") {
    std::vector<Hash> leaves;
    for (const Bytes& entry : entries) leaves.push_back(crypto::leaf_hash(entry));
    const auto head =
        ledger::sign_head({entries.size(), crypto::merkle_root(leaves), lt::kNow}, lt::key(signer));
    return frame_of(wire::HeadFrame{ledger::encode(head), {}});
  }
  static Bytes entries_frame(const std::vector<Bytes>& entries, std::uint64_t first = 0) {
    return frame_of(wire::Entries{first, {entries.begin(), entries.end()}});
  }
  static Bytes joined(Bytes a, const Bytes& b) {
    append(a, b);
    return a;
  }

  ManualClock clock;
  FollowerNode follower{*this, clock};
  OnFrame on_frame = [](net::Channel&, const wire::Frame&) {};
  std::function<void(net::ChannelPtr)> before_hello;
  int connections = 0;
  std::list<Error> ended;
  const Bytes one = lt::entity("ns").bytes;
  const Bytes two = lt::entity("alice").bytes;
};

TEST_F(LyingLedger, ToldTruthIsTaken) {
  answer_follow_with(joined(head_frame({one, two}), entries_frame({one, two})));
  EXPECT_TRUE(follower.has(2));
}

TEST_F(LyingLedger, EntriesMustGiveTheSignedRoot) {
  answer_follow_with(joined(head_frame({one, two}), entries_frame({two, one})));
  ASSERT_TRUE(follower.troubled(ErrorCode::kFork));
  EXPECT_EQ(follower.sink.size(), 0U);
  EXPECT_EQ(follower.sink.heard_at, Time{});
}

TEST_F(LyingLedger, EntriesComeOnlyAfterTheirHead) {
  for (const Bytes& answer :
       {entries_frame({one}), joined(head_frame({one, two}), entries_frame({one})),
        joined(head_frame({one}), entries_frame({one, two})),
        joined(head_frame({one, two}), entries_frame({one, two}, 1))}) {
    answer_follow_with(answer);
    ended.clear();
    ASSERT_TRUE(turn_until([&] { return !ended.empty(); }));
    ASSERT_TRUE(follower.troubled(ErrorCode::kMalformed));
    EXPECT_EQ(follower.sink.size(), 0U);
    EXPECT_EQ(follower.sink.heard_times, 0U);
  }
}

TEST_F(LyingLedger, AHeadByAnotherKeyIsRefused) {
  answer_follow_with(joined(head_frame({one}, "mallory"), entries_frame({one})));
  ASSERT_TRUE(follower.troubled(ErrorCode::kBadSignature));
  EXPECT_EQ(follower.sink.size(), 0U);
  // It is asked again: a fault is not a fork.
  const int before = connections;
  EXPECT_TRUE(turn_until([&] { return connections > before; }));
}

TEST_F(LyingLedger, TwoRootsForOneSizeAreEvidence) {
  answer_follow_with(joined(joined(head_frame({one}), entries_frame({one})), head_frame({two})));
  ASSERT_TRUE(follower.troubled(ErrorCode::kFork));
  EXPECT_EQ(follower.sink.size(), 1U);
  EXPECT_EQ(follower.sink.heard_at, Time{});
  EXPECT_EQ(store::testing::file_bytes(follower.evidence()).size(), 2 * ledger::kSignedHeadBytes);
}

TEST_F(LyingLedger, OldHeadsAreNoNews) {
  clock.advance(1000s);  // the head's time is kNow
  answer_follow_with(joined(head_frame({one}), entries_frame({one})));
  ASSERT_TRUE(follower.has(1));
  EXPECT_TRUE(turn_until([&] { return follower.sink.heard_times > 0; }));
  EXPECT_LE(follower.sink.heard_at, lt::kNow + limits::kClockSkew);
}

// Anybody between the two can send an ERROR frame.
TEST_F(LyingLedger, AnErrorFrameCannotMakeTheFollowerGiveUp) {
  before_hello = [](const net::ChannelPtr& channel) {
    session::close_with(*channel, {ErrorCode::kFork, "trust me"});
  };
  ASSERT_TRUE(turn_until([&] { return connections >= 3; }));
  before_hello = nullptr;
  on_frame = [](net::Channel& channel, const wire::Frame&) {
    session::close_with(channel, {ErrorCode::kFork, "trust me"});
  };
  const int before = connections;
  ASSERT_TRUE(turn_until([&] { return connections >= before + 3; }));
  answer_follow_with(joined(head_frame({one}), entries_frame({one})));
  EXPECT_TRUE(follower.has(1));
}

TEST_F(LyingLedger, SubmitsAgainOnTheNextConnection) {
  int submits = 0;
  on_frame = [&](net::Channel& channel, const wire::Frame& frame) {
    const auto* submit = std::get_if<wire::Submit>(&frame);
    if (submit == nullptr) return;
    EXPECT_EQ(to_bytes(submit->objects.at(0)), one);
    if (++submits == 1) return channel.abort();
    channel.send(frame_of(wire::SubmittedFrame{submit->request, {{7U, {}}}}));
  };
  std::vector<Result<std::vector<ledger::Submitted>>> answers;
  follower.client->submit({one}, [&](auto outcomes) { answers.push_back(std::move(outcomes)); });
  ASSERT_TRUE(turn_until([&] { return !answers.empty(); }));
  EXPECT_EQ(submits, 2);
  ASSERT_TRUE(answers[0].has_value());
  EXPECT_EQ((*answers[0])[0].index, 7U);
}

TEST_F(LyingLedger, AnswersMustFitTheQuestion) {
  on_frame = [&](net::Channel& channel, const wire::Frame& frame) {
    if (const auto* submit = std::get_if<wire::Submit>(&frame)) {
      // For nobody, then too many.
      channel.send(frame_of(wire::SubmittedFrame{submit->request + 1, {{1U, {}}}}));
      channel.send(frame_of(wire::SubmittedFrame{submit->request, {{1U, {}}, {2U, {}}}}));
      channel.send(frame_of(wire::SubmittedFrame{submit->request, {{1U, {}}}}));
    }
  };
  std::vector<Result<std::vector<ledger::Submitted>>> answers;
  follower.client->submit({one}, [&](auto outcomes) { answers.push_back(std::move(outcomes)); });
  ASSERT_TRUE(turn_until([&] { return !answers.empty(); }));
  ASSERT_EQ(answers.size(), 1U);
  ASSERT_FALSE(answers[0].has_value());
  EXPECT_EQ(answers[0].error().code, ErrorCode::kMalformed);
}

TEST_F(LyingLedger, WhatALedgerHasNoBusinessSendingEndsTheSession) {
  answer_follow_with(frame_of(wire::Follow{0}));
  ASSERT_TRUE(turn_until([&] { return !ended.empty(); }));
  EXPECT_TRUE(follower.troubled(ErrorCode::kMalformed));
}

}  // namespace
}  // namespace bw::ledger_embedded
