// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "city/participants/watch_report.hpp"

// What was seen of participants, put together. Pure.
namespace bw::city {

// Of one agent since its start.
struct AgentUse {
  double cpu_s = 0;
  std::uint64_t rss_bytes = 0;
  std::uint64_t up_bytes = 0;
  std::uint64_t down_bytes = 0;
};

// Between two looks at all agents, `seconds` (above 0) apart; the second was at `at_s`.
WatchReport::Moment moment_of(const std::vector<AgentUse>& before, const std::vector<AgentUse>& now,
                              double seconds, double at_s);

// A message that arrived.
struct Arrived {
  std::size_t receiver = 0;  // participant
  double latency_us = 0;
};

// Fills in what the agents took in the whole watch and how long messages went, of all and by kind
// of access. Preconditions: report.seconds is above 0, one access and use for each participant.
void summarise(const std::vector<link::Access>& accesses, const std::vector<AgentUse>& before,
               const std::vector<AgentUse>& after, const std::vector<Arrived>& arrivals,
               WatchReport& report);

}  // namespace bw::city
