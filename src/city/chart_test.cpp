// SPDX-License-Identifier: Apache-2.0
#include "city/chart.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace bw::city {
namespace {

std::size_t times(const std::string& text, const std::string& what) {
  std::size_t out = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
    ++out;
  return out;
}

TEST(Chart, NumbersReadWell) {
  EXPECT_EQ(number_text(0), "0");
  EXPECT_EQ(number_text(0.25), "0.25");
  EXPECT_EQ(number_text(9.5), "9.5");
  EXPECT_EQ(number_text(250), "250");
  EXPECT_EQ(number_text(1234.4), "1234");
  EXPECT_EQ(number_text(25'000), "25 k");
  EXPECT_EQ(number_text(999'900), "1 M");
  EXPECT_EQ(number_text(1'500'000), "1.5 M");
  EXPECT_EQ(number_text(2e9), "2 G");
  EXPECT_EQ(number_text(-40), "-40");
  EXPECT_EQ(count_text(7), "7");
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(count_text(1'312'005), "1,312,005");
}

TEST(Chart, WordsCannotBecomeMarkup) {
  EXPECT_EQ(escaped("a<b>&\"c\"\x01"), "a&lt;b&gt;&amp;&quot;c&quot;?");
  const Chart chart{.title = "\"><script>",
                    .x = {"<x>"},
                    .y = {"<y>"},
                    .series = {{"</svg>", {{1, 1}, {2, 2}}}},
                    .marks = {{1, "<mark>"}}};
  const std::string drawn = svg(chart);
  for (const char* word : {"<script>", "<x>", "<y>", "<mark>"}) {
    EXPECT_EQ(drawn.find(word), std::string::npos) << word;
  }
  EXPECT_EQ(times(drawn, "</svg>"), 1U);
}

TEST(Chart, ShowsEachPointAxisLabelAndMark) {
  const Chart chart{.title = "t",
                    .x = {"links"},
                    .y = {"microseconds", true},
                    .kind = Chart::Kind::kDots,
                    .series = {{"p50", {{1, 10}, {2, 20}, {3, 30}}}, {"p99", {{1, 100}, {3, 990}}}},
                    .marks = {{2, "here"}}};
  const std::string drawn = svg(chart);
  EXPECT_EQ(times(drawn, "<circle"), 5U);
  for (const char* word : {">links<", ">microseconds<", ">p50<", ">p99<", ">here<", ">1000<"}) {
    EXPECT_NE(drawn.find(word), std::string::npos) << word;
  }
}

TEST(Chart, ABarIsAsHighAsItsValue) {
  const Chart chart{.title = "t",
                    .x = {"hour"},
                    .y = {"changes"},
                    .kind = Chart::Kind::kBars,
                    .series = {{"c", {{0, 50}, {1, 100}}}}};
  const std::string drawn = svg(chart);
  EXPECT_NE(drawn.find("height=\"120.0\""), std::string::npos);
  EXPECT_NE(drawn.find("height=\"240.0\""), std::string::npos);
}

TEST(Chart, WhatCannotBeDrawnIsLeftOut) {
  const double infinite = std::numeric_limits<double>::infinity();
  Chart chart{.title = "t",
              .x = {"x", true},
              .y = {"y", true},
              .kind = Chart::Kind::kDots,
              .series = {{"s", {{0, 1}, {1, 0}, {-1, 5}, {infinite, 1}, {10, 100}}}},
              .marks = {{0, "nowhere"}}};
  const std::string drawn = svg(chart);
  EXPECT_EQ(times(drawn, "<circle"), 1U);
  EXPECT_EQ(drawn.find("inf"), std::string::npos);
  EXPECT_EQ(drawn.find("nan"), std::string::npos);
  chart.series[0].points.clear();
  EXPECT_NE(svg(chart).find("nothing to show"), std::string::npos);
}

}  // namespace
}  // namespace bw::city
