// SPDX-License-Identifier: Apache-2.0
#include "city/capacity.hpp"
#include "cli/city_verbs.hpp"

namespace bw::cli {
namespace {

struct CapacityArguments {
  CityName name;
  double rate = 0;  // as run
  double step_s = 2;
  double first = 250'000;
};

Json capacity_json(const CityName& name, const city::CapacityReport& report) {
  Json steps = Json::array();
  for (const city::CapacityStep& step : report.steps) {
    steps.push_back({{"offered_per_hour", step.offered},
                     {"done_per_hour", step.done},
                     {"events", step.events},
                     {"changes", step.changes},
                     {"queue_grew", step.grew},
                     {"p50_ms", step.p50_ms},
                     {"p99_ms", step.p99_ms}});
  }
  return {{"seed", name.seed},
          {"scale", name.scale},
          {"churn_per_hour", report.sustained},
          {"steps", steps}};
}

void print_capacity(const city::CapacityReport& report) {
  Table table({"OFFERED AN HOUR", "IN EFFECT", "p50 ms", "p99 ms", "QUEUE"});
  for (const city::CapacityStep& step : report.steps) {
    table.row({fmt::format("{:.0f}", step.offered), fmt::format("{:.0f}", step.done),
               fmt::format("{:.1f}", step.p50_ms), fmt::format("{:.1f}", step.p99_ms),
               step.grew ? "grows" : "steady"});
  }
  table.print();
  print_line(fmt::format("{:.0f} permission changes an hour", report.sustained));
}

Result<void> measure_capacity(App& app, const CapacityArguments& arguments) {
  BW_TRY(const city::Model model, city::Model::draw(arguments.name.seed, arguments.name.scale));
  BW_TRY(const auto ledger, start_own_ledger(app));
  std::optional<Progress> bar;
  const city::CapacityOptions options{
      .door = ledger->door(),
      .directory = std::filesystem::absolute(city_directory(app)) / "run",
      .peak = peak_of(arguments.name, arguments.rate),
      .step_s = arguments.step_s,
      .first = arguments.first,
      .on_following = [&bar](std::uint64_t done, std::uint64_t all) {
        if (!bar) bar.emplace("following the ledger", all);
        bar->at(done);
      }};
  BW_TRY(const city::CapacityReport report, city::capacity(model, options));
  bar.reset();
  BW_CHECK(ledger->stop());
  BW_CHECK(keep_found(app, "capacity", capacity_json(arguments.name, report)));
  if (!app.json) print_capacity(report);
  return {};
}

}  // namespace

Verb city_capacity_options(CLI::App& command) {
  const auto arguments = std::make_shared<CapacityArguments>();
  add_city_name(command, arguments->name);
  command.add_option("--rate", arguments->rate, "As it has run (default: 150 times the scale)");
  command.add_option("--step", arguments->step_s, "Seconds at each rate")->capture_default_str();
  command.add_option("--first", arguments->first, "Permission changes an hour to begin with")
      ->capture_default_str();
  return [arguments](App& app) { return measure_capacity(app, *arguments); };
}

}  // namespace bw::cli
