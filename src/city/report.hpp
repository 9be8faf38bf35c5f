// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "city/results.hpp"

namespace bw::city {

// What the verbs found out (their JSON); null where one has not run.
struct Findings {
  Json build;
  Json check;
  Json run;
  Json participants;  // these two: city/participants/watch_report.hpp
  Json attacked;
  Json capacity;
};

// All of it in one object: "table_1" (the paper's and ours by type, with differences, scaled),
// "figures", the findings under their names, and "not_measured": an array of
// {"finding", "what", "command"}.
Json report_json(const Findings& findings);

// As one page that needs nothing else: tables, plots and, where something is missing, the command
// that makes it. Well-formed XML after its first line. What the
// findings lack is not shown.
std::string report_html(const Json& report);

}  // namespace bw::city
