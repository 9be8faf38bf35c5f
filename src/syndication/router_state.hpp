// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/unordered/unordered_flat_set.hpp>

#include "syndication/recent_proofs.hpp"
#include "syndication/router_core.hpp"

// What a router core holds for each peer. Owned by RouterCore::Impl; pointers between these are
// valid while both ends are, and whoever removes one end clears the other.
namespace bw::syndication {

struct Session;
struct Stream;

// Somebody with a session or a stream here.
struct Entity {
  EntityKey key;
  Time expires;             // by the ledger; renewals are noticed when this comes
  std::size_t holders = 0;  // sessions and streams
  std::size_t sessions = 0;
  std::size_t subscriptions = 0;
};

struct Subscription {
  std::uint64_t handle = 0;
  Session* session = nullptr;
  Entity* entity = nullptr;
  Stream* stream = nullptr;
  RequestId request;
  bool tap = false;
  Time expires = kNever;  // as its message asked
  TopicPtr topic;         // shared with the intake; only what never changes in it is looked at
  GrantPtr grant;
  Time recheck_at{};         // when it or the grant expires, or at once while nobody can tell
  std::uint64_t served = 0;  // when it last got a message that was not for all, as a rising number

  // Whether it is to get messages now.
  [[nodiscard]] inline bool live(Time now) const;
};

// A set finds a subscription by its request.
struct ByRequest {
  using is_transparent = void;
  static const RequestId& id(const Subscription* subscription) { return subscription->request; }
  static const RequestId& id(const RequestId& request) { return request; }
  bool operator()(const auto& a, const auto& b) const { return id(a) < id(b); }
};

// An entity's stream as attached on a session.
struct Stream {
  std::uint64_t id = 0;
  Session* session = nullptr;
  Entity* entity = nullptr;
  std::uint64_t handled = 0;  // highest sequence to acknowledge
  bool ack_due = false;
  bool over = false;  // and waits for its subscriptions to be removed
  std::set<Subscription*, ByRequest> subscriptions;
  std::map<SessionId, Session*> told;  // who knows topics of it
};

inline bool Subscription::live(Time now) const {
  return grant->valid.load(std::memory_order_relaxed) && now < grant->grant.expires &&
         now < expires && !stream->over;
}

struct Session {
  SessionId id = 0;
  Entity* peer = nullptr;
  std::unordered_map<std::uint64_t, std::unique_ptr<Stream>> streams;
  std::size_t subscriptions = 0;
  // What was sent to it.
  RecentProofs told_proofs;
  std::unordered_map<Stream*, boost::unordered_flat_set<std::uint32_t>> told_topics;
  // What waits to be sent (Outbox).
  Bytes answers;
  std::vector<std::uint32_t> deliveries;
  bool waiting = false;
  // Positions within the batch at hand that go to it (FanOut).
  std::vector<std::uint16_t> picked;
};

}  // namespace bw::syndication
