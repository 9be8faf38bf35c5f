// SPDX-License-Identifier: Apache-2.0
#include "syndication/publish_limits.hpp"

namespace bw::syndication {

Result<void> PublishLimits::take(std::span<const wave::PublishLimit> limits, Time now) {
  for (const wave::PublishLimit& limit : limits) {
    if (limit.messages_per_second == 0) continue;
    const double rate = limit.messages_per_second;
    Count& count =
        counts_.try_emplace(limit.dot, Count{TokenBucket(rate, rate, now), now}).first->second;
    count.last = now;
    if (!count.bucket.take(1, now)) {
      return fail(ErrorCode::kLimited, "DoT {} allows {} messages a second; send fewer",
                  limit.dot.text(), limit.messages_per_second);
    }
  }
  return {};
}

void PublishLimits::tick(Time now) {
  // After a second the bucket is full again, as a new one would be.
  std::erase_if(counts_, [&](const auto& entry) { return now - entry.second.last > 1s; });
}

}  // namespace bw::syndication
