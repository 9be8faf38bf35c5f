// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace bw::city {

// How far something had come at which second: at most kMost points, evenly spread, whatever its
// length. Pure.
class Timeline {
 public:
  static constexpr std::size_t kMost = 200;
  using Point = std::pair<double, std::uint64_t>;

  void note(double seconds, std::uint64_t done) {
    if (!points_.empty() && seconds < points_.back().first + apart_) return;
    points_.emplace_back(seconds, done);
    if (points_.size() < kMost) return;
    for (std::size_t i = 0; i < kMost / 2; ++i) points_[i] = points_[2 * i];
    points_.resize(kMost / 2);
    apart_ *= 2;
  }
  [[nodiscard]] const std::vector<Point>& points() const { return points_; }

 private:
  double apart_ = 0.01;  // seconds
  std::vector<Point> points_;
};

}  // namespace bw::city
