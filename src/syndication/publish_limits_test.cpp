// SPDX-License-Identifier: Apache-2.0
#include "syndication/publish_limits.hpp"

#include <gtest/gtest.h>

namespace bw::syndication {
namespace {

constexpr Time kStart = from_seconds(1'000'000);

wave::PublishLimit limit(std::uint8_t dot, std::uint32_t rate) {
  return {.dot = ObjectId{{dot}}, .messages_per_second = rate, .stored_bytes = 1};
}

TEST(PublishLimits, CountsPerDot) {
  PublishLimits limits;
  const std::vector a{limit(1, 2), limit(2, 0)};
  const std::vector b{limit(1, 2), limit(3, 10)};
  EXPECT_TRUE(limits.take(a, kStart));
  EXPECT_TRUE(limits.take(b, kStart));
  EXPECT_EQ(limits.take(a, kStart).error().code, ErrorCode::kLimited);
  EXPECT_FALSE(limits.take(b, kStart));
  EXPECT_TRUE(limits.take(b, kStart + 500ms));
  EXPECT_FALSE(limits.take(a, kStart + 500ms));
}

TEST(PublishLimits, ForgetsWhatIsFullAgain) {
  PublishLimits limits;
  const std::vector one{limit(1, 2)};
  EXPECT_TRUE(limits.take(one, kStart));
  limits.tick(kStart + 1s);
  EXPECT_EQ(limits.remembered(), 1);
  limits.tick(kStart + 1s + 1us);
  EXPECT_EQ(limits.remembered(), 0);
}

}  // namespace
}  // namespace bw::syndication
