// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <unordered_map>

#include "base/id.hpp"
#include "base/result.hpp"
#include "syndication/token_bucket.hpp"
#include "wave/authorize.hpp"

namespace bw::syndication {

// The messages per second that DoTs allow, counted for each DoT over everything that flows under
// its authority. One second's worth may come at once. (Bytes stored are the message store's to
// count.)
class PublishLimits {
 public:
  // One message that rests on DoTs with these limits; kLimited, naming the DoT. A refused message
  // may have used up its share of the limits that would have let it pass.
  Result<void> take(std::span<const wave::PublishLimit> limits, Time now);
  // Forgets what no longer makes a difference.
  void tick(Time now);
  [[nodiscard]] std::size_t remembered() const { return counts_.size(); }

 private:
  struct Count {
    TokenBucket bucket;
    Time last;
  };
  std::unordered_map<ObjectId, Count> counts_;
};

}  // namespace bw::syndication
