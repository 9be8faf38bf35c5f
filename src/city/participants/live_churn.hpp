// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>

#include "city/churn.hpp"
#include "city/follower.hpp"
#include "city/progress_file.hpp"

namespace bw::city {

// An event as its permission changes, one after another, since a single event may be a minute's
// worth of them. Newcomers are registered with the first.
std::deque<std::vector<Bytes>> changes_of(const Event& event, std::uint64_t model_seed);

// How many changes are due `seconds` after the beginning, the first after half of what lies between
// two.
std::uint64_t changes_due(double seconds, double per_hour);

// The churn of a city in real time.
class LiveChurn {
 public:
  // `progress` counts the events that are whole on the ledger.
  LiveChurn(Churn& churn, std::uint64_t model_seed, Follower& follower, ProgressFile progress,
            double per_hour)
      : churn_(churn),
        seed_(model_seed),
        follower_(follower),
        progress_(std::move(progress)),
        per_hour_(per_hour) {}

  // Puts what is due so many seconds after the beginning; returns when the follower acts on it.
  Result<void> live_until(double seconds);
  // Puts the rest of an event under way, so that the city is whole. These do not count.
  Result<void> finish();

  [[nodiscard]] std::uint64_t changes() const { return changes_; }

 private:
  Result<void> put_next();

  Churn& churn_;
  const std::uint64_t seed_;
  Follower& follower_;
  const ProgressFile progress_;
  const double per_hour_;
  std::uint64_t changes_ = 0;
  std::deque<std::vector<Bytes>> left_;  // of the event under way
};

}  // namespace bw::city
