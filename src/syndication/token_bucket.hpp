// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/time.hpp"

namespace bw::syndication {

// `rate` tokens a second, at most `burst` saved up.
class TokenBucket {
 public:
  TokenBucket(double rate, double burst, Time now) : rate_(rate), burst_(burst), tokens_(burst), at_(now) {}

  // Takes `count` tokens, or none and says no.
  [[nodiscard]] bool take(double count, Time now);

 private:
  double rate_;
  double burst_;
  double tokens_;
  Time at_;
};

}  // namespace bw::syndication
