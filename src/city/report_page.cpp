// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "city/chart.hpp"
#include "city/page.hpp"
#include "city/report.hpp"
#include "city/report_participants.hpp"

namespace bw::city {
namespace {

constexpr const char* kHead = R"(<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" lang="en"><head><meta charset="utf-8"/>
<meta name="viewport" content="width=device-width"/>
<title>Bosswave: a city</title><style>
:root{color-scheme:light dark;--page:#fff;--text:#1c2229;--soft:#5b6570;--grid:#dde2e7;
--s0:#1f66b0;--s1:#b8500a;--s2:#2b7a4b;--mark:#a3123a}
@media (prefers-color-scheme:dark){:root{--page:#14181d;--text:#e6e9ec;--soft:#9aa5b0;
--grid:#2c343d;--s0:#6bb0f5;--s1:#f2a064;--s2:#77cf98;--mark:#ff7a9c}}
@media print{:root{color-scheme:light;--page:#fff;--text:#000;--soft:#444;--grid:#ccc;
--s0:#1f66b0;--s1:#b8500a;--s2:#2b7a4b;--mark:#a3123a}section{break-inside:avoid}}
body{background:var(--page);color:var(--text);font:16px/1.5 system-ui,sans-serif;max-width:46rem;
margin:2rem auto;padding:0 1rem}
h1{font-size:1.7rem}h2{font-size:1.2rem;margin-top:2.4rem}h3{font-size:1rem;margin-bottom:.3rem}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:.25rem .5rem;border-bottom:1px solid var(--grid)}
th:first-child,td:first-child{text-align:left}tr:last-child td{font-weight:600}
.plain tr:last-child td{font-weight:400}
.missing{color:var(--soft);border-left:3px solid var(--mark);padding-left:.8rem}
code{font:.9em ui-monospace,monospace}figure{margin:1rem 0}svg{width:100%;height:auto}
.text{fill:var(--soft);font-size:12px}.label{font-size:13px;font-weight:600}
.grid{stroke:var(--grid)}.mark{stroke:var(--mark);stroke-width:2;stroke-dasharray:5 4}
.line{fill:none;stroke-width:2.2}.line.s0{stroke:var(--s0)}.line.s1{stroke:var(--s1)}
.line.s2{stroke:var(--s2)}.label.s0,.dot.s0,.bar.s0{fill:var(--s0)}
.label.s1,.dot.s1,.bar.s1{fill:var(--s1)}.label.s2,.dot.s2,.bar.s2{fill:var(--s2)}
</style></head><body>
<h1>A city under one authority system</h1>
)";

std::string difference_text(double difference) {
  if (difference == 0) return "0";
  return (difference < 0 ? "\xE2\x88\x92" : "+") +
         count_text(static_cast<std::uint64_t>(std::abs(difference)));
}

std::string table_1(const Json& report) {
  std::string rows;
  for (const Json& row : list(report, "table_1")) {
    rows += fmt::format("<tr><td>{}</td>", escaped(row["type"].get<std::string>()));
    for (const char* name : {"paper_entities", "entities", "entities_difference", "paper_dots",
                             "dots", "dots_difference"}) {
      const double value = number(row, name).value_or(0);
      const bool signed_value = std::string_view(name).ends_with("difference");
      rows +=
          fmt::format("<td>{}</td>", signed_value ? difference_text(value)
                                                  : count_text(static_cast<std::uint64_t>(value)));
    }
    rows += "</tr>\n";
  }
  if (rows.empty()) return missing(report, "build");
  const double scale = number(report["build"], "scale").value_or(1);
  const std::string paper = scale == 1 ? "paper" : fmt::format("paper × {}", scale);
  return fmt::format(
             "<table><tr><th>Type</th><th>Entities, {0}</th><th>ours</th><th>difference</th>"
             "<th>DoTs granted, {0}</th><th>ours</th><th>difference</th></tr>\n",
             paper) +
         rows + "</table>\n";
}

// Objects a second between the points of the building.
std::vector<std::pair<double, double>> rates(const Json& points) {
  std::vector<std::pair<double, double>> out;
  for (std::size_t i = 1; i < points.size(); ++i) {
    const double seconds = points[i][0].get<double>() - points[i - 1][0].get<double>();
    const double objects = points[i][1].get<double>() - points[i - 1][1].get<double>();
    if (seconds > 0) out.emplace_back(points[i][0].get<double>(), objects / seconds);
  }
  return out;
}

std::string building(const Json& report) {
  const Json& build = report["build"];
  if (!build.is_object()) return missing(report, "build");
  Facts facts;
  facts.add("Time to build", value_text(build, "build_s", 1, " s"));
  facts.add("On disk", value_text(build, "disk_bytes", kMib, " MiB"));
  facts.add("Memory of the ledger, at most", value_text(build, "ledger_rss_bytes", kMib, " MiB"));
  facts.add("Memory of the builder, at most", value_text(build, "rss_bytes", kMib, " MiB"));
  facts.add("Time to reopen", value_text(report["check"], "reopen_s", 1, " s"));
  const Json points = list(build, "objects_over_time");
  Chart put{.title = "Objects on the ledger, signed, submitted, validated and indexed",
            .x = {"seconds since the start"},
            .y = {"objects"},
            .series = {{"objects", {}}}};
  for (const Json& point : points) {
    put.series[0].points.emplace_back(point[0].get<double>(), point[1].get<double>());
  }
  const Chart rate{.title = "Rate of building",
                   .x = {"seconds since the start"},
                   .y = {"objects a second"},
                   .series = {{"rate", rates(points)}}};
  return facts.text() + figure(put) + figure(rate);
}

Chart times_by_length(const Json& report, const char* what, const char* title) {
  Chart out{.title = title,
            .x = {"links in the proof"},
            .y = {"microseconds", true},
            .kind = Chart::Kind::kDots,
            .series = {{"p50", {}}, {"p99", {}}, {"slowest", {}}}};
  for (const Json& length : list(report["check"], "by_links")) {
    const double links = number(length, "links").value_or(0);
    constexpr std::array kNames{"p50_us", "p99_us", "max_us"};
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      if (const auto us = number(length[what], kNames[i])) {
        out.series[i].points.emplace_back(links, *us);
      }
    }
  }
  return out;
}

std::string proofs(const Json& report) {
  const Json& check = report["check"];
  if (!check.is_object()) return missing(report, "check");
  std::string rows;
  for (const Json& length : list(check, "by_links")) {
    rows += fmt::format("<tr><td>{}</td><td>{}</td>", number_text(*number(length, "links")),
                        count_text(length["proofs"].get<std::uint64_t>()));
    for (const char* what : {"build", "verify"}) {
      for (const char* name : {"p50_us", "p99_us", "max_us"}) {
        rows += fmt::format("<td>{}</td>", value_text(length[what], name, 1, ""));
      }
    }
    rows += "</tr>\n";
  }
  Facts facts;
  facts.add("Random pairs asked", value_text(check, "pairs", 1, ""));
  facts.add("Answers that the model or the slow oracle contradict",
            value_text(check, "oracle_disagreements", 1, ""));
  return facts.text() +
         "<table class=\"plain\"><tr><th>Links</th><th>proofs</th><th>build p50, µs</th>"
         "<th>p99</th><th>slowest</th><th>verify p50, µs</th><th>p99</th><th>slowest</th></tr>\n" +
         rows + "</table>\n" +
         figure(times_by_length(report, "build", "Time to build a proof for the first time")) +
         figure(times_by_length(report, "verify", "Time to verify a proof that is new"));
}

std::string life(const Json& report) {
  const Json& run = report["run"];
  if (!run.is_object()) return missing(report, "run");
  Facts facts;
  facts.add("Hours of the city", value_text(run, "city_hours", 1, ""));
  facts.add("Permission changes", value_text(run, "changes", 1, ""));
  facts.add("of these in the busiest hour", value_text(run, "busiest_hour_changes", 1, ""));
  facts.add("Attempts to use a device", value_text(run, "attempts", 1, ""));
  facts.add("allowed", value_text(run, "allowed", 1, ""));
  facts.add("refused", value_text(run, "refused", 1, ""));
  facts.add("Attempts that did not end as the model says", value_text(run, "disagreements", 1, ""));
  Chart profile{.title = "Permission changes by the time of day",
                .x = {"hour of the day"},
                .y = {"permission changes an hour"},
                .kind = Chart::Kind::kBars,
                .series = {{"changes", {}}}};
  const double days = std::max(1.0, std::ceil(number(run, "city_hours").value_or(24) / 24 - 0.5));
  const Json hours = list(run, "by_hour_of_day");
  for (std::size_t i = 0; i < hours.size(); ++i) {
    profile.series[0].points.emplace_back(static_cast<double>(i),
                                          number(hours[i], "changes").value_or(0) / days);
  }
  return facts.text() + figure(profile);
}

std::string capacity(const Json& report) {
  const Json& found = report["capacity"];
  if (!found.is_object()) return missing(report, "capacity");
  const double sustained = number(found, "churn_per_hour").value_or(0);
  Chart chart{.title = "From a change's submission to its effect, as the rate is raised",
              .x = {"permission changes an hour, offered", true},
              .y = {"milliseconds", true},
              .kind = Chart::Kind::kDots,
              .series = {{"p50", {}}, {"p99", {}}, {"queue grows", {}}},
              .marks = {{sustained, "steady up to " + number_text(sustained)}}};
  for (const Json& step : list(found, "steps")) {
    const auto offered = number(step, "offered_per_hour");
    const auto p50 = number(step, "p50_ms");
    const auto p99 = number(step, "p99_ms");
    if (!offered || !p50 || !p99) continue;
    if (step.value("queue_grew", false)) {
      chart.series[2].points.emplace_back(*offered, *p50);
      continue;
    }
    chart.series[0].points.emplace_back(*offered, *p50);
    chart.series[1].points.emplace_back(*offered, *p99);
  }
  for (Series& one : chart.series) std::ranges::sort(one.points);
  Facts facts;
  facts.add("Sustained, changes an hour", count_text(static_cast<std::uint64_t>(sustained)));
  facts.add("The paper's, on its blockchain", "about 4,000");
  facts.add("The paper's city at its busiest", "about 150");
  return facts.text() + figure(chart);
}

Series latency_by_hour(const Json& run, const char* label, const char* name) {
  Series out{label, {}};
  const Json hours = list(run, "by_hour_of_day");
  for (std::size_t i = 0; i < hours.size(); ++i) {
    const double ms = number(hours[i], name).value_or(0) / 1000;
    if (ms > 0) out.points.emplace_back(static_cast<double>(i), ms);
  }
  return out;
}

std::string latency(const Json& report) {
  const Json& run = report["run"];
  if (!run.is_object()) return missing(report, "run");
  Facts facts;
  facts.add("To decide, median", value_text(run, "decide_p50_us", 1, " µs"));
  facts.add("To decide, p99", value_text(run, "decide_p99_us", 1, " µs"));
  facts.add("Until a change holds, median", value_text(run, "change_p50_us", 1000, " ms"));
  facts.add("Until a change holds, p99", value_text(run, "change_p99_us", 1000, " ms"));
  const Chart chart{.title = "Until a change holds, through the day",
                    .x = {"hour of the day"},
                    .y = {"milliseconds"},
                    .series = {latency_by_hour(run, "p50", "change_p50_us"),
                               latency_by_hour(run, "p99", "change_p99_us")}};
  return facts.text() + figure(chart);
}

}  // namespace

std::string report_html(const Json& report) {
  std::string out = kHead;
  const auto scale = number(report["build"], "scale");
  if (scale) {
    out += fmt::format("<p>San Francisco of the paper at scale {}, seed {}.</p>\n", *scale,
                       value_text(report["build"], "seed", 1, ""));
  }
  out += section("Who there is, and what they granted (the paper's Table 1)", table_1(report));
  out += section("Building the city", building(report));
  out += section("Proofs", proofs(report));
  out += section("The city's life", life(report));
  out += section("How many changes the ledger takes", capacity(report));
  out += section("Latency", latency(report));
  out += section("Participants", participants_html(report));
  out += section("Under attack", attack_html(report));
  return out + "</body></html>\n";
}

}  // namespace bw::city
