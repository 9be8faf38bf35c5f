// SPDX-License-Identifier: Apache-2.0
#include "ledger/pending_state.hpp"

namespace bw::ledger {

Result<void> PendingState::add(const wave::Object& object) {
  return std::visit([this](const auto& signed_object) { return take(signed_object); }, object);
}

void PendingState::clear() {
  entities_.clear();
  dots_.clear();
  aliases_.clear();
  router_nonces_.clear();
  namespace_nonces_.clear();
  offers_.clear();
}

Result<void> PendingState::take(const wave::Signed<wave::Entity>& entity) {
  entities_.insert_or_assign(entity.value.key, EntityRecord{entity, false});
  return {};
}

Result<void> PendingState::take(const wave::Signed<wave::Dot>& dot) {
  dots_.try_emplace(dot.id, DotRecord{dot, false});
  return {};
}

Result<void> PendingState::take(const wave::Signed<wave::Revocation>& revocation) {
  if (revocation.value.target_kind == wave::Revocation::Target::kEntity) {
    BW_TRY(auto record, entity_record(revocation.value.entity()));
    if (record) {
      record->revoked = true;
      entities_.insert_or_assign(revocation.value.entity(), *std::move(record));
    }
    return {};
  }
  BW_TRY(auto record, dot_record(revocation.value.dot()));
  if (record) {
    record->revoked = true;
    dots_.insert_or_assign(revocation.value.dot(), *std::move(record));
  }
  return {};
}

Result<void> PendingState::take(const wave::Signed<wave::Alias>& alias) {
  aliases_.try_emplace(alias.value.name, alias);
  return {};
}

Result<void> PendingState::take(const wave::Signed<wave::RouterOffer>& offer) {
  router_nonces_[offer.value.router] = offer.value.nonce;
  offers_[{offer.value.router, offer.value.ns}] = !offer.value.retracted;
  return {};
}

Result<void> PendingState::take(const wave::Signed<wave::RouterAcceptance>& acceptance) {
  namespace_nonces_[acceptance.value.ns] = acceptance.value.nonce;
  return {};
}

Result<void> PendingState::take(const wave::Signed<wave::RouterAddress>& address) {
  router_nonces_[address.value.router] = address.value.nonce;
  return {};
}

Result<std::optional<StateView::EntityRecord>> PendingState::entity_record(
    const EntityKey& key) const {
  if (const auto found = entities_.find(key); found != entities_.end()) return found->second;
  return base_.entity_record(key);
}

Result<std::optional<StateView::DotRecord>> PendingState::dot_record(const ObjectId& id) const {
  if (const auto found = dots_.find(id); found != dots_.end()) return found->second;
  return base_.dot_record(id);
}

Result<std::optional<wave::EntityStatus>> PendingState::entity_status(const EntityKey& key) const {
  if (const auto found = entities_.find(key); found != entities_.end())
    return status_of(found->second);
  return base_.entity_status(key);
}

Result<std::optional<wave::DotStatus>> PendingState::dot_status(const ObjectId& id) const {
  if (const auto found = dots_.find(id); found != dots_.end())
    return wave::DotStatus{.revoked = found->second.revoked};
  return base_.dot_status(id);
}

Result<std::optional<wave::Signed<wave::Alias>>> PendingState::alias(std::string_view name) const {
  if (const auto found = aliases_.find(name); found != aliases_.end()) return found->second;
  return base_.alias(name);
}

Result<std::uint64_t> PendingState::router_nonce(const EntityKey& router) const {
  if (const auto found = router_nonces_.find(router); found != router_nonces_.end())
    return found->second;
  return base_.router_nonce(router);
}

Result<std::uint64_t> PendingState::namespace_nonce(const EntityKey& ns) const {
  if (const auto found = namespace_nonces_.find(ns); found != namespace_nonces_.end())
    return found->second;
  return base_.namespace_nonce(ns);
}

Result<bool> PendingState::has_offer(const EntityKey& router, const EntityKey& ns) const {
  if (const auto found = offers_.find({router, ns}); found != offers_.end()) return found->second;
  return base_.has_offer(router, ns);
}

}  // namespace bw::ledger
