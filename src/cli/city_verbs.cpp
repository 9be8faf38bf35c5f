// SPDX-License-Identifier: Apache-2.0
#include "cli/city_verbs.hpp"

#include <unistd.h>

#include "city/check.hpp"
#include "city/churn.hpp"
#include "city/quantile.hpp"
#include "city/results.hpp"
#include "city/timeline.hpp"

namespace bw::cli {
namespace {

struct BuildArguments {
  CityName name;
  std::string ledger;
  std::string ledger_key;
  std::size_t threads = 0;
};

Result<void> print_found(const App& app, const Json& found) {
  if (app.json) print_json(found);
  return {};
}

std::uint64_t bytes_under(const std::filesystem::path& directory) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory, error)) {
    if (entry.is_regular_file(error)) bytes += entry.file_size(error);
  }
  return bytes;
}

Json census_json(const city::Counts& counts) {
  Json out = Json::array();
  for (std::size_t i = 0; i < city::kKinds; ++i) {
    out.push_back({{"type", city::kind_name(static_cast<city::Kind>(i))},
                   {"entities", counts.entities[i]},
                   {"dots", counts.dots[i]}});
  }
  return out;
}

void print_census(const city::Counts& counts) {
  Table table({"TYPE", "ENTITIES", "DOTS GRANTED"});
  for (std::size_t i = 0; i < city::kKinds; ++i) {
    table.row({std::string(city::kind_name(static_cast<city::Kind>(i))),
               std::to_string(counts.entities[i]), std::to_string(counts.dots[i])});
  }
  table.row({"Total", std::to_string(counts.all_entities()), std::to_string(counts.all_dots())});
  table.print();
}

Result<city::Door> door_of(const BuildArguments& arguments) {
  BW_TRY(const EntityKey key, EntityKey::parse(arguments.ledger_key));
  return city::Door{arguments.ledger, key};
}

Result<void> build_city(App& app, const BuildArguments& arguments) {
  BW_TRY(const city::Model model, city::Model::draw(arguments.name.seed, arguments.name.scale));
  const std::filesystem::path directory = std::filesystem::absolute(city_directory(app));
  std::error_code ignored;
  std::filesystem::create_directories(directory, ignored);
  std::unique_ptr<city::LedgerProcess> own;
  city::Door door;
  if (arguments.ledger.empty()) {
    BW_TRY(own, city::LedgerProcess::start(directory / "ledger"));
    door = own->door();
  } else {
    BW_TRY(door, door_of(arguments));
  }
  const city::Plan plan(model);
  city::Built built;
  city::Timeline timeline;
  {
    Progress bar("building", plan.objects());
    const auto began = std::chrono::steady_clock::now();
    const auto note = [&](std::uint64_t done) {
      const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - began;
      timeline.note(passed.count(), done);
      bar.at(done);
    };
    city::BuildOptions options{
        .door = door,
        .progress_file = directory / "progress",
        .threads = arguments.threads,
        .on_progress = [&](std::uint64_t done, std::uint64_t) { note(done); }};
    BW_TRY(built, city::build(plan, model, options));
  }
  Json out{{"seed", model.seed()},
           {"scale", model.scale()},
           {"entities", model.counts().all_entities()},
           {"dots", model.counts().all_dots()},
           {"resumed", built.resumed},
           {"repeated", built.repeated},
           {"build_s", built.seconds},
           {"census", census_json(model.counts())},
           {"objects_over_time", timeline.points()},
           {"rss_bytes", city::peak_rss_bytes(::getpid())}};
  if (own) {
    out["ledger_rss_bytes"] = city::peak_rss_bytes(own->pid());
    BW_CHECK(own->stop());
    out["disk_bytes"] = bytes_under(directory / "ledger");
  }
  // A city that was there already took no time, and keeps the figures of its building.
  const bool news = built.resumed < built.objects;
  BW_CHECK(news ? keep_found(app, "build", out) : print_found(app, out));
  if (app.json) return {};
  print_census(model.counts());
  const double rate =
      built.seconds > 0 ? static_cast<double>(built.objects - built.resumed) / built.seconds : 0;
  print_line(fmt::format("built in {:.1f} s, {:.0f} objects a second", built.seconds, rate));
  if (own) {
    print_line(fmt::format("{:.1f} MiB on disk in {}; its ledger took {:.0f} MiB of memory at most",
                           out["disk_bytes"].get<double>() / (1024 * 1024),
                           (directory / "ledger").string(),
                           out["ledger_rss_bytes"].get<double>() / (1024 * 1024)));
  }
  return {};
}

Verb build_options(CLI::App& command) {
  const auto arguments = std::make_shared<BuildArguments>();
  add_city_name(command, arguments->name);
  auto* const ledger = command.add_option(
      "--ledger", arguments->ledger,
      "host:port of a ledger to build on (default: one of its own, in the directory)");
  auto* const key = command.add_option("--ledger-key", arguments->ledger_key, "Key of that ledger");
  ledger->needs(key);
  key->needs(ledger);
  command.add_option("--threads", arguments->threads, "Threads that sign (default: one a core)");
  return [arguments](App& app) { return build_city(app, *arguments); };
}

Json times_json(const std::vector<double>& sorted_us) {
  return {{"p50_us", city::quantile(sorted_us, 0.5)},
          {"p99_us", city::quantile(sorted_us, 0.99)},
          {"max_us", city::quantile(sorted_us, 1)}};
}

Json check_json(const CityName& name, const city::CheckReport& report) {
  Json by_links = Json::array();
  for (const auto& [links, times] : report.by_links) {
    by_links.push_back({{"links", links},
                        {"proofs", times.build.size()},
                        {"build", times_json(times.build)},
                        {"verify", times_json(times.verify)}});
  }
  return {{"seed", name.seed},
          {"scale", name.scale},
          {"reopen_s", report.reopen_s},
          {"pairs", report.pairs},
          {"allowed", report.allowed},
          {"oracle_disagreements", report.disagreements},
          {"proof_cold_p50_us", report.cold(0.5)},
          {"proof_cold_p99_us", report.cold(0.99)},
          {"by_links", by_links}};
}

void print_check(const city::CheckReport& report) {
  print_line(fmt::format("reopened in {:.2f} s", report.reopen_s));
  print_line(fmt::format("{} pairs, {} allowed, {} disagreements", report.pairs, report.allowed,
                         report.disagreements));
  print_line(fmt::format("a proof for the first time: median {:.0f} us, 99 % within {:.0f} us",
                         report.cold(0.5), report.cold(0.99)));
  Table table({"LINKS", "PROOFS", "BUILD p50", "p99", "max us", "VERIFY p50", "p99", "max us"});
  for (const auto& [links, times] : report.by_links) {
    std::vector<std::string> row{std::to_string(links), std::to_string(times.build.size())};
    for (const auto* us : {&times.build, &times.verify}) {
      for (const double part : {0.5, 0.99, 1.0}) {
        row.push_back(fmt::format("{:.0f}", city::quantile(*us, part)));
      }
    }
    table.row(std::move(row));
  }
  table.print();
  for (const std::string& line : report.named) print_line(line);
}

struct CheckArguments {
  CityName name;
  std::uint64_t pairs = 10'000;
};

Result<void> check_city(App& app, const CheckArguments& arguments) {
  BW_TRY(const city::Model model, city::Model::draw(arguments.name.seed, arguments.name.scale));
  BW_TRY(const city::CheckReport report,
         city::check(model, city_directory(app) / "ledger" / "authority", arguments.pairs));
  BW_CHECK(keep_found(app, "check", check_json(arguments.name, report)));
  if (!app.json) print_check(report);
  if (report.disagreements == 0) return {};
  return fail(ErrorCode::kInternal, "{} answers of {} are wrong", report.disagreements,
              report.pairs);
}

Verb check_options(CLI::App& command) {
  const auto arguments = std::make_shared<CheckArguments>();
  add_city_name(command, arguments->name);
  command.add_option("--pairs", arguments->pairs, "Random questions")->capture_default_str();
  return [arguments](App& app) { return check_city(app, *arguments); };
}

}  // namespace

std::filesystem::path city_directory(const App& app) {
  return app.directory.empty() ? app.path() / "city" : app.path();
}

Result<void> keep_found(const App& app, const std::string& verb, const Json& found) {
  BW_CHECK(city::Results(city_directory(app)).save(verb, found));
  return print_found(app, found);
}

Result<std::unique_ptr<city::LedgerProcess>> start_own_ledger(const App& app) {
  const std::filesystem::path directory = std::filesystem::absolute(city_directory(app));
  if (std::filesystem::exists(directory / "ledger")) {
    return city::LedgerProcess::start(directory / "ledger");
  }
  return fail(ErrorCode::kNotFound, "{}: there is no city here; make one with bw city build",
              directory.string());
}

void add_city_name(CLI::App& command, CityName& name) {
  command.add_option("--scale", name.scale, "Size: 1 is San Francisco, with 5,055,966 objects")
      ->capture_default_str();
  command.add_option("--seed", name.seed, "The same seed gives the same city")
      ->capture_default_str();
}

double peak_of(const CityName& name, double rate) {
  return rate > 0 ? rate : city::kPeakChangesPerHour * name.scale;
}

void add_city_verbs(Verbs& verbs) {
  CLI::App* city = verbs.group("city", "A whole city under one authority system, for sizing");
  verbs.add(city, "build", "Create and put every entity and DoT of a city; continues after a kill",
            build_options);
  verbs.add(city, "check",
            "Ask a city that was built who may do what, against its model and a slow oracle",
            check_options);
  verbs.add(city, "run",
            "Let a city that was built live: people move, and everybody tries what they may and "
            "what they may not",
            city_run_options);
  verbs.add(city, "capacity",
            "Raise the rate of permission changes in a city until its ledger's queue grows",
            city_capacity_options);
  verbs.add(city, "report",
            "One page, report.html, and report.json of all that the other verbs found out",
            city_report_options);
}

}  // namespace bw::cli
