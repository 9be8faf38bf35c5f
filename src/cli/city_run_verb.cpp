// SPDX-License-Identifier: Apache-2.0
#include "city/quantile.hpp"
#include "city/run.hpp"
#include "cli/city_verbs.hpp"

namespace bw::cli {
namespace {

struct RunArguments {
  CityName name;
  double days = 1;
  double rate = 0;  // 0: the paper's, at this scale
  std::uint64_t attempts = 10'000;
  std::uint64_t messages = 20;
};

void print_run(const city::RunReport& report) {
  Table table({"OCCASION", "EVENTS"});
  for (std::size_t i = 0; i < city::kOccasions; ++i) {
    table.row({std::string(city::occasion_name(static_cast<city::Occasion>(i))),
               std::to_string(report.occasions[i])});
  }
  table.row({"Total", std::to_string(report.events)});
  table.print();
  print_line(fmt::format("{} permission changes in {:.1f} hours of the city, {:.0f} in the busiest",
                         report.changes, report.city_hours, report.busiest_hour));
  print_line(fmt::format("{} attempts: {} allowed, {} refused ({} with a proof), {} disagreements",
                         report.attempts, report.allowed, report.refused, report.old_proofs_refused,
                         report.disagreements));
  print_line(fmt::format("{} messages tried through a router, {} delivered", report.messages,
                         report.messages_delivered));
  print_line(fmt::format("to decide: median {:.0f} us, 99 % within {:.0f} us",
                         city::quantile(report.decide_us, 0.5),
                         city::quantile(report.decide_us, 0.99)));
  print_line(fmt::format("until a change holds: median {:.1f} ms, 99 % within {:.1f} ms",
                         city::quantile(report.change_us, 0.5) / 1000,
                         city::quantile(report.change_us, 0.99) / 1000));
  for (const std::string& line : report.named) print_line(line);
}

Json day_json(const city::RunReport& report) {
  Json out = Json::array();
  for (const auto& hour : report.day) {
    out.push_back({{"changes", hour.changes},
                   {"change_p50_us", city::quantile(hour.change_us, 0.5)},
                   {"change_p99_us", city::quantile(hour.change_us, 0.99)}});
  }
  return out;
}

Json run_json(const CityName& name, double peak, const city::RunReport& report) {
  Json occasions = Json::object();
  for (std::size_t i = 0; i < city::kOccasions; ++i) {
    occasions[std::string(city::occasion_name(static_cast<city::Occasion>(i)))] =
        report.occasions[i];
  }
  return {{"seed", name.seed},
          {"scale", name.scale},
          {"peak_changes_per_hour", peak},
          {"attempts", report.attempts},
          {"allowed", report.allowed},
          {"refused", report.refused},
          {"old_proofs_refused", report.old_proofs_refused},
          {"disagreements", report.disagreements},
          {"messages", report.messages},
          {"messages_delivered", report.messages_delivered},
          {"named", report.named},
          {"events", report.events},
          {"occasions", occasions},
          {"changes", report.changes},
          {"city_hours", report.city_hours},
          {"changes_per_hour", static_cast<double>(report.changes) / report.city_hours},
          {"busiest_hour_changes", report.busiest_hour},
          {"decide_p50_us", city::quantile(report.decide_us, 0.5)},
          {"decide_p99_us", city::quantile(report.decide_us, 0.99)},
          {"change_p50_us", city::quantile(report.change_us, 0.5)},
          {"change_p99_us", city::quantile(report.change_us, 0.99)},
          {"by_hour_of_day", day_json(report)},
          {"wall_s", report.wall_s}};
}

Result<void> run_city(App& app, const RunArguments& arguments) {
  BW_TRY(const city::Model model, city::Model::draw(arguments.name.seed, arguments.name.scale));
  BW_TRY(const auto ledger, start_own_ledger(app));
  const double peak = peak_of(arguments.name, arguments.rate);
  std::optional<Progress> bar;
  const auto show = [&bar](const char* what) {
    return [&bar, what, shown = false](std::uint64_t done, std::uint64_t all) mutable {
      if (!shown) bar.emplace(what, all);
      shown = true;
      bar->at(done);
    };
  };
  const city::RunOptions options{
      .door = ledger->door(),
      .directory = std::filesystem::absolute(city_directory(app)) / "run",
      .days = arguments.days,
      .peak = peak,
      .attempts = arguments.attempts,
      .messages = arguments.messages,
      .on_following = show("following the ledger"),
      .on_progress = show("minutes of the city")};
  BW_TRY(const city::RunReport report, city::run(model, options));
  bar.reset();
  BW_CHECK(ledger->stop());
  BW_CHECK(keep_found(app, "run", run_json(arguments.name, peak, report)));
  if (!app.json) print_run(report);
  if (report.disagreements == 0) return {};
  return fail(ErrorCode::kInternal, "{} attempts of {} did not end as they must: {}",
              report.disagreements, report.attempts + report.messages, report.named.front());
}

}  // namespace

Verb city_run_options(CLI::App& command) {
  const auto arguments = std::make_shared<RunArguments>();
  add_city_name(command, arguments->name);
  command.add_option("--days", arguments->days, "How long, in days of the city")
      ->capture_default_str();
  command.add_option("--rate", arguments->rate,
                     "Permission changes in the busiest hour (default: 150 times the scale)");
  command.add_option("--attempts", arguments->attempts, "To use a device, allowed and forbidden")
      ->capture_default_str();
  command
      .add_option("--messages", arguments->messages,
                  "To set a thermostat or read a meter through a router, allowed and forbidden")
      ->capture_default_str();
  return [arguments](App& app) { return run_city(app, *arguments); };
}

}  // namespace bw::cli
