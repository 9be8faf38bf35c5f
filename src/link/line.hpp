// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <random>

#include "link/access.hpp"

namespace bw::link {

// When what goes into one direction of a link comes out of it. Pure: the same seed and packets give
// the same answers.
//
// A packet is lost by chance before it reaches the queue; from the queue it is sent at the line's
// rate after those before it; then it takes the delay and its own part of the jitter, but never
// overtakes another.
class Line {
 public:
  using Instant = std::chrono::nanoseconds;  // since any moment, the same for all calls

  Line(const Quality& quality, std::uint64_t seed) : quality_(quality), random_(seed) {}

  // `now` never goes back. Nothing when the packet is lost.
  std::optional<Instant> pass(Instant now, std::size_t bytes);

 private:
  // Of [0, 1).
  double chance() { return static_cast<double>(random_() >> 11U) * 0x1p-53; }

  Quality quality_;
  std::mt19937_64 random_;
  Instant free_{};  // when the last bit of those before has been sent
  Instant last_{};  // when the packet before comes out
};

}  // namespace bw::link
