// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <unordered_map>
#include <vector>

#include "syndication/batch.hpp"
#include "syndication/frames.hpp"
#include "syndication/grant_cache.hpp"
#include "syndication/replay_window.hpp"
#include "wave/proof.hpp"

namespace bw::syndication {

// One stream's topic as its receiver knows it. Shared with whoever still forwards messages about it.
struct TopicState {
  EntityKey origin;
  std::uint64_t stream = 0;
  std::uint32_t number = 0;
  Topic topic;
  crypto::Sha256 leaf_prefix;
  std::shared_ptr<const wave::Proof> proof;
  // Last yes per message type (index = MessageType), so that the hot path is a pointer and a check.
  std::array<GrantPtr, 9> grants;
};
using TopicPtr = std::shared_ptr<TopicState>;

// A batch whose signature, sequence and time hold. Each message present is either authorised
// (`grants[i]` set) or refused (`refusals[i]` says why). Views point into the frame.
struct VerifiedBatch {
  BatchView view;
  std::vector<Hash> leaves;
  std::vector<TopicPtr> topics;
  std::vector<GrantPtr> grants;      // null for refused messages and for unsubscribe
  std::vector<wave::Denial> refusals;
  std::vector<bool> accepted;
};

// The receiving end of PROOF, TOPIC and BATCH frames: the one verifier that routers and agents share.
// Checks, cheapest first: form, stream, sequence and time, topic, message expiry, grant, signature.
//
// On a router streams must have been attached on this session and origins are the attached entities;
// on an agent any origin's stream may come (through a router that is not trusted), bounded, and only
// values (publish, persist) are let through.
class Inbound {
 public:
  enum class Side { kRouter, kAgent };
  Inbound(Side side, GrantCache& grants);
  ~Inbound();

  // Router only.
  Result<void> attach(const Attach& attach);  // signature already checked against the exporter
  void detach(const EntityKey& origin, std::uint64_t stream);
  [[nodiscard]] std::size_t attached() const;
  // The entity that opened `stream` here, or nullptr.
  [[nodiscard]] const EntityKey* entity_of(std::uint64_t stream) const;

  // An error of these three means that the peer broke the protocol or lied; `batch` also reports
  // replayed or out-of-window batches and bad signatures this way.
  Result<void> proof(ByteView bytes);
  Result<void> topic(const TopicFrame& frame);
  // `out` keeps its capacity. Valid until the next call or the frame goes.
  Result<void> batch(ByteView bytes, Time now, VerifiedBatch& out);
  // A persisted message in answer to a query (agent): verified like a live one, but for the replay
  // window, since it may be old.
  Result<void> stored(const Stored& frame, Time now, VerifiedBatch& out);

  // Forgets streams that have been silent beyond the replay window (agent).
  void tick(Time now);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bw::syndication
