// SPDX-License-Identifier: Apache-2.0
#include "city/page.hpp"

#include <fmt/format.h>

namespace bw::city {

std::string value_text(const Json& from, const char* name, double divisor, const char* unit) {
  const auto value = number(from, name);
  return value ? number_text(*value / divisor) + unit : "";
}

void Facts::add(const std::string& what, const std::string& value) {
  if (value.empty()) return;
  rows_ += fmt::format("<tr><td>{}</td><td>{}</td></tr>\n", escaped(what), escaped(value));
}

std::string Facts::text() const {
  return rows_.empty() ? "" : "<table class=\"plain\">\n" + rows_ + "</table>\n";
}

std::string figure(const Chart& chart) {
  return fmt::format("<figure><h3>{}</h3>{}</figure>\n", escaped(chart.title), svg(chart));
}

std::string section(const char* title, const std::string& body) {
  return fmt::format("<section><h2>{}</h2>\n{}</section>\n", title, body);
}

std::string missing(const Json& report, const std::string& finding) {
  for (const Json& gap : list(report, "not_measured")) {
    if (gap["finding"] != finding) continue;
    return fmt::format("<p class=\"missing\">Not measured. <code>{}</code> does.</p>\n",
                       escaped(gap["command"].get<std::string>()));
  }
  return {};
}

}  // namespace bw::city
