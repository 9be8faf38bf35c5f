// SPDX-License-Identifier: Apache-2.0
#include "city/capacity.hpp"

#include <random>

#include <gtest/gtest.h>

namespace bw::city {
namespace {

// One server that takes `service_s` for an event, with events in even distance and some noise.
std::vector<Delay> queue(double per_second, double service_s, double length_s,
                         double pause_at_s = -1) {
  std::mt19937_64 random(5);
  std::vector<Delay> out;
  double free_at = 0;
  for (double due = 0; due < length_s; due += 1 / per_second) {
    const double noise = 0.5 + static_cast<double>(random() % 1000) / 1000;
    free_at = std::max(free_at, due) + service_s * noise;
    if (pause_at_s >= 0 && due >= pause_at_s) {
      free_at += 0.2;
      pause_at_s = -1;
    }
    out.push_back({due, free_at - due});
  }
  return out;
}

TEST(Capacity, AQueueGrowsWhenMoreComesThanIsServed) {
  EXPECT_FALSE(queue_grows(queue(100, 0.001, 2)));
  EXPECT_FALSE(queue_grows(queue(900, 0.001, 2)));
  EXPECT_TRUE(queue_grows(queue(1100, 0.001, 2)));
  EXPECT_TRUE(queue_grows(queue(4000, 0.001, 2)));
}

TEST(Capacity, APauseIsNoGrowth) {
  for (const double at : {0.1, 0.5, 1.0, 1.4}) EXPECT_FALSE(queue_grows(queue(500, 0.001, 2, at)));
}

TEST(Capacity, TooFewSayNothing) {
  EXPECT_FALSE(queue_grows(queue(2, 5, 2)));
}

CapacityStep step_of(double offered, double service_s) {
  CapacityStep out;
  out.offered = out.done = offered;
  out.grew = queue_grows(queue(offered / 3600, service_s, 2));
  return out;
}

TEST(Capacity, IsFoundForAnyServer) {
  for (const double service_s : {0.01, 0.001, 0.00037, 0.0001}) {
    const double real = 3600 / service_s;
    const auto found =
        search_capacity(100'000, 4, [&](double offered) { return step_of(offered, service_s); });
    ASSERT_TRUE(found.has_value());
    EXPECT_GT(found->sustained, real * 0.85) << service_s;
    EXPECT_LT(found->sustained, real * 1.1) << service_s;
  }
}

TEST(Capacity, OneBadStepIsTakenOnceMore) {
  int steps = 0;
  const auto found = search_capacity(100'000, 3, [&](double offered) {
    CapacityStep out = step_of(offered, 0.001);
    if (++steps == 2) out.grew = true;
    return out;
  });
  EXPECT_GT(found->sustained, 3'000'000);
}

TEST(Capacity, WhatDidNotTakeEffectDoesNotCount) {
  const auto found = search_capacity(100'000, 3, [&](double offered) {
    CapacityStep out = step_of(offered, 0.001);
    out.done = std::min(offered, 1'000'000.0);
    return out;
  });
  EXPECT_EQ(found->sustained, 1'000'000);
}

TEST(Capacity, BelowTheFirstStepIsAnError) {
  const auto found =
      search_capacity(1'000'000, 3, [](double offered) { return step_of(offered, 0.1); });
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace bw::city
