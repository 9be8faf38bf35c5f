// SPDX-License-Identifier: Apache-2.0
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "net/task_group.hpp"

namespace bw::net {
namespace {

RC_GTEST_PROP(Backoff, DrawsFromTheUpperHalfOfADoublingDelay, (std::uint64_t seed)) {
  const Duration first{*rc::gen::inRange(1, 1'000'000)};
  const Duration most = first + Duration{*rc::gen::inRange(0, 100'000'000)};
  Backoff backoff(first, most, seed);
  Duration whole = first;
  for (int i = 0; i < 40; ++i) {
    const Duration delay = backoff.next();
    RC_ASSERT(delay >= whole / 2);
    RC_ASSERT(delay <= whole);
    whole = std::min(whole * 2, most);
  }
  backoff.reset();
  RC_ASSERT(backoff.next() <= first);
}

TEST(Backoff, ClientsDoNotComeBackInStep) {
  std::set<Duration> delays;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Backoff backoff(100ms, 30s, seed);
    delays.insert(backoff.next());
  }
  EXPECT_GT(delays.size(), 90U);
}

TEST(Backoff, TheLongestDurationDoesNotOverflow) {
  Backoff backoff(1s, Duration::max(), 7);
  for (int i = 0; i < 100; ++i) EXPECT_GE(backoff.next(), 500ms);
}

}  // namespace
}  // namespace bw::net
