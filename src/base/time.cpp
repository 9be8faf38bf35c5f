// SPDX-License-Identifier: Apache-2.0
#include "base/time.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <utility>

#include "base/text.hpp"

namespace bw {
namespace {

constexpr std::array<std::pair<std::string_view, double>, 8> kUnits{{
    {"ms", 1e3},
    {"us", 1.0},
    {"y", 365.0 * 86400e6},
    {"w", 7 * 86400e6},
    {"d", 86400e6},
    {"h", 3600e6},
    {"m", 60e6},
    {"s", 1e6},
}};

double take_unit(std::string_view& rest) {
  for (const auto& [name, micros] : kUnits) {
    if (rest.starts_with(name)) {
      rest.remove_prefix(name.size());
      return micros;
    }
  }
  return 0;
}

std::string two_units(std::int64_t big, const char* big_name, std::int64_t small,
                      const char* small_name) {
  return small == 0 ? fmt::format("{} {}", big, big_name)
                    : fmt::format("{} {} {} {}", big, big_name, small, small_name);
}

}  // namespace

std::string to_text(Time time) {
  using namespace std::chrono;
  if (time >= kNever) return "never";
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{floor<seconds>(time) - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

Result<Time> parse_time(std::string_view text) {
  using namespace std::chrono;
  if (text == "never") return kNever;
  int y = 0, h = 0, min = 0, sec = 0, used = 0;
  unsigned mon = 0, d = 0;
  const std::string copy(text);
  const int fields =
      std::sscanf(copy.c_str(), "%4d-%2u-%2uT%2d:%2d:%2dZ%n", &y, &mon, &d, &h, &min, &sec, &used);
  const year_month_day date{year{y}, month{mon}, day{d}};
  const bool sane = fields == 6 && static_cast<std::size_t>(used) == text.size() && date.ok() &&
                    y >= 1970 && h >= 0 && h < 24 && min >= 0 && min < 60 && sec >= 0 && sec < 60;
  const Time time = sane ? Time{sys_days{date} + hours{h} + minutes{min} + seconds{sec}} : Time{};
  // sscanf() takes signs, spaces and missing digits too.
  if (!sane || to_text(time) != text) {
    return fail(ErrorCode::kInvalidArgument,
                "'{}' is not a time: write 2026-12-31T23:59:59Z or never", printable(text, 60));
  }
  return time;
}

Result<Duration> parse_duration(std::string_view text) {
  std::string_view rest = text;
  double total = 0;
  bool sane = !rest.empty();
  while (sane && !rest.empty()) {
    double number = 0;
    const auto [end, error] =
        std::from_chars(rest.data(), rest.data() + rest.size(), number, std::chars_format::fixed);
    sane = error == std::errc{} && std::isfinite(number) && number >= 0;
    if (!sane) break;
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const double unit = take_unit(rest);
    total += number * unit;
    sane = unit > 0 && total < 1e18;
  }
  if (!sane) {
    return fail(ErrorCode::kInvalidArgument, "'{}' is not a duration: write 90d, 1h30m or 250ms",
                printable(text, 60));
  }
  return Duration{static_cast<std::int64_t>(total)};
}

std::string to_text(Duration duration) {
  const std::int64_t us = duration.count();
  if (us < 0) return "-" + to_text(-duration);
  if (us < 1000) return fmt::format("{} us", us);
  if (us < 1'000'000) return fmt::format("{:.1f} ms", static_cast<double>(us) / 1e3);
  if (us < 60'000'000) return fmt::format("{:.1f} s", static_cast<double>(us) / 1e6);
  const std::int64_t s = us / 1'000'000;
  if (s < 3600) return two_units(s / 60, "m", s % 60, "s");
  if (s < 86400) return two_units(s / 3600, "h", s % 3600 / 60, "m");
  return two_units(s / 86400, "d", s % 86400 / 3600, "h");
}

}  // namespace bw
