// SPDX-License-Identifier: Apache-2.0
#include "city/participants/live_churn.hpp"

#include <cmath>

namespace bw::city {

std::deque<std::vector<Bytes>> changes_of(const Event& event, std::uint64_t model_seed) {
  std::deque<std::vector<Bytes>> out;
  std::vector<Bytes> objects = objects_of(event, model_seed);
  for (std::size_t i = 0; i < objects.size(); ++i) {
    if (i == 0 || i > event.newcomers.size()) out.emplace_back();
    out.back().push_back(std::move(objects[i]));
  }
  return out;
}

std::uint64_t changes_due(double seconds, double per_hour) {
  return static_cast<std::uint64_t>(std::floor(seconds * per_hour / 3600 + 0.5));
}

Result<void> LiveChurn::live_until(double seconds) {
  while (changes_ < changes_due(seconds, per_hour_)) {
    // An event may change nothing: a home of a small city that stays with the only utility.
    while (left_.empty()) left_ = changes_of(churn_.next(), seed_);
    BW_CHECK(put_next());
    ++changes_;
  }
  return {};
}

Result<void> LiveChurn::finish() {
  while (!left_.empty()) BW_CHECK(put_next());
  return {};
}

Result<void> LiveChurn::put_next() {
  BW_CHECK(follower_.put(left_.front()));
  left_.pop_front();
  if (left_.empty()) return progress_.save(churn_.events());
  return {};
}

}  // namespace bw::city
