// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.hpp"
#include "base/time.hpp"
#include "cli/app.hpp"

namespace bw::cli {

using Json = nlohmann::ordered_json;

// One JSON object on one line, flushed, so that pipes see it at once.
void print_json(const Json& value);
// A line for people. What came from elsewhere goes through printable() first.
void print_line(const std::string& line);
void print_error(const App& app, const Error& error);

// Columns as wide as their widest cell; the last one runs free.
class Table {
 public:
  explicit Table(std::vector<std::string> heads) { rows_.push_back(std::move(heads)); }
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  [[nodiscard]] bool empty() const { return rows_.size() == 1; }
  void print() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// "12 / 400  3 %  1,200/s  12 s left", redrawn in place on a terminal, silent elsewhere.
class Progress {
 public:
  Progress(std::string what, std::uint64_t total);
  ~Progress();
  void at(std::uint64_t done);

 private:
  std::string what_;
  std::uint64_t total_;
  bool shown_;
  Time began_;
  Time drawn_;
};

std::string time_text(std::int64_t micros);  // "-" for 0
// "90d" from now or a time as written; 0 for "".
Result<std::int64_t> when(const std::string& text);
int exit_code(ErrorCode code);

}  // namespace bw::cli
