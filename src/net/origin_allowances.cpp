// SPDX-License-Identifier: Apache-2.0
#include "net/origin_allowances.hpp"

namespace bw::net {

bool OriginAllowances::take(std::uint64_t origin, double count, Time now) {
  const auto found = by_origin_.find(origin);
  if (found != by_origin_.end()) {
    latest_first_.splice(latest_first_.begin(), latest_first_, found->second);
  } else {
    latest_first_.push_front({origin, {rate_, burst_, now}});
    by_origin_.emplace(origin, latest_first_.begin());
    if (latest_first_.size() > kOrigins) {
      by_origin_.erase(latest_first_.back().origin);
      latest_first_.pop_back();
    }
  }
  return latest_first_.front().bucket.take(count, now);
}

}  // namespace bw::net
