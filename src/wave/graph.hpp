// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "wave/object.hpp"

namespace bw::wave {

// A DoT as the permission graph's indexes hold it: enough to search by.
struct Edge {
  ObjectId dot;
  EntityKey granter;
  EntityKey grantee;
  EntityKey ns;
  Permissions permissions;
  std::uint8_t ttl = 0;
  Time not_before;
  Time expires;
  bool has_conditions = false;
  Pattern pattern;
};
Edge edge_of(const Signed<Dot>& dot);

// Walks edges lazily, so that a hub or a spammed entity costs only the edges looked at.
class EdgeCursor {
 public:
  virtual ~EdgeCursor() = default;
  // False at the end. kIo / kCorrupt when the store fails.
  [[nodiscard]] virtual Result<bool> next(Edge& out) = 0;
};

// The permission graph of every namespace, as indexed by a node. Edges of revoked DoTs are not in
// it; expired ones may be. Thread-safe.
class PermissionGraph {
 public:
  virtual ~PermissionGraph() = default;
  // Edges that `granter` gave in `ns` whose literal prefix is one of the cell prefixes of
  // `pattern`'s literal prefix; a superset of those that cover `pattern`. At most one index probe
  // per cell, however many other grants the granter made.
  [[nodiscard]] virtual std::unique_ptr<EdgeCursor> granted_by(const EntityKey& ns,
                                                               const EntityKey& granter,
                                                               const Pattern& pattern) const = 0;
  // Every edge that ends at `grantee` in `ns`.
  [[nodiscard]] virtual std::unique_ptr<EdgeCursor> granted_to(const EntityKey& ns,
                                                               const EntityKey& grantee) const = 0;
  // The edges from `granter` to `grantee` in `ns`; one index probe.
  [[nodiscard]] virtual std::unique_ptr<EdgeCursor> between(const EntityKey& ns,
                                                            const EntityKey& granter,
                                                            const EntityKey& grantee) const = 0;
  // Every edge in any namespace that ends at `grantee` (what-can), or that `granter` gave.
  [[nodiscard]] virtual std::unique_ptr<EdgeCursor> all_granted_to(
      const EntityKey& grantee) const = 0;
  [[nodiscard]] virtual std::unique_ptr<EdgeCursor> all_granted_by(
      const EntityKey& granter) const = 0;
};

}  // namespace bw::wave
