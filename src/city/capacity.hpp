// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "city/build.hpp"
#include "city/churn.hpp"

// How many permission changes a ledger takes: the churn of a city at a rate that rises until the
// queue before the ledger grows.
namespace bw::city {

// A change event: when it was due, in seconds of its step, and how long after that somebody who
// follows the ledger acted on it. Measured from when it was due and not from when it was sent, so
// that waiting before the door counts too.
struct Delay {
  double due_s = 0;
  double seconds = 0;
};

// Whether the time from submission to effect keeps rising: from quarter to quarter of the step, in
// the median, and over the whole step by more than kGrowth of the time that passed, which is what
// happens when events come faster than they are served. A pause of the machine is no growth.
inline constexpr double kGrowth = 0.05;
bool queue_grows(std::span<const Delay> in_order);

struct CapacityStep {
  double offered = 0;  // permission changes an hour
  double done = 0;     // changes that were in effect, over the time until the last one was
  std::uint64_t events = 0;
  std::uint64_t changes = 0;
  bool grew = false;
  double p50_ms = 0;  // from submission to effect
  double p99_ms = 0;
};

struct CapacityReport {
  // Changes an hour: the most that were offered and in effect in a step whose queue did not grow.
  double sustained = 0;
  std::vector<CapacityStep> steps;  // in the order taken
};

// Doubles the rate from `first` until a step's queue grows, then halves the gap, by ratio, for
// `refinements` steps. A step that grows is taken once more before it counts. kUnavailable when
// already `first` is too much.
using TakeStep = std::function<Result<CapacityStep>(double offered)>;
Result<CapacityReport> search_capacity(double first, std::size_t refinements, const TakeStep& step);

struct CapacityOptions {
  Door door;
  // Where the city has run: the follower's state and how far the churn has come, which goes on.
  std::filesystem::path directory;
  double peak = kPeakChangesPerHour;  // as it has run
  double step_s = 2;                  // length of each step
  double first = 250'000;             // changes an hour
  std::function<void(std::uint64_t done, std::uint64_t all)> on_following;
};

// Every change is signed beforehand, goes through the ledger's public door, is validated there, and
// again by the follower in whose replica it takes effect. Errors as of run().
Result<CapacityReport> capacity(const Model& model, const CapacityOptions& options);

}  // namespace bw::city
