// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace bw::telemetry {
namespace {

using testing::HasSubstr;

TEST(Metrics, RendersTheExpositionFormat) {
  Metrics metrics;
  metrics.counter("bosswave_router_messages_in_total", "Messages received", [] { return 42.0; });
  metrics.gauge("bosswave_router_sessions", "Open sessions", [] { return 3.0; });
  const std::string text = metrics.render();
  EXPECT_THAT(text, HasSubstr("# TYPE bosswave_router_messages_in_total counter"));
  EXPECT_THAT(text, HasSubstr("bosswave_router_messages_in_total 42"));
  EXPECT_THAT(text, HasSubstr("# HELP bosswave_router_sessions Open sessions"));
  EXPECT_THAT(text, HasSubstr("bosswave_router_sessions 3"));
}

std::string captured(Log::Options options, const std::function<void(Log&)>& use) {
  testing::internal::CaptureStderr();
  {
    Log log(options);
    use(log);
  }
  return testing::internal::GetCapturedStderr();
}

TEST(Log, JsonLinesParseAndHostileValuesStayInTheirField) {
  const std::string out = captured({.level = Level::kInfo, .json = true}, [](Log& log) {
    log.write(Level::kWarning, "router", "refused", {{"entity", "a\"b\n{\x1b[2J"}});
  });
  const auto line = nlohmann::json::parse(out);
  EXPECT_EQ(line["level"], "warning");
  EXPECT_EQ(line["entity"], "a\"b?{?[2J");
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 1);
}

TEST(Log, LevelsBelowTheChosenOneAreSilent) {
  EXPECT_EQ(captured({.level = Level::kWarning}, [](Log& log) { log.write(Level::kInfo, "x", "y"); }), "");
}

TEST(Log, LimitedLinesCannotFloodAndSayHowManyWereDropped) {
  const std::string out = captured({.limited_per_second = 2}, [](Log& log) {
    for (int i = 0; i < 1000; ++i) log.limited(Level::kInfo, "router", "bad frame");
  });
  EXPECT_LE(std::count(out.begin(), out.end(), '\n'), 4);
}

TEST(Log, ParsesLevels) {
  EXPECT_EQ(*parse_level("debug"), Level::kDebug);
  EXPECT_FALSE(parse_level("loud"));
}

}  // namespace
}  // namespace bw::telemetry
