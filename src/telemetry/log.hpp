// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace bw::telemetry {

enum class Level { kDebug, kInfo, kWarning, kError };
Result<Level> parse_level(std::string_view text);

struct Field {
  std::string_view name;
  std::string value;
};

// Lines for people, or one JSON object a line for programs, on standard error. Thread-safe. Values are
// made safe for terminals; secrets are never passed in. Lines that a stranger can cause go through
// limited(), so that nobody can fill a disk.
class Log {
 public:
  struct Options {
    Level level = Level::kInfo;
    bool json = false;
    double limited_per_second = 5;  // lines of limited(), over all components
  };
  explicit Log(Options options);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void write(Level level, std::string_view component, std::string_view message,
             std::initializer_list<Field> fields = {});
  // Dropped beyond the rate; the next line that passes says how many were dropped.
  void limited(Level level, std::string_view component, std::string_view message,
               std::initializer_list<Field> fields = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bw::telemetry
