// SPDX-License-Identifier: Apache-2.0
#include "store/authority_store_impl.hpp"
#include "wave/link.hpp"

namespace bw::store {

Result<std::optional<wave::EntityStatus>> AuthorityStore::entity_status(
    const EntityKey& key) const {
  BW_TRY(const auto row, impl_->index->row<EntityRow>(entity_key(key)));
  if (!row) return std::nullopt;
  return wave::EntityStatus{.created = row->created,
                            .expires = row->expires,
                            .revoked = row->revoked || impl_->suspects(key)};
}

Result<std::optional<wave::DotStatus>> AuthorityStore::dot_status(const ObjectId& id) const {
  BW_TRY(const auto row, impl_->index->row<DotRow>(dot_key(id)));
  if (!row) return std::nullopt;
  const auto suspected = impl_->suspects();
  return wave::DotStatus{.revoked = row->revoked || (suspected && suspected->dots.contains(id))};
}

Result<std::optional<AuthorityStore::Located>> AuthorityStore::object(const ObjectId& id) const {
  BW_TRY(const auto offset, impl_->find_object(id));
  if (!offset) return std::nullopt;
  BW_TRY(const Bytes bytes, impl_->log->read_at(*offset));
  BW_TRY(wave::Object object, wave::parse_object(bytes));
  BW_TRY(const std::uint64_t index, impl_->log->index_of(*offset));
  return Located{.object = std::move(object), .index = index};
}

Result<std::optional<std::uint64_t>> AuthorityStore::Impl::find_object(const ObjectId& id) const {
  BW_TRY(const auto dot, index->row<DotRow>(dot_key(id)));
  if (dot) return dot->offset;
  BW_TRY(const auto entity, index->row<EntityRow>(entity_key(EntityKey{id.bytes})));
  if (entity) return entity->offset;
  std::optional<std::uint64_t> found;
  BW_CHECK(index->each(object_prefix(id), [&](std::string_view key) -> Result<bool> {
    const std::uint64_t offset = offset_at_end(key);
    BW_TRY(const Bytes bytes, log->read_at(offset));
    BW_TRY(const wave::Object object, wave::parse_object(bytes));
    if (wave::id_of(object) == id) found = offset;
    return !found;
  }));
  return found;
}

Result<std::optional<std::string>> AuthorityStore::alias_of(const ByteArray<32>& value) const {
  BW_TRY(const auto row, impl_->index->row<TextRow>(alias_value_key(value)));
  if (!row) return std::nullopt;
  return row->text;
}

Result<bool> AuthorityStore::Impl::is_live(const EntityKey& key, Time now) const {
  BW_TRY(const auto row, index->row<EntityRow>(entity_key(key)));
  if (!row) return false;
  const wave::EntityStatus status{
      .created = row->created, .expires = row->expires, .revoked = row->revoked || suspects(key)};
  return !wave::entity_obstacle(status, now);
}

Result<std::optional<AuthorityStore::Designation>> AuthorityStore::designated_router(
    const EntityKey& ns, Time now) const {
  BW_TRY(const auto chosen, impl_->index->row<AcceptanceRow>(acceptance_key(ns)));
  if (!chosen || chosen->retracted) return std::nullopt;
  BW_TRY(const bool offered, has_offer(chosen->router, ns));
  BW_TRY(const bool ns_live, impl_->is_live(ns, now));
  BW_TRY(const bool router_live, impl_->is_live(chosen->router, now));
  if (!offered || !ns_live || !router_live) return std::nullopt;
  BW_TRY(auto address, router_address(chosen->router, now));
  return Designation{.router = chosen->router,
                     .address = std::move(address),
                     .max_staleness_s = chosen->max_staleness_s};
}

Result<std::optional<std::string>> AuthorityStore::router_address(const EntityKey& router,
                                                                  Time now) const {
  BW_TRY(const auto row, impl_->index->row<TextRow>(address_key(router)));
  if (!row) return std::nullopt;
  BW_TRY(const bool live, impl_->is_live(router, now));
  if (!live) return std::nullopt;
  return row->text;
}

Result<std::vector<EntityKey>> AuthorityStore::offers_to(const EntityKey& ns) const {
  std::vector<EntityKey> routers;
  BW_CHECK(impl_->index->each(offer_prefix(ns), [&](std::string_view key) -> Result<bool> {
    const EntityKey router = id_at_end(key);
    BW_TRY(const bool stands, has_offer(router, ns));
    if (stands) routers.push_back(router);
    return routers.size() < limits::kRouterOffers;
  }));
  return routers;
}

Result<std::uint32_t> AuthorityStore::max_staleness_s(const EntityKey& ns) const {
  BW_TRY(const auto row, impl_->index->row<AcceptanceRow>(acceptance_key(ns)));
  return row ? row->max_staleness_s : 0;
}

Result<std::optional<ledger::StateView::EntityRecord>> AuthorityStore::entity_record(
    const EntityKey& key) const {
  BW_TRY(const auto row, impl_->index->row<EntityRow>(entity_key(key)));
  if (!row) return std::nullopt;
  BW_TRY(auto object, impl_->read<wave::Entity>(row->offset));
  return EntityRecord{.object = std::move(object), .revoked = row->revoked};
}

Result<std::optional<ledger::StateView::DotRecord>> AuthorityStore::dot_record(
    const ObjectId& id) const {
  BW_TRY(const auto row, impl_->index->row<DotRow>(dot_key(id)));
  if (!row) return std::nullopt;
  BW_TRY(auto object, impl_->read<wave::Dot>(row->offset));
  return DotRecord{.object = std::move(object), .revoked = row->revoked};
}

Result<std::optional<wave::Signed<wave::Alias>>> AuthorityStore::alias(
    std::string_view name) const {
  BW_TRY(const auto row, impl_->index->row<NumberRow>(alias_key(name)));
  if (!row) return std::nullopt;
  BW_TRY(auto object, impl_->read<wave::Alias>(row->number));
  return object;
}

Result<std::uint64_t> AuthorityStore::router_nonce(const EntityKey& router) const {
  BW_TRY(const auto row, impl_->index->row<NumberRow>(nonce_key(router)));
  return row ? row->number : 0;
}

Result<std::uint64_t> AuthorityStore::namespace_nonce(const EntityKey& ns) const {
  BW_TRY(const auto row, impl_->index->row<AcceptanceRow>(acceptance_key(ns)));
  return row ? row->nonce : 0;
}

Result<bool> AuthorityStore::has_offer(const EntityKey& router, const EntityKey& ns) const {
  BW_TRY(const auto row, impl_->index->row<OfferRow>(offer_key(ns, router)));
  return row && !row->retracted;
}

}  // namespace bw::store
