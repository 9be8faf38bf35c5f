// SPDX-License-Identifier: Apache-2.0
#include "city/results.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "city/timeline.hpp"
#include "store/testing/temp_directory.hpp"

namespace bw::city {
namespace {

TEST(Results, GivesBackTheLatestOfEachVerb) {
  const store::testing::TempDirectory directory;
  const Results results(directory.path());
  EXPECT_TRUE(results.load("build")->is_null());
  ASSERT_TRUE(results.save("build", {{"build_s", 1}}).has_value());
  ASSERT_TRUE(results.save("build", {{"build_s", 2}}).has_value());
  ASSERT_TRUE(results.save("check", {{"pairs", 3}}).has_value());
  EXPECT_EQ((*results.load("build"))["build_s"], 2);
  EXPECT_EQ((*results.load("check"))["pairs"], 3);
}

TEST(Results, SaysWhichFileIsDamaged) {
  const store::testing::TempDirectory directory;
  const Results results(directory.path());
  ASSERT_TRUE(results.save("run", Json::object()).has_value());
  std::ofstream(directory.path() / "results" / "run.json") << "{\"half";
  const auto loaded = results.load("run");
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(loaded.error().message.find("run.json"), std::string::npos);
}

TEST(Results, CannotBeSavedWhereNothingCanBe) {
  const store::testing::TempDirectory directory;
  std::ofstream(directory.path() / "results") << "in the way";
  EXPECT_EQ(Results(directory.path()).save("run", Json::object()).error().code, ErrorCode::kIo);
}

TEST(Timeline, StaysSmallAndEvenWhateverItsLength) {
  Timeline timeline;
  for (std::uint64_t i = 0; i < 100'000; ++i) timeline.note(static_cast<double>(i) / 10, i);
  const auto& points = timeline.points();
  EXPECT_LT(points.size(), Timeline::kMost);
  EXPECT_GE(points.size(), Timeline::kMost / 2 - 1);
  EXPECT_EQ(points.front().second, 0U);
  EXPECT_GT(points.back().first, 9'800);
  const double apart = points[1].first - points[0].first;
  for (std::size_t i = 1; i < points.size(); ++i) {
    EXPECT_NEAR(points[i].first - points[i - 1].first, apart, apart / 2) << i;
  }
}

TEST(Timeline, ShowsTheCourseOfWhatTookAFifthOfASecond) {
  Timeline timeline;
  for (std::uint64_t i = 0; i <= 200; ++i) timeline.note(static_cast<double>(i) / 1000, i);
  EXPECT_GT(timeline.points().size(), 10U);
}

}  // namespace
}  // namespace bw::city
