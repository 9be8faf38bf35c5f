// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bitset>
#include <compare>
#include <cstdint>
#include <map>

#include "base/limits.hpp"
#include "base/result.hpp"
#include "syndication/batch.hpp"

namespace bw::syndication {

// Lets each live message of a stream through once: the sequence rises strictly, the time of
// creation is within kReplayWindow of now. Parts of one batch may come in several frames (direct
// deliveries), so within the current sequence each index passes once.
class StreamWindow {
 public:
  // kReplayed, or kExpired naming the age or the clock. Cheap, and without effect: for use before
  // the signature is checked.
  [[nodiscard]] Result<void> check(const BatchView& batch, Time now) const;
  // check(), and on success the messages are marked as seen. For batches whose signature holds, so
  // that a forged one cannot use up a sequence.
  [[nodiscard]] Result<void> admit(const BatchView& batch, Time now);

 private:
  std::uint64_t sequence_ = 0;
  std::bitset<limits::kBatchMessages> seen_;
};

// StreamWindows for streams a receiver hears of through a router. A stream is forgotten when
// nothing it has sent would pass the time check any more; beyond kTrackedStreams the batch is
// refused (kLimited).
class ReplayWindow {
 public:
  [[nodiscard]] Result<void> check(const BatchView& batch, Time now) const;
  [[nodiscard]] Result<void> admit(const BatchView& batch, Time now);
  void forget_old(Time now);
  [[nodiscard]] std::size_t streams() const { return streams_.size(); }

 private:
  struct Key {
    EntityKey origin;
    std::uint64_t stream;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Tracked {
    StreamWindow window;
    Time last_created;  // the latest of all
  };
  // Ordered, because an origin chooses its stream ids and could make hashes collide.
  std::map<Key, Tracked> streams_;
};

}  // namespace bw::syndication
