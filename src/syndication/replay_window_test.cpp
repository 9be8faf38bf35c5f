// SPDX-License-Identifier: Apache-2.0
#include "syndication/replay_window.hpp"

#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace bw::syndication {
namespace {

const Time kNow = from_seconds(1'795'000'000);
constexpr Duration kWindow = limits::kReplayWindow;

BatchView batch(std::uint64_t sequence, std::vector<std::uint16_t> indices = {0},
                Time created = kNow) {
  BatchView view;
  view.header.stream = 7;
  view.header.sequence = sequence;
  view.header.created = created;
  view.header.count = limits::kBatchMessages;
  view.indices = std::move(indices);
  return view;
}

BatchView of_stream(std::uint64_t stream, Time created = kNow) {
  BatchView view = batch(1, {0}, created);
  view.header.stream = stream;
  return view;
}

ErrorCode code(const Result<void>& result) {
  EXPECT_FALSE(result);
  return result ? ErrorCode::kInternal : result.error().code;
}

TEST(StreamWindow, SequencesRiseStrictly) {
  StreamWindow window;
  EXPECT_TRUE(window.admit(batch(1), kNow));
  EXPECT_EQ(code(window.admit(batch(1), kNow)), ErrorCode::kReplayed);
  EXPECT_TRUE(window.admit(batch(5), kNow));
  for (const std::uint64_t earlier : {1U, 2U, 4U, 5U}) {
    EXPECT_EQ(code(window.admit(batch(earlier), kNow)), ErrorCode::kReplayed);
  }
  EXPECT_TRUE(window.admit(batch(~std::uint64_t{0}), kNow));
}

TEST(StreamWindow, PartsOfTheCurrentBatchPassOnceEach) {
  StreamWindow window;
  EXPECT_TRUE(window.admit(batch(3, {0, 2}), kNow));
  EXPECT_TRUE(window.admit(batch(3, {1, 1023}), kNow));
  EXPECT_EQ(code(window.admit(batch(3, {2}), kNow)), ErrorCode::kReplayed);
  EXPECT_TRUE(window.admit(batch(4, {2}), kNow));
  EXPECT_TRUE(window.admit(batch(4, {0}), kNow));  // seen in batch 3 only
  EXPECT_EQ(code(window.admit(batch(3, {5}), kNow)), ErrorCode::kReplayed);
}

TEST(StreamWindow, ARefusedBatchMarksNothing) {
  StreamWindow window;
  EXPECT_TRUE(window.admit(batch(3, {0}), kNow));
  EXPECT_EQ(code(window.admit(batch(3, {0, 1}), kNow)), ErrorCode::kReplayed);
  EXPECT_TRUE(window.admit(batch(3, {1}), kNow));
  EXPECT_EQ(code(window.admit(batch(9, {0}, kNow - 2 * kWindow), kNow)), ErrorCode::kExpired);
  EXPECT_TRUE(window.admit(batch(4), kNow));
}

TEST(StreamWindow, CheckingHasNoEffect) {
  StreamWindow window;
  EXPECT_TRUE(window.check(batch(3), kNow));
  EXPECT_TRUE(window.check(batch(3), kNow));
  EXPECT_TRUE(window.admit(batch(1), kNow));
  EXPECT_EQ(code(window.check(batch(1), kNow)), ErrorCode::kReplayed);
}

TEST(StreamWindow, TimesOutsideTheWindowAreNamed) {
  StreamWindow window;
  EXPECT_TRUE(window.check(batch(1, {0}, kNow - kWindow), kNow));
  EXPECT_TRUE(window.check(batch(1, {0}, kNow + kWindow), kNow));

  const auto old = window.check(batch(1, {0}, kNow - kWindow - 1us), kNow);
  EXPECT_EQ(code(old), ErrorCode::kExpired);
  EXPECT_NE(old.error().message.find("1 m old"), std::string::npos) << old.error().message;

  const auto early = window.check(batch(1, {0}, kNow + kWindow + 1us), kNow);
  EXPECT_EQ(code(early), ErrorCode::kExpired);
  EXPECT_NE(early.error().message.find("clock"), std::string::npos) << early.error().message;
}

TEST(ReplayWindow, StreamsAndOriginsAreApart) {
  ReplayWindow window;
  EXPECT_TRUE(window.admit(of_stream(1), kNow));
  EXPECT_EQ(code(window.admit(of_stream(1), kNow)), ErrorCode::kReplayed);
  EXPECT_TRUE(window.admit(of_stream(2), kNow));
  BatchView other = of_stream(1);
  other.header.origin.bytes[0] = 1;
  EXPECT_TRUE(window.admit(other, kNow));
  EXPECT_EQ(window.streams(), 3U);
}

TEST(ReplayWindow, RefusedBatchesAreNotTracked) {
  ReplayWindow window;
  EXPECT_EQ(code(window.admit(of_stream(1, kNow - 2 * kWindow), kNow)), ErrorCode::kExpired);
  EXPECT_TRUE(window.check(of_stream(1), kNow));
  EXPECT_EQ(window.streams(), 0U);
}

TEST(ReplayWindow, AStreamIsForgottenOnlyWhenItsBatchesAreTooOld) {
  ReplayWindow window;
  const BatchView ahead = of_stream(1, kNow + kWindow);
  ASSERT_TRUE(window.admit(ahead, kNow));
  BatchView later = of_stream(1, kNow);
  later.header.sequence = 2;
  ASSERT_TRUE(window.admit(later, kNow));  // created earlier than the first

  window.forget_old(kNow + 2 * kWindow);
  EXPECT_EQ(code(window.admit(ahead, kNow + 2 * kWindow)), ErrorCode::kReplayed);
  window.forget_old(kNow + 2 * kWindow + 1us);
  EXPECT_EQ(window.streams(), 0U);
  EXPECT_EQ(code(window.admit(ahead, kNow + 2 * kWindow + 1us)), ErrorCode::kExpired);
}

TEST(ReplayWindow, TrackedStreamsAreBounded) {
  ReplayWindow window;
  for (std::uint64_t stream = 0; stream < limits::kTrackedStreams; ++stream) {
    ASSERT_TRUE(window.admit(of_stream(stream), kNow));
  }
  EXPECT_EQ(code(window.admit(of_stream(limits::kTrackedStreams), kNow)), ErrorCode::kLimited);
  EXPECT_EQ(window.streams(), limits::kTrackedStreams);
  EXPECT_EQ(code(window.admit(of_stream(0), kNow)), ErrorCode::kReplayed);
  window.forget_old(kNow + kWindow + 1us);
  EXPECT_TRUE(window.admit(of_stream(1, kNow + kWindow), kNow + kWindow));
}

// Whatever comes in whatever order at whatever time: no message passes twice.
RC_GTEST_PROP(ReplayWindowProperty, NothingPassesTwice, ()) {
  ReplayWindow window;
  std::set<std::tuple<std::uint64_t, std::uint64_t, std::uint16_t>> passed;
  Time now = kNow;
  for (int i = 0; i < 300; ++i) {
    now += Duration{*rc::gen::inRange<std::int64_t>(0, 5'000'000)};
    // A batch's time is part of what it is: derived from its sequence, so that replays agree.
    const auto sequence = *rc::gen::inRange<std::uint64_t>(1, 40);
    const auto index = *rc::gen::inRange<std::uint16_t>(0, 3);
    BatchView view =
        batch(sequence, {index},
              kNow + Duration{static_cast<std::int64_t>(sequence * 17 % 40) * 10'000'000});
    view.header.stream = *rc::gen::inRange<std::uint64_t>(0, 3);
    if (*rc::gen::inRange(0, 5) == 0) window.forget_old(now);
    if (!window.admit(view, now)) continue;
    RC_ASSERT(passed.emplace(view.header.stream, sequence, index).second);
  }
}

}  // namespace
}  // namespace bw::syndication
