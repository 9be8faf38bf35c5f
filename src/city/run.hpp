// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "city/build.hpp"
#include "city/churn.hpp"

namespace bw::city {

struct RunOptions {
  Door door;
  // The follower's state, and how far the churn has come: made when missing, continued otherwise.
  std::filesystem::path directory;
  double days = 1;                    // of the city
  double peak = kPeakChangesPerHour;  // permission changes in the busiest hour
  std::uint64_t attempts = 10'000;    // spread evenly over the days
  // Besides: set a thermostat or read a meter by messages through a router.
  std::uint64_t messages = 20;
  // About what is under way: entries followed, then minutes of the city.
  std::function<void(std::uint64_t done, std::uint64_t all)> on_following;
  std::function<void(std::uint64_t done, std::uint64_t all)> on_progress;
};

struct RunReport {
  std::uint64_t attempts = 0;
  std::uint64_t allowed = 0;
  std::uint64_t refused = 0;
  // Of the refused ones, those that came with a proof: one that was good once, or somebody else's.
  std::uint64_t old_proofs_refused = 0;
  // Where the authority or the router and the model's truth do not say the same; the first kNamed
  // in words, with the path.
  std::uint64_t disagreements = 0;
  std::uint64_t messages = 0;  // tried
  std::uint64_t messages_delivered = 0;
  std::vector<std::string> named;
  std::uint64_t events = 0;
  std::uint64_t changes = 0;
  double city_hours = 0;
  double busiest_hour = 0;  // permission changes in the hour of the city with the most
  double wall_s = 0;
  std::array<std::uint64_t, kOccasions> occasions{};
  std::vector<double> decide_us;  // sorted; to find a proof, check it and decide
  std::vector<double> change_us;  // sorted; from submitting an event until this follower acts on it

  // Of all days together, by the hour since midnight.
  struct HourOfDay {
    std::uint64_t changes = 0;
    std::vector<double> change_us;  // sorted
  };
  std::array<HourOfDay, 24> day;

  static constexpr std::size_t kNamed = 10;
};

// Lets a built city live: puts the churn through the ledger's public door, follows the ledger into
// a replica like any node, and after each event lets residents and others attempt what they may and
// what they may not. Each attempt is decided as a router decides, by a proof read from its bytes
// with all its signatures, or tried by messages between agents through a router, and held against
// the model's truth. The days end with the first event after them. kNotFound when the ledger holds
// no such city. After a kill the next call continues.
Result<RunReport> run(const Model& model, const RunOptions& options);

}  // namespace bw::city
