// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bitset>
#include <cstdint>
#include <map>
#include <unordered_map>

#include "base/limits.hpp"
#include "base/result.hpp"
#include "syndication/batch.hpp"

namespace bw::syndication {

// Lets each live message of a stream through once: the sequence rises strictly, the time of creation
// is within kReplayWindow of now. Parts of one batch may come in several frames (direct deliveries), so
// within the current sequence each index passes once.
class StreamWindow {
 public:
  // kReplayed or kExpired; on success the messages are marked as seen.
  Result<void> admit(const BatchView& batch, Time now);

 private:
  std::uint64_t sequence_ = 0;
  std::bitset<limits::kBatchMessages> seen_;
};

// StreamWindows for streams a receiver hears of through a router. A stream is forgotten when nothing it
// could still send would pass the time check; beyond kTrackedStreams the batch is refused (kLimited).
class ReplayWindow {
 public:
  Result<void> admit(const BatchView& batch, Time now);
  void forget_old(Time now);
  [[nodiscard]] std::size_t streams() const { return streams_.size(); }

 private:
  struct Key {
    EntityKey origin;
    std::uint64_t stream;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept { return std::hash<EntityKey>{}(key.origin) ^ key.stream; }
  };
  struct Tracked {
    StreamWindow window;
    Time last_created;
  };
  std::unordered_map<Key, Tracked, KeyHash> streams_;
};

}  // namespace bw::syndication
