// SPDX-License-Identifier: Apache-2.0
#include "syndication/blacklist.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"

namespace bw::syndication {
namespace {

EntityKey entity(std::uint32_t number) {
  EntityKey key;
  for (std::size_t i = 0; i < 4; ++i) key.bytes[8 + i] = static_cast<std::uint8_t>(number >> 8 * i);
  return key;
}

constexpr Time kStart = from_seconds(1'000'000);

class BlacklistTest : public ::testing::Test {
 protected:
  // Strikes until banned; how long that is for.
  Duration offend(Time now) {
    blacklist.strike(who, 20, now);
    return blacklist.banned_until(who, now).value_or(now) - now;
  }

  Blacklist blacklist{20, 60s};
  EntityKey who = entity(1);
};

TEST_F(BlacklistTest, StrikesFade) {
  Time now = kStart;
  for (int i = 0; i < 1000; ++i) {
    blacklist.strike(who, 1, now);
    now += 3s;  // the pace at which one fades
  }
  EXPECT_FALSE(blacklist.banned_until(who, now));
  for (int i = 0; i < 25; ++i) {
    blacklist.strike(who, 1, now);
    now += 100ms;
  }
  EXPECT_TRUE(blacklist.banned_until(who, now));
}

TEST_F(BlacklistTest, BansDoubleAndCalmMakesUpForThem) {
  Time now = kStart;
  EXPECT_EQ(offend(now), Duration(60s));
  now += 60s;
  EXPECT_FALSE(blacklist.banned_until(who, now));
  EXPECT_EQ(offend(now), Duration(120s));
  now += 120s;
  EXPECT_EQ(offend(now), Duration(240s));
  now += 240s + 240s;  // the ban, then as much calm: two bans are left
  EXPECT_EQ(offend(now), Duration(240s));
  now += 240s + 240s + 120s + 60s;
  blacklist.tick(now);
  EXPECT_EQ(blacklist.remembered(), 0);
  EXPECT_EQ(offend(now), Duration(60s));
}

TEST_F(BlacklistTest, BansAreVisibleWhileTheyLast) {
  blacklist.strike(who, 25, kStart);
  const auto entries = blacklist.entries(kStart);
  ASSERT_EQ(entries.size(), 1);
  EXPECT_EQ(entries[0].entity, who);
  EXPECT_EQ(entries[0].until, kStart + 60s);
  EXPECT_EQ(entries[0].strikes, 25);
  blacklist.tick(kStart + 59s);
  EXPECT_TRUE(blacklist.banned_until(who, kStart + 59s));
  EXPECT_TRUE(blacklist.entries(kStart + 60s).empty());
}

TEST_F(BlacklistTest, RemembersBoundedlyMany) {
  for (std::uint32_t i = 0; i < limits::kStrikeRecords + 10; ++i)
    blacklist.strike(entity(i), 1, kStart);
  EXPECT_EQ(blacklist.remembered(), limits::kStrikeRecords);
}

}  // namespace
}  // namespace bw::syndication
