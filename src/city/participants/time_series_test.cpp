// SPDX-License-Identifier: Apache-2.0
#include "city/participants/time_series.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <stdlib.h>

namespace bw::city {
namespace {

namespace fs = std::filesystem;

// The rows of a query, with "|" between the values of one.
std::vector<std::string> rows(const fs::path& file, const char* query) {
  sqlite3* database = nullptr;
  EXPECT_EQ(::sqlite3_open(file.c_str(), &database), SQLITE_OK);
  std::vector<std::string> out;
  const auto take = [](void* to, int count, char** values, char**) {
    std::string row;
    for (int i = 0; i < count; ++i) row += (i > 0 ? "|" : "") + std::string(values[i]);
    static_cast<std::vector<std::string>*>(to)->push_back(row);
    return 0;
  };
  EXPECT_EQ(::sqlite3_exec(database, query, take, &out, nullptr), SQLITE_OK);
  ::sqlite3_close(database);
  return out;
}

class TimeSeriesFile : public testing::Test {
 protected:
  TimeSeriesFile() {
    std::string name = (fs::temp_directory_path() / "bwseriesXXXXXX").string();
    home_ = ::mkdtemp(name.data());
  }
  ~TimeSeriesFile() override { fs::remove_all(home_); }
  fs::path home_;
};

TEST_F(TimeSeriesFile, HoldsWhatWasCommitted) {
  const fs::path file = home_ / "series.sqlite";
  const auto series = TimeSeries::create(file);
  ASSERT_TRUE(series) << series.error().message;
  link::Access access{.name = "dsl", .up = {.bits_per_s = 384e3}, .down = {.delay = 20ms}};
  access.down.loss = 0.004;
  ASSERT_TRUE((*series)->participant(3, "resident", 77, access));
  ASSERT_TRUE((*series)->sample({1.5, 2, 3, {0.25, 4096, 10, 20}}));
  ASSERT_TRUE((*series)->message(1.5, 2, 3, 4, 800));
  EXPECT_TRUE(rows(file, "SELECT * FROM sample").empty());
  ASSERT_TRUE((*series)->commit());
  EXPECT_EQ(rows(file,
                 "SELECT id, role, home, access, up_bits_per_s, down_delay_us, down_loss "
                 "FROM participant"),
            std::vector<std::string>{"3|resident|77|dsl|384000.0|20000|0.004"});
  EXPECT_EQ(rows(file, "SELECT * FROM sample"),
            std::vector<std::string>{"1.5|2|3|0.25|4096|10|20"});
  EXPECT_EQ(rows(file, "SELECT * FROM message"), std::vector<std::string>{"1.5|2|3|4|800.0"});
}

TEST_F(TimeSeriesFile, ReplacesThatOfAnEarlierRun) {
  const fs::path file = home_ / "series.sqlite";
  for (int run = 0; run < 2; ++run) {
    const auto series = TimeSeries::create(file);
    ASSERT_TRUE(series) << series.error().message;
    ASSERT_TRUE((*series)->message(0, 0, 0, 1, 1));
    ASSERT_TRUE((*series)->commit());
  }
  EXPECT_EQ(rows(file, "SELECT count(*) FROM message"), std::vector<std::string>{"1"});
}

TEST_F(TimeSeriesFile, SaysWhichFileCannotBeMade) {
  const auto series = TimeSeries::create(home_ / "no" / "series.sqlite");
  ASSERT_FALSE(series);
  EXPECT_NE(series.error().message.find("series.sqlite"), std::string::npos);
}

}  // namespace
}  // namespace bw::city
