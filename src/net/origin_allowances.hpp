// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <list>
#include <unordered_map>

#include "syndication/token_bucket.hpp"

namespace bw::net {

// A token bucket for each origin (base/crowd.hpp): who opens more connections has no more of them.
// Remembers the kOrigins that asked last.
class OriginAllowances {
 public:
  static constexpr std::size_t kOrigins = 16'384;

  // `rate` a second from each origin, `burst` at once.
  OriginAllowances(double rate, double burst) : rate_(rate), burst_(burst) {}

  // As TokenBucket::take().
  [[nodiscard]] bool take(std::uint64_t origin, double count, Time now);
  [[nodiscard]] std::size_t size() const { return latest_first_.size(); }

 private:
  struct Entry {
    std::uint64_t origin;
    syndication::TokenBucket bucket;
  };
  using Entries = std::list<Entry>;

  double rate_;
  double burst_;
  Entries latest_first_;
  std::unordered_map<std::uint64_t, Entries::iterator> by_origin_;
};

}  // namespace bw::net
