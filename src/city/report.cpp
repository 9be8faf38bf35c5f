// SPDX-License-Identifier: Apache-2.0
#include "city/report.hpp"

#include <array>
#include <cmath>

#include <fmt/format.h>

#include "city/model.hpp"

namespace bw::city {
namespace {

struct Row {
  const char* type;
  std::uint64_t entities;
  std::uint64_t dots;
};

// Table 1 as it is printed, so that the model is held against the paper and not against itself.
constexpr std::array<Row, kKinds> kPaper{{{"Occupant", 951'293, 1'312'005},
                                          {"Apt Owner", 15'787, 529'562},
                                          {"Apt Bldg", 40'921, 40'921},
                                          {"Apt Lease", 264'781, 264'781},
                                          {"House Title", 95'931, 95'931},
                                          {"Thermostat", 360'712, 0},
                                          {"Meter", 360'712, 0},
                                          {"Utility", 603, 722'026}}};

Json row(const std::string& type, const Row& paper, std::int64_t entities, std::int64_t dots) {
  return {{"type", type},
          {"paper_entities", paper.entities},
          {"paper_dots", paper.dots},
          {"entities", entities},
          {"dots", dots},
          {"entities_difference", entities - static_cast<std::int64_t>(paper.entities)},
          {"dots_difference", dots - static_cast<std::int64_t>(paper.dots)}};
}

// Of a smaller city, the paper's numbers at its scale.
Json table_1(const Json& build) {
  Json out = Json::array();
  const double scale = number(build, "scale").value_or(1);
  const Json census = list(build, "census");
  Row total{"Total", 0, 0};
  std::int64_t entities = 0;
  std::int64_t dots = 0;
  for (std::size_t i = 0; i < kPaper.size() && i < census.size(); ++i) {
    const auto scaled = [&](std::uint64_t of_all) {
      return static_cast<std::uint64_t>(std::llround(static_cast<double>(of_all) * scale));
    };
    const Row paper{kPaper[i].type, scaled(kPaper[i].entities), scaled(kPaper[i].dots)};
    total.entities += paper.entities;
    total.dots += paper.dots;
    const auto ours_entities = std::llround(number(census[i], "entities").value_or(0));
    const auto ours_dots = std::llround(number(census[i], "dots").value_or(0));
    entities += ours_entities;
    dots += ours_dots;
    out.push_back(row(paper.type, paper, ours_entities, ours_dots));
  }
  if (!out.empty()) out.push_back(row("Total", total, entities, dots));
  return out;
}

void copy(const Json& from, const char* name, Json& to) {
  if (from.is_object() && from.contains(name)) to[name] = from[name];
}

Json figures(const Findings& found) {
  Json out = Json::object();
  for (const char* name : {"build_s", "rss_bytes", "ledger_rss_bytes", "disk_bytes"}) {
    copy(found.build, name, out);
  }
  for (const char* name :
       {"reopen_s", "proof_cold_p50_us", "proof_cold_p99_us", "oracle_disagreements"}) {
    copy(found.check, name, out);
  }
  copy(found.run, "disagreements", out);
  copy(found.capacity, "churn_per_hour", out);
  for (const char* name : {"agent_cpu_percent", "agent_cpu_percent_max", "agent_bytes_per_s",
                           "agent_bytes_per_s_max"}) {
    copy(found.participants, name, out);
  }
  return out;
}

std::string command(const char* words, const Findings& found) {
  const double scale = number(found.build, "scale").value_or(1);
  const double seed = number(found.build, "seed").value_or(1);
  return fmt::format("bw city {} --scale {} --seed {}", words, scale, seed);
}

Json not_measured(const Findings& found) {
  Json out = Json::array();
  const auto gap = [&](const Json& one, const char* finding, const char* what, const char* words) {
    if (!one.is_null()) return;
    out.push_back({{"finding", finding}, {"what", what}, {"command", command(words, found)}});
  };
  gap(found.build, "build", "the city's size and its building", "build");
  gap(found.check, "check", "proofs, and whether answers are right", "check");
  gap(found.run, "run", "the city's life", "run");
  gap(found.capacity, "capacity", "the capacity for permission changes", "capacity");
  gap(found.participants, "participants", "the participants' CPU, memory and traffic",
      "run --participants 100");
  gap(found.attacked, "attacked", "latency under attack", "run --participants 100 --attack");
  return out;
}

}  // namespace

Json report_json(const Findings& found) {
  Json out = Json::object();
  out["table_1"] = table_1(found.build);
  out["figures"] = figures(found);
  out["build"] = found.build;
  out["check"] = found.check;
  out["run"] = found.run;
  out["attacked"] = found.attacked;
  out["participants"] = found.participants;
  out["capacity"] = found.capacity;
  out["not_measured"] = not_measured(found);
  return out;
}

}  // namespace bw::city
