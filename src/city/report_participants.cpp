// SPDX-License-Identifier: Apache-2.0
#include "city/report_participants.hpp"

#include <array>

#include <fmt/format.h>

#include "city/page.hpp"

namespace bw::city {
namespace {

// The middle agent and the one with the most.
void add_use(Facts& facts, const char* what, const Json& found, const std::string& name,
             double divisor, const char* unit) {
  facts.add(fmt::format("{} of an agent, median", what),
            value_text(found, name.c_str(), divisor, unit));
  facts.add(fmt::format("{} of the agent with the most", what),
            value_text(found, (name + "_max").c_str(), divisor, unit));
}

Chart over_time(const Json& found, const char* name, const char* title, const char* unit,
                double divisor) {
  Chart out{.title = title,
            .x = {"seconds since the start"},
            .y = {unit},
            .series = {{"mean of all", {}}}};
  for (const Json& moment : list(found, "over_time")) {
    const auto s = number(moment, "s");
    const auto value = number(moment, name);
    if (s && value) out.series[0].points.emplace_back(*s, *value / divisor);
  }
  return out;
}

std::string by_access(const Json& found) {
  struct Column {
    const char* name;
    double divisor;
  };
  constexpr std::array kColumns{
      Column{"participants", 1}, Column{"down_mbit_s", 1},       Column{"up_mbit_s", 1},
      Column{"delay_ms", 1},     Column{"loss_percent", 1},      Column{"cpu_percent", 1},
      Column{"bytes_per_s", 1},  Column{"message_p50_us", 1000}, Column{"message_p99_us", 1000}};
  std::string rows;
  for (const Json& kind : list(found, "by_access")) {
    rows += fmt::format("<tr><td>{}</td>", escaped(kind.value("access", "")));
    for (const Column& column : kColumns) {
      rows += fmt::format("<td>{}</td>", value_text(kind, column.name, column.divisor, ""));
    }
    rows += "</tr>\n";
  }
  if (rows.empty()) return {};
  return "<h3>Agents by access link</h3>\n<table class=\"plain\"><tr><th>Access</th><th>agents</th>"
         "<th>down, Mbit/s</th><th>up</th><th>delay one way, ms</th><th>loss, %</th><th>CPU, %</th>"
         "<th>bytes a second</th><th>message p50, ms</th><th>p99</th></tr>\n" +
         rows + "</table>\n";
}

}  // namespace

std::string participants_html(const Json& report) {
  const Json& found = report["participants"];
  if (!found.is_object()) return missing(report, "participants");
  Facts facts;
  facts.add("Agents, each behind an access link of its own",
            value_text(found, "participants", 1, ""));
  facts.add("Watched in real time", value_text(found, "seconds", 1, " s"));
  facts.add("Permission changes meanwhile, an hour", value_text(found, "changes_per_hour", 1, ""));
  add_use(facts, "CPU", found, "agent_cpu_percent", 1, " % of a core");
  add_use(facts, "Traffic", found, "agent_bytes_per_s", 1, " bytes a second");
  add_use(facts, "Memory", found, "agent_rss_bytes", kMib, " MiB resident");
  facts.add("The paper's agent", "5 % of a core, 2,000 to 12,000 bytes a second");
  facts.add("Messages between applications", value_text(found, "messages", 1, ""));
  facts.add("lost or failed, of these", number_text(number(found, "messages_lost").value_or(0) +
                                                    number(found, "messages_failed").value_or(0)));
  facts.add("A message, median", value_text(found, "message_p50_us", 1000, " ms"));
  facts.add("A message, p99", value_text(found, "message_p99_us", 1000, " ms"));
  return facts.text() + by_access(found) +
         figure(over_time(found, "cpu_percent", "CPU of an agent", "percent of a core", 1)) +
         figure(over_time(found, "rss_bytes", "Memory of an agent", "MiB resident", kMib)) +
         figure(over_time(found, "bytes_per_s", "Traffic of an agent, both ways", "bytes a second",
                          1));
}

std::string attack_html(const Json& report) {
  const Json& found = report["attacked"];
  if (!found.is_object()) return missing(report, "attacked");
  Facts facts;
  facts.add("Participants who flood the router", value_text(found, "flooders", 1, ""));
  facts.add("their unauthorised messages",
            value_text(found, "flood_messages_per_s", 1, " a second"));
  facts.add("Participants who spam the ledger", value_text(found, "spammers", 1, ""));
  facts.add("their DoTs", value_text(found, "spam_dots_per_s", 1, " a second"));
  facts.add("DoTs that the ledger took", value_text(found, "spam_taken", 1, ""));
  facts.add("Authorised messages lost", value_text(found, "messages_lost", 1, ""));
  facts.add("A message of the others, median, quiet",
            value_text(found, "quiet_message_p50_us", 1000, " ms"));
  facts.add("attacked", value_text(found, "attacked_message_p50_us", 1000, " ms"));
  facts.add("standard error of the quiet rounds",
            value_text(found, "standard_error_us", 1000, " ms"));
  facts.add("A message of the others, p99, quiet",
            value_text(found, "quiet_message_p99_us", 1000, " ms"));
  facts.add("attacked, p99", value_text(found, "attacked_message_p99_us", 1000, " ms"));
  Chart chart{.title = "A message of those who do not attack, median, round by round",
              .x = {"round"},
              .y = {"milliseconds"},
              .kind = Chart::Kind::kDots,
              .series = {{"quiet", {}}, {"attacked", {}}}};
  double round = 0;
  for (const Json& one : list(found, "rounds")) {
    const auto p50 = number(one, "p50_us");
    Series& series = chart.series[one.value("attacked", false) ? 1 : 0];
    if (p50) series.points.emplace_back(++round, *p50 / 1000);
  }
  return facts.text() + figure(chart);
}

}  // namespace bw::city
