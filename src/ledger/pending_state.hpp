// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "ledger/admission.hpp"

namespace bw::ledger {

// A ledger's state plus entries that are admitted but not stored yet, so that a run of entries can
// be judged one by one and stored together: an entity and then its first DoT pass in one run, and
// two claims of one alias do not.
class PendingState : public StateView {
 public:
  explicit PendingState(const StateView& base) : base_(base) {}
  // A pending state over another is what copying would look like.
  PendingState(const PendingState&) = delete;
  PendingState& operator=(const PendingState&) = delete;

  // Precondition: admissible(object, *this, now) said yes.
  Result<void> add(const wave::Object& object);
  void clear();  // the added entries are in the base now

  [[nodiscard]] Result<std::optional<EntityRecord>> entity_record(
      const EntityKey& key) const override;
  [[nodiscard]] Result<std::optional<DotRecord>> dot_record(const ObjectId& id) const override;
  [[nodiscard]] Result<std::optional<wave::EntityStatus>> entity_status(
      const EntityKey& key) const override;
  [[nodiscard]] Result<std::optional<wave::DotStatus>> dot_status(
      const ObjectId& id) const override;
  [[nodiscard]] Result<std::optional<wave::Signed<wave::Alias>>> alias(
      std::string_view name) const override;
  [[nodiscard]] Result<std::uint64_t> router_nonce(const EntityKey& router) const override;
  [[nodiscard]] Result<std::uint64_t> namespace_nonce(const EntityKey& ns) const override;
  [[nodiscard]] Result<bool> has_offer(const EntityKey& router, const EntityKey& ns) const override;

 private:
  Result<void> take(const wave::Signed<wave::Entity>& entity);
  Result<void> take(const wave::Signed<wave::Dot>& dot);
  Result<void> take(const wave::Signed<wave::Revocation>& revocation);
  Result<void> take(const wave::Signed<wave::Alias>& alias);
  Result<void> take(const wave::Signed<wave::RouterOffer>& offer);
  Result<void> take(const wave::Signed<wave::RouterAcceptance>& acceptance);
  Result<void> take(const wave::Signed<wave::RouterAddress>& address);

  const StateView& base_;
  std::unordered_map<EntityKey, EntityRecord> entities_;
  std::unordered_map<ObjectId, DotRecord> dots_;
  std::map<std::string, wave::Signed<wave::Alias>, std::less<>> aliases_;
  std::unordered_map<EntityKey, std::uint64_t> router_nonces_;
  std::unordered_map<EntityKey, std::uint64_t> namespace_nonces_;
  std::map<std::pair<EntityKey, EntityKey>, bool> offers_;
};

}  // namespace bw::ledger
