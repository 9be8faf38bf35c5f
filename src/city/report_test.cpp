// SPDX-License-Identifier: Apache-2.0
#include "city/report.hpp"

#include <gtest/gtest.h>

#include "city/model.hpp"

namespace bw::city {
namespace {

Json census(const Counts& counts) {
  Json out = Json::array();
  for (std::size_t i = 0; i < kKinds; ++i) {
    out.push_back({{"entities", counts.entities[i]}, {"dots", counts.dots[i]}});
  }
  return out;
}

bool says(const std::string& page, const std::string& words) {
  return page.find(words) != std::string::npos;
}

TEST(Report, TheWholeCityIsThePapersTable1) {
  Findings found;
  found.build = {{"scale", 1}, {"seed", 3}, {"census", census(Model::draw(3, 1)->counts())}};
  const Json report = report_json(found);
  ASSERT_EQ(report["table_1"].size(), kKinds + 1);
  for (const Json& row : report["table_1"]) {
    EXPECT_EQ(row["entities_difference"], 0) << row;
    EXPECT_EQ(row["dots_difference"], 0) << row;
  }
  EXPECT_EQ(report["table_1"].back()["paper_entities"], 2'090'740);
  EXPECT_EQ(report["table_1"].back()["paper_dots"], 2'965'226);
  EXPECT_TRUE(says(report_html(report), "<td>1,312,005</td>"));
}

TEST(Report, ADifferenceShows) {
  Findings found;
  Counts counts = Model::draw(3, 1)->counts();
  counts.entities[0] -= 1'500;
  found.build = {{"scale", 1}, {"census", census(counts)}};
  const Json report = report_json(found);
  EXPECT_EQ(report["table_1"][0]["entities_difference"], -1'500);
  EXPECT_TRUE(says(report_html(report),
                   "\xE2\x88\x92"
                   "1,500"));
}

TEST(Report, WhatIsMissingIsSaidWithTheCommandThatMakesIt) {
  Findings found;
  const Json nothing = report_json(found);
  EXPECT_EQ(nothing["not_measured"].size(), 6U);
  EXPECT_TRUE(says(report_html(nothing), "bw city build --scale 1 --seed 1"));
  found.build = {{"scale", 0.5}, {"seed", 7}};
  found.capacity = {{"churn_per_hour", 2'000'000}, {"steps", Json::array()}};
  const Json some = report_json(found);
  EXPECT_EQ(some["not_measured"].size(), 4U);
  EXPECT_EQ(some["figures"]["churn_per_hour"], 2'000'000);
  const std::string page = report_html(some);
  EXPECT_TRUE(says(page, "bw city check --scale 0.5 --seed 7"));
  EXPECT_FALSE(says(page, "bw city capacity --scale"));
  EXPECT_TRUE(says(page, "2,000,000"));
}

TEST(Report, ShowsParticipantsAndTheAttack) {
  Findings found;
  found.participants = {
      {"agent_cpu_percent", 0.25},
      {"agent_cpu_percent_max", 0.375},
      {"agent_bytes_per_s", 640},
      {"messages_lost", 1},
      {"messages_failed", 2},
      {"by_access", {{{"access", "3g<"}, {"participants", 3}, {"message_p99_us", 451'000}}}},
      {"over_time",
       {{{"s", 1}, {"cpu_percent", 0.2}, {"rss_bytes", 9e6}, {"bytes_per_s", 600}},
        {{"s", 2}, {"cpu_percent", 0.3}, {"rss_bytes", 9e6}, {"bytes_per_s", 680}}}}};
  found.attacked = {
      {"flooders", 10},
      {"messages_lost", 0},
      {"quiet_message_p50_us", 21'000},
      {"attacked_message_p50_us", 22'000},
      {"standard_error_us", 1'500},
      {"rounds",
       {{{"attacked", false}, {"p50_us", 21'000}}, {{"attacked", true}, {"p50_us", 22'000}}}}};
  const Json report = report_json(found);
  EXPECT_EQ(report["figures"]["agent_cpu_percent_max"], 0.375);
  const std::string page = report_html(report);
  for (const char* words :
       {"0.25 % of a core", "0.375 % of a core", "640 bytes a second",
        "<td>lost or failed, of these</td><td>3</td>", "3g&lt;", "<td>451</td>",
        "<td>Authorised messages lost</td><td>0</td>", "21 ms", "22 ms", "1.5 ms"}) {
    EXPECT_TRUE(says(page, words)) << words;
  }
}

}  // namespace
}  // namespace bw::city
