// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>

#include "city/churn.hpp"
#include "city/participants/watch_report.hpp"
#include "link/network.hpp"

namespace bw::city {

struct WatchOptions {
  std::filesystem::path ledger;       // directory of the city's ledger, which must not run
  std::filesystem::path directory;    // as of run()
  double peak = kPeakChangesPerHour;  // as of run(): names the churn
  double rate = kPeakChangesPerHour;  // permission changes in an hour, in real time
  Duration watching = 60s;
  std::uint64_t messages = 20;  // to be held against the truth, before the watch
  std::size_t rounds = 0;       // quiet ones, and as many under attack; 0: no attack
  Duration round = 5s;
  std::function<void(const std::string& what)> on_phase;
};

// kInvalidArgument unless `participants` are an even number, since a home has its devices at one
// and its resident at another, at least two, or four for an attack, and the city has a home for
// each two.
Result<void> check_participants(const Model& model, std::size_t participants, bool attack);

// Starts the ledger and a router at the network's hub and an agent for each participant, and lets
// residents set thermostats and read meters through them while the churn goes on in real time.
// After a kill the next call continues the churn; nothing else of the dead one is left.
// Precondition: check_participants().
Result<WatchReport> watch(const Model& model, link::Network& network, const WatchOptions& options);

}  // namespace bw::city
