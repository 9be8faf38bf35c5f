// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "base/id.hpp"
#include "base/time.hpp"
#include "wave/object.hpp"

namespace bw::wave {

struct EntityStatus {
  Time created;
  Time expires;
  bool revoked = false;
};

struct DotStatus {
  bool revoked = false;
};

// What one node knows of the ledger at one position. Calls are thread-safe, answer from local state,
// and report storage failure as an Error, never as absence.
class AuthorityView {
 public:
  virtual ~AuthorityView() = default;
  // Nothing: never registered on the ledger.
  [[nodiscard]] virtual Result<std::optional<EntityStatus>> entity(const EntityKey& key) const = 0;
  // Nothing: not on the ledger as far as this node knows.
  [[nodiscard]] virtual Result<std::optional<DotStatus>> dot(const ObjectId& id) const = 0;
  // When this node last heard a head from its ledger; the present for a ledger in this process.
  [[nodiscard]] virtual Time heard_at() const = 0;
  // How long after heard_at() this node may go on deciding about `ns`.
  [[nodiscard]] virtual Duration max_staleness(const EntityKey& ns) const = 0;
};

}  // namespace bw::wave
