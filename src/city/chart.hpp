// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bw::city {

// Text inside XML, also inside attributes in double quotes. Control characters, which XML cannot
// hold, become '?'.
std::string escaped(std::string_view text);
// For people: "0", "0.25", "9.5", "250", "25 k", "1.5 M".
std::string number_text(double value);
// Every digit, in groups: "1,312,005".
std::string count_text(std::uint64_t value);

struct Axis {
  std::string title;  // with the unit
  bool log = false;   // then values above 0
};

struct Series {
  std::string label;  // drawn at its last point
  std::vector<std::pair<double, double>> points;
};

// A vertical line with its words.
struct Mark {
  double x = 0;
  std::string label;
};

struct Chart {
  enum class Kind : std::uint8_t { kLines, kDots, kBars };  // dots are joined by lines
  std::string title;                                        // says what is to be seen
  Axis x;
  Axis y;
  Kind kind = Kind::kLines;
  std::vector<Series> series;
  std::vector<Mark> marks = {};
};

// As an <svg> element, well-formed XML, without any script or reference. Colours come from the
// classes s0, s1, s2, mark, grid and text of the page. A chart without points says so. Pure.
std::string svg(const Chart& chart);

}  // namespace bw::city
