// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "wave/authority.hpp"
#include "wave/object.hpp"

namespace bw::ledger {

// The ledger's state as far as admission needs it. Implemented by the authority store; contracts keep
// the same facts in storage.
class StateView {
 public:
  virtual ~StateView() = default;
  struct EntityRecord {
    wave::Signed<wave::Entity> object;  // the latest put
    bool revoked = false;
  };
  struct DotRecord {
    wave::Signed<wave::Dot> object;
    bool revoked = false;
  };
  [[nodiscard]] virtual Result<std::optional<EntityRecord>> entity_record(const EntityKey& key) const = 0;
  [[nodiscard]] virtual Result<std::optional<DotRecord>> dot_record(const ObjectId& id) const = 0;
  [[nodiscard]] virtual Result<std::optional<wave::Signed<wave::Alias>>> alias(std::string_view name) const = 0;
  // Highest nonce accepted: of a router over offers and addresses, of a namespace over acceptances.
  [[nodiscard]] virtual Result<std::uint64_t> router_nonce(const EntityKey& router) const = 0;
  [[nodiscard]] virtual Result<std::uint64_t> namespace_nonce(const EntityKey& ns) const = 0;
  // Whether the router's latest offer to `ns` stands.
  [[nodiscard]] virtual Result<bool> has_offer(const EntityKey& router, const EntityKey& ns) const = 0;
};

// The rules of admission, the same for every ledger (docs/formats.md, "Admission"):
//   - every signer is a registered, live entity (an entity object registers its own signer);
//   - nothing is admitted that has expired, or was created more than kClockSkew ahead of `now`;
//   - entity: new, or created later than the one it renews; never after revocation;
//   - DoT: not yet on the ledger (kConflict: put twice is harmless and says so);
//   - revocation: its target is on the ledger, not revoked yet, and its signer entitled;
//   - alias: the name is free;
//   - offer, acceptance, address: nonce above the highest seen; accepting needs a standing offer, and
//     the accepted router must be live.
// Granters need not hold what they grant, grantees need not be registered (paper section 3.1).
// Precondition: the caller has checked the signature.
Result<void> admissible(const wave::Object& object, const StateView& state, Time now);

}  // namespace bw::ledger
