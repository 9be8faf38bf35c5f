// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/time.hpp"

namespace bw::syndication {

// `rate` tokens a second, at most `burst` saved up; starts full. Exact for whole rates, bursts and
// counts. A clock that steps back gives nothing and takes nothing.
class TokenBucket {
 public:
  TokenBucket(double rate, double burst, Time now)
      : rate_(rate), burst_(burst * kUnit), tokens_(burst_), at_(now) {}

  // Takes `count` tokens, or none and says no.
  [[nodiscard]] bool take(double count, Time now);
  // Nothing is missing from it: a new one would be the same.
  [[nodiscard]] bool full(Time now) const;

 private:
  // Counted in millionths, so that a microsecond of a whole rate is a whole number.
  static constexpr double kUnit = 1e6;

  double rate_;
  double burst_;   // in millionths
  double tokens_;  // in millionths
  Time at_;
};

}  // namespace bw::syndication
