// SPDX-License-Identifier: Apache-2.0
#include "net/origin_allowances.hpp"

#include <gtest/gtest.h>

namespace bw::net {
namespace {

constexpr Time kNow = from_seconds(1'700'000'000);

TEST(OriginAllowances, EachOriginHasItsOwn) {
  OriginAllowances allowances(1, 2);
  EXPECT_TRUE(allowances.take(1, 1, kNow));
  EXPECT_TRUE(allowances.take(1, 1, kNow));
  EXPECT_FALSE(allowances.take(1, 1, kNow));
  EXPECT_TRUE(allowances.take(2, 1, kNow));
  EXPECT_TRUE(allowances.take(1, 1, kNow + 1s));
  EXPECT_FALSE(allowances.take(1, 1, kNow + 1s));
}

TEST(OriginAllowances, RemembersABoundedNumberAndForgetsTheOldestFirst) {
  OriginAllowances allowances(1, 1);
  EXPECT_TRUE(allowances.take(1, 1, kNow));
  for (std::uint64_t other = 2; other <= OriginAllowances::kOrigins; ++other) {
    EXPECT_TRUE(allowances.take(other, 1, kNow));
  }
  EXPECT_FALSE(allowances.take(1, 1, kNow)) << "still remembered, and now the latest";
  EXPECT_TRUE(allowances.take(0, 1, kNow));
  EXPECT_EQ(allowances.size(), OriginAllowances::kOrigins);
  EXPECT_FALSE(allowances.take(1, 1, kNow));
  EXPECT_TRUE(allowances.take(2, 1, kNow)) << "forgotten";
}

}  // namespace
}  // namespace bw::net
