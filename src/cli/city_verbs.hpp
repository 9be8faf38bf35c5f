// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "city/ledger_process.hpp"
#include "city/model.hpp"
#include "cli/app.hpp"
#include "cli/output.hpp"

namespace bw::cli {

std::filesystem::path city_directory(const App& app);
// Every verb's way out: what it found is kept for bw city report and, with --json, printed.
Result<void> keep_found(const App& app, const std::string& verb, const Json& found);
// The ledger of a city that was built. kNotFound when there is none in the directory.
Result<std::unique_ptr<city::LedgerProcess>> start_own_ledger(const App& app);

// What names a city.
struct CityName {
  double scale = 1;
  std::uint64_t seed = 1;
};
void add_city_name(CLI::App& command, CityName& name);
// Permission changes in the busiest hour: `rate`, or the paper's at this scale when it is 0.
double peak_of(const CityName& name, double rate);

Verb city_capacity_options(CLI::App& command);
Verb city_report_options(CLI::App& command);
Verb city_run_options(CLI::App& command);

}  // namespace bw::cli
