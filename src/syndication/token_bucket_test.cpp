// SPDX-License-Identifier: Apache-2.0
#include "syndication/token_bucket.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace bw::syndication {
namespace {

const Time kStart = from_seconds(1'795'000'000);

TEST(TokenBucket, StartsFullAndGivesNoMoreThanItsBurst) {
  TokenBucket bucket(1, 3, kStart);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.take(1, kStart));
  EXPECT_FALSE(bucket.take(1, kStart));
}

TEST(TokenBucket, IsExactToTheMicrosecond) {
  TokenBucket bucket(10, 1, kStart);
  ASSERT_TRUE(bucket.take(1, kStart));
  EXPECT_FALSE(bucket.take(1, kStart + 100ms - 1us));
  EXPECT_TRUE(bucket.take(1, kStart + 100ms));
  EXPECT_FALSE(bucket.take(1, kStart + 200ms - 1us));
  EXPECT_TRUE(bucket.take(1, kStart + 200ms));
}

TEST(TokenBucket, TakesAllOrNothing) {
  TokenBucket bucket(1, 5, kStart);
  EXPECT_FALSE(bucket.take(6, kStart));
  EXPECT_TRUE(bucket.take(5, kStart));
  EXPECT_FALSE(bucket.take(2, kStart + 1s));
  EXPECT_TRUE(bucket.take(1, kStart + 1s));
}

TEST(TokenBucket, SavesNoMoreThanItsBurst) {
  TokenBucket bucket(1000, 2, kStart);
  EXPECT_TRUE(bucket.take(2, kStart + 3600s));
  EXPECT_FALSE(bucket.take(1, kStart + 3600s));
}

TEST(TokenBucket, AClockThatStepsBackGivesNothing) {
  TokenBucket bucket(1, 1, kStart);
  ASSERT_TRUE(bucket.take(1, kStart));
  EXPECT_FALSE(bucket.take(1, kStart - 10s));
  EXPECT_TRUE(bucket.take(1, kStart - 9s));
}

// However often it is asked, it gives what integers say: burst at first, then rate times time.
RC_GTEST_PROP(TokenBucketProperty, NeverDrifts, ()) {
  const auto rate = *rc::gen::inRange<std::int64_t>(1, 100'000);
  const auto burst = *rc::gen::inRange<std::int64_t>(1, 1000);
  TokenBucket bucket(static_cast<double>(rate), static_cast<double>(burst), kStart);
  std::int64_t millionths = burst * 1'000'000;
  Time now = kStart;
  for (int i = 0; i < 200; ++i) {
    const auto step = *rc::gen::inRange<std::int64_t>(0, 20'000);
    now += Duration{step};
    millionths = std::min(burst * 1'000'000, millionths + step * rate);
    const auto count = *rc::gen::inRange<std::int64_t>(0, 20);
    const bool expected = count * 1'000'000 <= millionths;
    RC_ASSERT(bucket.take(static_cast<double>(count), now) == expected);
    if (expected) millionths -= count * 1'000'000;
  }
}

}  // namespace
}  // namespace bw::syndication
