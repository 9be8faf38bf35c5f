// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/id.hpp"
#include "wave/pattern.hpp"

namespace bw::syndication {

// Which subscriptions a concrete URI concerns. A trie over the cells of patterns, one per
// namespace; nodes go when their last subscription goes. Matching agrees with wave::matches
// exactly. About 100 bytes for a subscription whose pattern shares all but its last cell with
// others.
//
// Nothing in it depends on hashes of what a subscriber chooses: who picks patterns cannot make it
// slow.
class SubscriptionTree {
 public:
  // Stands for one subscription, and so for one namespace and pattern. The highest number is taken.
  using Handle = std::uint64_t;

  SubscriptionTree();
  ~SubscriptionTree();
  SubscriptionTree(SubscriptionTree&&) noexcept;
  SubscriptionTree& operator=(SubscriptionTree&&) noexcept;

  // Precondition: the handle is not in the tree.
  void add(const EntityKey& ns, const wave::Pattern& pattern, Handle handle);
  // Precondition: added before with the same namespace and pattern.
  void remove(const EntityKey& ns, const wave::Pattern& pattern, Handle handle);
  // Appends each matching handle once, in no particular order. A `uri` with wildcards matches
  // nothing.
  void match(const EntityKey& ns, const wave::Pattern& uri, std::vector<Handle>& out) const;
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::size_t nodes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bw::syndication
