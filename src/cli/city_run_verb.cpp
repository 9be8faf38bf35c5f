// SPDX-License-Identifier: Apache-2.0
#include "city/participants/watch.hpp"
#include "city/quantile.hpp"
#include "city/results.hpp"
#include "city/run.hpp"
#include "cli/city_participants.hpp"
#include "cli/city_verbs.hpp"

namespace bw::cli {
namespace {

struct RunArguments {
  CityName name;
  double days = 1;
  double rate = 0;  // 0: the paper's, at this scale
  std::uint64_t attempts = 10'000;
  std::uint64_t messages = 20;
  std::size_t participants = 0;
  double watch_s = 60;
  bool attack = false;
  std::size_t rounds = 5;
  double round_s = 5;
};

Duration seconds(double value) {
  return std::chrono::round<Duration>(std::chrono::duration<double>(value));
}

std::filesystem::path run_directory(const App& app) {
  return std::filesystem::absolute(city_directory(app)) / "run";
}

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

// The first part: time goes as fast as the machine lets it.
Result<city::RunReport> hurry(const App& app, const RunArguments& arguments,
                              const city::Model& model) {
  BW_TRY(const auto ledger, start_own_ledger(app));
  std::optional<Progress> bar;
  const auto show = [&bar](const char* what) {
    return [&bar, what, shown = false](std::uint64_t done, std::uint64_t all) mutable {
      if (!shown) bar.emplace(what, all);
      shown = true;
      bar->at(done);
    };
  };
  const city::RunOptions options{.door = ledger->door(),
                                 .directory = run_directory(app),
                                 .days = arguments.days,
                                 .peak = peak_of(arguments.name, arguments.rate),
                                 .attempts = arguments.attempts,
                                 .messages = arguments.messages,
                                 .on_following = show("following the ledger"),
                                 .on_progress = show("minutes of the city")};
  BW_TRY(city::RunReport report, city::run(model, options));
  bar.reset();
  BW_CHECK(ledger->stop());
  return report;
}

// The second: in real time, under the eyes of participants.
Result<city::WatchReport> watch(const App& app, const RunArguments& arguments,
                                const city::Model& model, link::Network& network) {
  const city::WatchOptions options{
      .ledger = std::filesystem::absolute(city_directory(app)) / "ledger",
      .directory = run_directory(app),
      .peak = peak_of(arguments.name, arguments.rate),
      .rate = arguments.rate > 0 ? arguments.rate : city::kPeakChangesPerHour,
      .watching = seconds(arguments.watch_s),
      .messages = arguments.messages,
      .rounds = arguments.attack ? arguments.rounds : 0,
      .round = seconds(arguments.round_s),
      .on_phase = [&app](const std::string& what) {
        if (!app.json) print_line(what);
      }};
  return city::watch(model, network, options);
}

Result<void> run_city(App& app, const RunArguments& arguments) {
  BW_TRY(const city::Model model, city::Model::draw(arguments.name.seed, arguments.name.scale));
  // First, since it needs rights that some have not.
  std::unique_ptr<link::Network> network;
  if (arguments.participants > 0) {
    BW_CHECK(city::check_participants(model, arguments.participants, arguments.attack));
    BW_TRY(network,
           link::Network::make(link::draw_accesses(arguments.participants, arguments.name.seed),
                               arguments.name.seed));
  }
  const city::Results results(city_directory(app));
  BW_TRY(const city::RunReport report, hurry(app, arguments, model));
  Json found = run_json(arguments.name, peak_of(arguments.name, arguments.rate), report);
  BW_CHECK(results.save("run", found));
  if (!app.json) print_run(report);
  std::uint64_t wrong = report.disagreements;
  std::vector<std::string> named = report.named;
  if (network) {
    BW_TRY(const city::WatchReport watched, watch(app, arguments, model, *network));
    found["participants"] = participants_json(arguments.name, watched);
    BW_CHECK(results.save("participants", found["participants"]));
    if (watched.attack) {
      found["attacked"] = attacked_json(arguments.name, watched, arguments.round_s);
      BW_CHECK(results.save("attacked", found["attacked"]));
    }
    if (!app.json) print_participants(watched);
    wrong += watched.disagreements;
    named.insert(named.end(), watched.named.begin(), watched.named.end());
  }
  if (app.json) print_json(found);
  if (wrong == 0) return {};
  return fail(ErrorCode::kInternal, "{} attempts of {} did not end as they must: {}", wrong,
              report.attempts + report.messages, named.front());
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
  auto* const participants =
      command
          .add_option("--participants", arguments->participants,
                      "Then, in real time: agents, each behind an access link of its own; an even "
                      "number, needs root")
          ->check(CLI::Range(std::size_t{0}, link::Network::kMost))
          ->capture_default_str();
  command.add_option("--watch", arguments->watch_s, "Seconds for which their use is measured")
      ->check(CLI::Range(2.0, 1e6))
      ->needs(participants)
      ->capture_default_str();
  auto* const attack =
      command
          .add_flag("--attack", arguments->attack,
                    "Then some of them attack, while the others' latency is measured")
          ->needs(participants);
  command.add_option("--rounds", arguments->rounds, "Quiet ones, and as many under attack")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1000}))
      ->needs(attack)
      ->capture_default_str();
  command.add_option("--round", arguments->round_s, "Seconds in each")
      ->check(CLI::Range(1.0, 1e5))
      ->needs(attack)
      ->capture_default_str();
  return [arguments](App& app) { return run_city(app, *arguments); };
}

}  // namespace bw::cli
