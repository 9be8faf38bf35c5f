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
  Json attacked;      // a run under attack, of the same members as `run`
  Json participants;  // "agent_cpu_percent", "agent_bytes_per_s", and "over_time": an array of
                      // {"s", "cpu_percent", "rss_bytes", "bytes_per_s"}, means of all agents
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
