// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "syndication/batch.hpp"
#include "syndication/frames.hpp"
#include "syndication/grant_cache.hpp"
#include "syndication/replay_window.hpp"
#include "wave/proof.hpp"

namespace bw::syndication {

struct Route;  // fan_out.hpp

// One stream's topic as its receiver knows it. Shared with whoever still forwards messages about
// it.
struct TopicState {
  EntityKey origin;
  std::uint64_t stream = 0;
  std::uint32_t number = 0;
  Topic topic;
  // What hashes of values begin with, from the first on. Requests are not repeated.
  std::unique_ptr<const crypto::Sha256> leaf_prefix;
  // Null when the topic names a proof that was not sent: its messages are refused.
  std::shared_ptr<const wave::Proof> proof;
  // Last yes for each right, so that the hot path is a pointer and a check.
  std::array<GrantPtr, 4> grants;
  GrantPtr& grant_for(MessageType type);
  // Where a router forwards its messages to; nobody else looks at it.
  std::shared_ptr<Route> route;
};
using TopicPtr = std::shared_ptr<TopicState>;

// Types that need the same right share a grant.
inline GrantPtr& TopicState::grant_for(MessageType type) {
  switch (type) {
    case MessageType::kPublish:
    case MessageType::kPersist:
      return grants[0];
    case MessageType::kTap:
    case MessageType::kTapQuery:
      return grants[1];
    case MessageType::kList:
      return grants[2];
    default:
      return grants[3];
  }
}

// A batch whose signature, sequence and time hold, unless none of its messages is acceptable: then
// the signature was not looked at. Each message present is either authorised (`grants[i]` set) or
// refused
// (`refusals[i]` says why). Views point into the frame.
struct VerifiedBatch {
  BatchView view;
  std::vector<Hash> leaves;
  std::vector<TopicPtr> topics;
  std::vector<GrantPtr> grants;  // null for refused messages and for unsubscribe
  std::vector<wave::Denial> refusals;
  std::vector<bool> accepted;
  std::size_t judged = 0;  // so many from the front
  // How many were refused for want of a right, as opposed to being late, misaddressed or unlucky.
  std::size_t unauthorised = 0;
};

// The receiving end of PROOF, TOPIC and BATCH frames: the one verifier that routers and agents
// share. Checks, cheapest first: form, stream, sequence and time, topic, message expiry, grant,
// signature.
//
// On a router streams must have been attached on this session and origins are the attached
// entities; on an agent any origin's stream may come (through a router that is not trusted),
// bounded, and only values (publish, persist) are let through.
class Inbound {
 public:
  enum class Side { kRouter, kAgent };
  // Whether this router is the designated router of a namespace now. Asked only when a grant is not
  // remembered: invalidate the grants of a namespace (GrantCache::changed) when the answer changes.
  using Carries = std::function<bool(const EntityKey& ns)>;
  // `heard`: what an agent has seen of others' streams. Sessions that follow each other share one,
  // so that a router cannot show again after a reconnection what it showed before. Null: a fresh
  // one.
  Inbound(Side side, GrantCache& grants, Carries carries = {},
          std::shared_ptr<ReplayWindow> heard = nullptr);
  ~Inbound();
  Inbound(Inbound&&) noexcept;

  // Router only; kConflict or kLimited. The signature was checked against the exporter already.
  Result<void> attach(const Attach& attach);
  // Forgets a stream and its topics, on either side. On an agent what was seen of it stays known.
  void detach(const EntityKey& origin, std::uint64_t stream);
  void detach_all();
  // Router: frees so many topics of streams that were detached; false when that was all.
  bool forget_some(std::size_t topics);
  [[nodiscard]] std::size_t attached() const;
  // The entity that opened `stream` here, or nullptr.
  [[nodiscard]] const EntityKey* entity_of(std::uint64_t stream) const;

  // An error means that the peer broke the protocol or lied, but for kNotFound: a stream that is
  // not (any longer) attached here. `batch` also reports replayed (kReplayed) and out-of-window
  // (kExpired) batches, bad signatures (kBadSignature) and too many streams (kLimited) this way.
  Result<void> proof(ByteView bytes);
  Result<void> topic(const TopicFrame& frame);
  // `out` keeps its capacity; its views are valid until the frame goes.
  Result<void> batch(ByteView bytes, Time now, VerifiedBatch& out);
  // The two halves of batch(), for a router that looks at the origin in between: form and stream;
  // all the rest.
  Result<void> open(ByteView bytes, VerifiedBatch& out);
  Result<void> verify(VerifiedBatch& out, Time now);
  // verify() a little at a time: asks for at most so many rights that are not remembered for their
  // topic. False when there is more to ask; then nothing but detach() may come before the next
  // call, with the same batch. kNotFound when the stream went meanwhile.
  Result<bool> verify_some(VerifiedBatch& out, Time now, std::size_t questions);
  // The same for a DIRECT frame (agent): `seen` is the named subscription's own window in place of
  // the session's, since one message may come to a tap in a BATCH and to several subscriptions
  // directly.
  Result<void> direct(ByteView bytes, ReplayWindow& seen, Time now, VerifiedBatch& out);
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
