// SPDX-License-Identifier: Apache-2.0
#include "syndication/token_bucket.hpp"

#include <algorithm>

namespace bw::syndication {

bool TokenBucket::take(double count, Time now) {
  if (now > at_) {
    const auto passed = static_cast<double>((now - at_).count());
    tokens_ = std::min(burst_, tokens_ + passed * rate_);
  }
  at_ = now;
  if (count * kUnit > tokens_) return false;
  tokens_ -= count * kUnit;
  return true;
}

bool TokenBucket::full(Time now) const {
  return tokens_ + static_cast<double>((now - at_).count()) * rate_ >= burst_;
}

}  // namespace bw::syndication
