// SPDX-License-Identifier: Apache-2.0
#include "base/crowd.hpp"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace bw {
namespace {

TEST(Crowd, TheOldestOfTheGreediestIsToGo) {
  Crowd<std::string> crowd;
  EXPECT_EQ(crowd.oldest_of_greediest(), nullptr);
  EXPECT_EQ(crowd.oldest_from(1), nullptr);
  crowd.enter(1, "early");
  std::vector<Crowd<std::string>::Place> many;
  for (const char* name : {"a", "b", "c"}) many.push_back(crowd.enter(2, name));
  EXPECT_EQ(*crowd.oldest_of_greediest(), "a") << "though another came before it";
  crowd.leave(many[0]);
  EXPECT_EQ(*crowd.oldest_of_greediest(), "b");
  EXPECT_EQ(*crowd.oldest_from(1), "early");
  EXPECT_EQ(crowd.size(), 3U);
  EXPECT_EQ(crowd.from(2), 2U);
  crowd.leave(many[1]);
  crowd.leave(many[2]);
  EXPECT_EQ(crowd.from(2), 0U);
  EXPECT_EQ(*crowd.oldest_of_greediest(), "early");
}

TEST(Origin, IsAnIpv4AddressOrAnIpv6UsersPrefix) {
  const ByteArray<4> v4{192, 0, 2, 1};
  ByteArray<16> mapped{};
  mapped[10] = mapped[11] = 0xff;
  std::ranges::copy(v4, mapped.begin() + 12);
  EXPECT_EQ(origin_of(v4), 0xc0000201U);
  EXPECT_EQ(origin_of(mapped), origin_of(v4));
  ByteArray<16> v6{0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 2, 3};
  const std::uint64_t one = origin_of(v6);
  v6[15] = 9;
  EXPECT_EQ(origin_of(v6), one);
  v6[7] = 3;
  EXPECT_NE(origin_of(v6), one);
}

}  // namespace
}  // namespace bw
