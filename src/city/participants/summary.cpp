// SPDX-License-Identifier: Apache-2.0
#include "city/participants/summary.hpp"

#include <algorithm>

namespace bw::city {
namespace {

double cpu_percent(const AgentUse& before, const AgentUse& after, double seconds) {
  return 100 * (after.cpu_s - before.cpu_s) / seconds;
}

double bytes_per_s(const AgentUse& before, const AgentUse& after, double seconds) {
  const auto bytes = [](const AgentUse& use) { return use.up_bytes + use.down_bytes; };
  return static_cast<double>(bytes(after) - bytes(before)) / seconds;
}

WatchReport::OfAccess& of_access(const link::Access& access, WatchReport& report) {
  const auto found = std::ranges::find_if(
      report.by_access, [&](const auto& those) { return those.access.name == access.name; });
  if (found != report.by_access.end()) return *found;
  WatchReport::OfAccess& made = report.by_access.emplace_back();
  made.access = access;
  return made;
}

void sort_all(WatchReport& report) {
  for (auto* values :
       {&report.cpu_percent, &report.bytes_per_s, &report.rss_bytes, &report.message_us}) {
    std::ranges::sort(*values);
  }
  for (WatchReport::OfAccess& those : report.by_access) {
    for (auto* values : {&those.cpu_percent, &those.bytes_per_s, &those.message_us}) {
      std::ranges::sort(*values);
    }
  }
}

}  // namespace

WatchReport::Moment moment_of(const std::vector<AgentUse>& before, const std::vector<AgentUse>& now,
                              double seconds, double at_s) {
  WatchReport::Moment out{.s = at_s};
  const auto agents = static_cast<double>(now.size());
  for (std::size_t i = 0; i < now.size(); ++i) {
    out.cpu_percent += cpu_percent(before[i], now[i], seconds) / agents;
    out.bytes_per_s += bytes_per_s(before[i], now[i], seconds) / agents;
    out.rss_bytes += static_cast<double>(now[i].rss_bytes) / agents;
  }
  return out;
}

void summarise(const std::vector<link::Access>& accesses, const std::vector<AgentUse>& before,
               const std::vector<AgentUse>& after, const std::vector<Arrived>& arrivals,
               WatchReport& report) {
  for (std::size_t i = 0; i < accesses.size(); ++i) {
    WatchReport::OfAccess& those = of_access(accesses[i], report);
    ++those.participants;
    those.cpu_percent.push_back(cpu_percent(before[i], after[i], report.seconds));
    those.bytes_per_s.push_back(bytes_per_s(before[i], after[i], report.seconds));
    report.cpu_percent.push_back(those.cpu_percent.back());
    report.bytes_per_s.push_back(those.bytes_per_s.back());
    report.rss_bytes.push_back(static_cast<double>(after[i].rss_bytes));
  }
  for (const Arrived& arrival : arrivals) {
    of_access(accesses[arrival.receiver], report).message_us.push_back(arrival.latency_us);
    report.message_us.push_back(arrival.latency_us);
  }
  sort_all(report);
}

}  // namespace bw::city
