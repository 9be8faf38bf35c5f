// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "wave/authorize.hpp"

namespace bw::syndication {

// The yes to whatever one entity asked by one proof in one namespace: what its messages and
// subscriptions rest on, however many they are. Whoever holds one knows what it asked for itself.
// `valid` turns false when something on the path changed: its users then ask again. May be read and
// let go on any thread.
struct LiveGrant {
  const wave::Grant grant;
  std::atomic<Duration> max_staleness{};
  std::atomic<bool> valid = true;
};
using GrantPtr = std::shared_ptr<LiveGrant>;

// Remembers what authorize() said yes to, until something on that very path changes. Refusals are
// not remembered: they would have to be forgotten at each new grant. Bounded; the question that was
// not asked for longest goes, which costs its users nothing: a grant that somebody still holds is
// told of changes all the same.
//
// Thread-safe. One cache serves all threads of a router, so that a change holds for all of them at
// once; its lock is taken when a grant is asked for or let go, not when one that is held is used.
class GrantCache {
 public:
  GrantCache(const wave::AuthorityView& authority, std::size_t capacity);
  ~GrantCache();

  // authorize(), or a remembered yes for the same request and proof.
  Result<GrantPtr, wave::Denial> authorize(const wave::Request& request, const Hash& proof_hash,
                                           const wave::Proof& proof, Time now);
  // The per-message check: still valid, not expired, and the node fresh enough. Cheap.
  [[nodiscard]] bool usable(const LiveGrant& grant, Time now) const;

  // Invalidates exactly the grants whose path holds one of these (a namespace is on every path in
  // it), and returns them. To be called after the authority shows the change: a yes that was found
  // in its old state then does not get in any more.
  std::vector<GrantPtr> changed(std::span<const EntityKey> entities,
                                std::span<const ObjectId> dots);
  // How often changed() was called. What was learnt of the authority before it rose may be old.
  [[nodiscard]] std::uint64_t changes() const;
  // Questions whose answer is remembered.
  [[nodiscard]] std::size_t remembered() const;
  // Grants that rest behind them or are held by somebody, and were not told of a change.
  [[nodiscard]] std::size_t live() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace bw::syndication
