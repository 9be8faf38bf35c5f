// SPDX-License-Identifier: Apache-2.0
#include "cli/output.hpp"

#include <gtest/gtest.h>

namespace bw::cli {
namespace {

std::string printed(const Table& table) {
  ::testing::internal::CaptureStdout();
  table.print();
  return ::testing::internal::GetCapturedStdout();
}

Time machine_now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

TEST(Tables, ColumnsAreAsWideAsTheirWidestCellAndTheLastRunsFree) {
  Table table({"NAME", "KEY", "NOTE"});
  EXPECT_TRUE(table.empty());
  table.row({"a", "longer than its head", "x"});
  table.row({"alice", "k", "a note of any length"});
  EXPECT_FALSE(table.empty());
  EXPECT_EQ(printed(table),
            "NAME   KEY                   NOTE\n"
            "a      longer than its head  x\n"
            "alice  k                     a note of any length\n");
}

TEST(Tables, LettersOfSeveralBytesTakeOneColumn) {
  Table table({"NAME", "X"});
  table.row({"größer", "y"});
  EXPECT_EQ(printed(table), "NAME    X\ngrößer  y\n");
}

TEST(Tables, RowsMayBeShorterThanTheHead) {
  Table table({"A", "B"});
  table.row({"only"});
  table.row({});
  EXPECT_EQ(printed(table), "A     B\nonly\n\n");
}

TEST(JsonLines, AreOneLineWhateverIsInside) {
  ::testing::internal::CaptureStdout();
  print_json({{"text", "two\nlines"}, {"broken", "\xff"}});
  const std::string line = ::testing::internal::GetCapturedStdout();
  EXPECT_EQ(std::ranges::count(line, '\n'), 1);
  EXPECT_TRUE(Json::accept(line)) << line;
}

TEST(Times, AreReadAsTimesOrFromNowOn) {
  EXPECT_EQ(when(""), 0);
  EXPECT_EQ(when("1970-01-01T00:00:01Z"), 1'000'000);
  EXPECT_EQ(when("never"), kNever.time_since_epoch().count());
  const std::int64_t before = machine_now().time_since_epoch().count();
  const auto later = when("1h30m");
  ASSERT_TRUE(later.has_value());
  EXPECT_GE(*later, before + 5400'000'000);
  EXPECT_LE(*later, machine_now().time_since_epoch().count() + 5400'000'000);
  for (const char* bad : {"soon", "90", "h", "2026-13-01T00:00:00Z", "40000y", "\x1b[2J"}) {
    const auto refused = when(bad);
    ASSERT_FALSE(refused.has_value()) << bad;
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(refused.error().message.find('\x1b'), std::string::npos);
  }
}

TEST(Times, AreShownForPeople) {
  EXPECT_EQ(time_text(0), "-");
  EXPECT_EQ(time_text(1'000'000), "1970-01-01T00:00:01Z");
  EXPECT_EQ(time_text(kNever.time_since_epoch().count()), "never");
}

TEST(ExitCodes, FailureIsNeverSuccess) {
  for (int code = 0; code < 120; ++code) {
    EXPECT_NE(exit_code(error_code_from_wire(static_cast<std::uint16_t>(code))), 0);
  }
  EXPECT_EQ(exit_code(ErrorCode::kInvalidArgument), 2);
  EXPECT_EQ(exit_code(ErrorCode::kDenied), 3);
  EXPECT_EQ(exit_code(ErrorCode::kNotFound), 4);
  EXPECT_EQ(exit_code(ErrorCode::kUnavailable), 5);
}

}  // namespace
}  // namespace bw::cli
