// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "wave/authority.hpp"
#include "wave/object.hpp"

namespace bw::ledger {

// The ledger's state as far as admission needs it. Implemented by the authority store; contracts
// keep the same facts in storage.
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
  [[nodiscard]] virtual Result<std::optional<EntityRecord>> entity_record(
      const EntityKey& key) const = 0;
  [[nodiscard]] virtual Result<std::optional<DotRecord>> dot_record(const ObjectId& id) const = 0;
  // What most rules ask, of the same records without the objects; cheaper where those are on disk.
  [[nodiscard]] virtual Result<std::optional<wave::EntityStatus>> entity_status(
      const EntityKey& key) const;
  [[nodiscard]] virtual Result<std::optional<wave::DotStatus>> dot_status(const ObjectId& id) const;
  [[nodiscard]] virtual Result<std::optional<wave::Signed<wave::Alias>>> alias(
      std::string_view name) const = 0;
  // Highest nonce accepted: of a router over offers and addresses, of a namespace over acceptances.
  [[nodiscard]] virtual Result<std::uint64_t> router_nonce(const EntityKey& router) const = 0;
  [[nodiscard]] virtual Result<std::uint64_t> namespace_nonce(const EntityKey& ns) const = 0;
  // Whether the router's latest offer to `ns` stands.
  [[nodiscard]] virtual Result<bool> has_offer(const EntityKey& router,
                                               const EntityKey& ns) const = 0;

 protected:
  static wave::EntityStatus status_of(const EntityRecord& record);
};

// Whether the revocation's signer may revoke its target: a DoT by its granter, its grantee or one
// of its revokers; an entity by itself or one of its revokers. Precondition: the target is that
// object.
[[nodiscard]] bool entitled(const wave::Revocation& revocation, const wave::Dot& target);
[[nodiscard]] bool entitled(const wave::Revocation& revocation, const wave::Entity& target);

// The rules of admission, the same for every ledger, in the order of docs/formats.md, "Admission":
//   - nothing is admitted that has expired, or was created more than kClockSkew ahead of `now`
//     (kExpired);
//   - DoT: not yet on the ledger (kConflict: put twice is harmless and says so);
//   - entity: new, or created later than the one it renews (kConflict); never after revocation
//     (kRevoked);
//   - every signer is a registered, live entity (kNotFound, kRevoked, kExpired); an entity object
//     registers its own signer;
//   - revocation: its target is on the ledger (kNotFound), not revoked yet (kConflict), and its
//     signer entitled (kDenied);
//   - alias: the name is free (kConflict);
//   - offer, acceptance, address: nonce above the highest seen (kConflict); accepting needs a
//     standing offer (kNotFound), and the accepted router must be live.
// Granters need not hold what they grant, grantees need not be registered (paper section 3.1).
// Precondition: the caller has checked the signature. Errors of `state` are passed on.
Result<void> admissible(const wave::Object& object, const StateView& state, Time now);

}  // namespace bw::ledger
