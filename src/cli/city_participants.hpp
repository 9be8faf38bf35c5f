// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "city/participants/watch_report.hpp"
#include "cli/city_verbs.hpp"

namespace bw::cli {

// What a run with participants found, as in city/participants/watch_report.hpp.
Json participants_json(const CityName& name, const city::WatchReport& report);
// Precondition: some attacked.
Json attacked_json(const CityName& name, const city::WatchReport& report, double round_s);
void print_participants(const city::WatchReport& report);

}  // namespace bw::cli
