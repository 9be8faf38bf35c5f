// SPDX-License-Identifier: Apache-2.0
#include "city/participants/summary.hpp"

#include <gtest/gtest.h>

namespace bw::city {
namespace {

using Values = std::vector<double>;

TEST(Summary, AMomentIsTheMeanOfAllSinceTheLookBefore) {
  const std::vector<AgentUse> before{
      {.cpu_s = 1, .rss_bytes = 9, .up_bytes = 100, .down_bytes = 50},
      {.cpu_s = 5, .rss_bytes = 9, .up_bytes = 0, .down_bytes = 0}};
  const std::vector<AgentUse> now{
      {.cpu_s = 1.02, .rss_bytes = 30, .up_bytes = 300, .down_bytes = 150},
      {.cpu_s = 5.06, .rss_bytes = 50, .up_bytes = 0, .down_bytes = 100}};
  const auto moment = moment_of(before, now, 2, 17);
  EXPECT_EQ(moment.s, 17);
  EXPECT_NEAR(moment.cpu_percent, 2, 1e-9);
  EXPECT_NEAR(moment.bytes_per_s, 100, 1e-9);
  EXPECT_NEAR(moment.rss_bytes, 40, 1e-9);
}

TEST(Summary, EachAgentByTheWholeWatchAndEachMessageByItsReceiver) {
  const std::vector<link::Access> accesses{
      {.name = "fibre", .up = {}, .down = {}},
      {.name = "3g", .up = {}, .down = {}},
      {.name = "fibre", .up = {}, .down = {}},
  };
  const std::vector<AgentUse> before(3, AgentUse{.cpu_s = 2, .rss_bytes = 1, .up_bytes = 10});
  const std::vector<AgentUse> after{
      {.cpu_s = 2.3, .rss_bytes = 7, .up_bytes = 20, .down_bytes = 40},
      {.cpu_s = 2.1, .rss_bytes = 5, .up_bytes = 10, .down_bytes = 10},
      {.cpu_s = 2.2, .rss_bytes = 6, .up_bytes = 110, .down_bytes = 0}};
  WatchReport report;
  report.seconds = 10;
  summarise(accesses, before, after, {{0, 30}, {1, 900}, {2, 10}, {0, 20}}, report);
  ASSERT_EQ(report.cpu_percent.size(), 3U);
  EXPECT_NEAR(report.cpu_percent.front(), 1, 1e-9);
  EXPECT_NEAR(report.cpu_percent.back(), 3, 1e-9);
  EXPECT_EQ(report.bytes_per_s, (Values{1, 5, 10}));
  EXPECT_EQ(report.rss_bytes, (Values{5, 6, 7}));
  EXPECT_EQ(report.message_us, (Values{10, 20, 30, 900}));
  ASSERT_EQ(report.by_access.size(), 2U);
  EXPECT_EQ(report.by_access[0].participants, 2U);
  EXPECT_EQ(report.by_access[0].bytes_per_s, (Values{5, 10}));
  EXPECT_EQ(report.by_access[0].message_us, (Values{10, 20, 30}));
  EXPECT_EQ(report.by_access[1].access.name, "3g");
  EXPECT_EQ(report.by_access[1].message_us, (Values{900}));
}

}  // namespace
}  // namespace bw::city
