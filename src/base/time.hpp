// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace bw {

using Duration = std::chrono::microseconds;
// Wall-clock time, microseconds since 1970-01-01 UTC.
using Time = std::chrono::sys_time<Duration>;

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""us;

// Ledger objects carry whole seconds in 40 bits; the largest value means "never".
inline constexpr std::uint64_t kNeverSeconds = (std::uint64_t{1} << 40U) - 1;
inline constexpr Time kNever{std::chrono::seconds{kNeverSeconds}};

constexpr Time from_seconds(std::uint64_t seconds) {
  return Time{std::chrono::seconds{static_cast<std::int64_t>(seconds)}};
}
constexpr std::uint64_t to_seconds(Time time) {
  return static_cast<std::uint64_t>(
      std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
}
constexpr Time from_micros(std::uint64_t micros) {
  return Time{Duration{static_cast<std::int64_t>(micros)}};
}
constexpr std::uint64_t to_micros(Time time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

// "2026-11-23T02:21:05Z"; kNever is "never".
std::string to_text(Time time);
// RFC 3339 in UTC ("...Z"), or "never".
Result<Time> parse_time(std::string_view text);
// "90d", "1h30m", "1.5h", "250ms"; units y (365 d), w, d, h, m, s, ms, us.
Result<Duration> parse_duration(std::string_view text);
// "3.2 ms", "4 h 10 m", two significant units at most.
std::string to_text(Duration duration);

// The port through which time comes in. Implementations are thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Time now() const = 0;
};

}  // namespace bw
