// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "city/chart.hpp"
#include "city/results.hpp"

// Pieces of the report's page. Well-formed XML. Pure.
namespace bw::city {

inline constexpr double kMib = 1024 * 1024;

// The member divided, with its unit; empty without one.
std::string value_text(const Json& from, const char* name, double divisor, const char* unit);

// A table without a total: what, and how much of it.
class Facts {
 public:
  // Nothing when `value` is empty.
  void add(const std::string& what, const std::string& value);
  [[nodiscard]] std::string text() const;

 private:
  std::string rows_;
};

std::string figure(const Chart& chart);
std::string section(const char* title, const std::string& body);
// How to measure what the verb's finding would tell; empty when it is there.
std::string missing(const Json& report, const std::string& finding);

}  // namespace bw::city
