// SPDX-License-Identifier: Apache-2.0
#include "store/authority_indexer.hpp"

#include <algorithm>

namespace bw::store {
namespace {

template <class IdType>
void sort_unique(std::vector<IdType>& ids) {
  std::ranges::sort(ids);
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

template <class T>
Result<wave::Signed<T>> read_object(const EntryLog& log, std::uint64_t offset) {
  BW_TRY(const Bytes bytes, log.read_at(offset));
  return wave::parse<T>(bytes);
}

}  // namespace

template <class Row>
Result<std::optional<Row>> AuthorityIndexer::row(const std::string& key) const {
  const auto found = written_.find(key);
  if (found == written_.end()) return index_.row<Row>(key);
  if (!found->second) return std::nullopt;
  return decode_row<Row>(*found->second);
}

template <class Row>
void AuthorityIndexer::put_row(const std::string& key, const Row& row) {
  touch(key);
  std::string value = encode(row);
  batch_.Put(key, value);
  written_.insert_or_assign(key, std::move(value));
}

void AuthorityIndexer::put_key(const std::string& key) {
  touch(key);
  batch_.Put(key, {});
  if (undo_) written_.insert_or_assign(key, std::string());
}

void AuthorityIndexer::remove_key(const std::string& key) {
  touch(key);
  batch_.Delete(key);
  if (undo_) written_.insert_or_assign(key, std::nullopt);
}

void AuthorityIndexer::touch(const std::string& key) {
  if (!undo_ || undo_->rows.contains(key) || unread_.contains(key)) return;
  const auto found = written_.find(key);
  if (found != written_.end()) {
    undo_->rows.emplace(key, found->second);
  } else {
    unread_.insert(key);
  }
}

// The index itself does not change before commit(), so what it says now is what stood before.
Result<void> AuthorityIndexer::keep_undo() {
  for (const std::string& key : unread_) {
    BW_TRY(auto value, index_.get(key));
    undo_->rows.emplace(key, std::move(value));
  }
  unread_.clear();
  batch_.Put(undo_key(undo_->meta.applied), encode(*undo_));
  if (undo_->meta.applied >= undo_entries_) {
    batch_.Delete(undo_key(undo_->meta.applied - undo_entries_));
  }
  return {};
}

Result<void> AuthorityIndexer::apply(const wave::Object& object, std::uint64_t offset) {
  undo_.reset();
  if (meta_.applied + undo_entries_ >= log_.size() && undo_entries_ > 0)
    undo_ = UndoRecord{meta_, {}};
  BW_CHECK(std::visit([&](const auto& one) { return put(one, offset); }, object));
  if (wave::kind_of(object) != wave::Kind::kDot) {
    put_key(object_key(wave::id_of(object), offset));
  }
  if (undo_) BW_CHECK(keep_undo());
  ++meta_.applied;
  return {};
}

Result<void> AuthorityIndexer::commit(const Hash& root) {
  meta_.root = root;
  batch_.Put(meta_key(), encode(meta_));
  return index_.write(batch_);
}

Result<ledger::Effects> AuthorityIndexer::effects() {
  for (const EntityKey& entity : moved_) {
    BW_TRY(const auto acceptance, index_.row<AcceptanceRow>(acceptance_key(entity)));
    if (acceptance) effects_.affinity.push_back(entity);
    BW_CHECK(index_.each(accepted_prefix(entity), [this](std::string_view key) -> Result<bool> {
      effects_.affinity.push_back(id_at_end(key));
      return true;
    }));
  }
  sort_unique(effects_.entities);
  sort_unique(effects_.revoked_dots);
  sort_unique(effects_.granted_in);
  sort_unique(effects_.affinity);
  return std::move(effects_);
}

Result<void> AuthorityIndexer::put(const wave::Signed<wave::Entity>& entity, std::uint64_t offset) {
  const wave::Entity& value = entity.value;
  const std::string key = entity_key(value.key);
  BW_TRY(const auto known, row<EntityRow>(key));
  if (known && (known->revoked || known->created >= value.created)) return {};
  put_row(key, EntityRow{.offset = offset, .created = value.created, .expires = value.expires});
  effects_.entities.push_back(value.key);
  if (known) {
    moved_.insert(value.key);
  } else {
    ++meta_.entities;
  }
  return {};
}

Result<void> AuthorityIndexer::put(const wave::Signed<wave::Dot>& dot, std::uint64_t offset) {
  const std::string key = dot_key(dot.id);
  BW_TRY(const auto known, row<DotRow>(key));
  if (known) return {};
  put_row(key, DotRow{.offset = offset});
  put_key(forward_key(dot.value, offset));
  put_key(backward_key(dot.value, offset));
  effects_.granted_in.push_back(dot.value.ns);
  ++meta_.dots;
  return {};
}

Result<void> AuthorityIndexer::put(const wave::Signed<wave::Revocation>& revocation,
                                   std::uint64_t) {
  return revocation.value.target_kind == wave::Revocation::Target::kDot
             ? revoke_dot(revocation.value)
             : revoke_entity(revocation.value);
}

Result<void> AuthorityIndexer::revoke_dot(const wave::Revocation& revocation) {
  const std::string key = dot_key(revocation.dot());
  BW_TRY(auto known, row<DotRow>(key));
  if (!known || known->revoked) return {};
  BW_TRY(const auto dot, read_object<wave::Dot>(log_, known->offset));
  if (!ledger::entitled(revocation, dot.value)) return {};
  known->revoked = true;
  put_row(key, *known);
  remove_key(forward_key(dot.value, known->offset));
  remove_key(backward_key(dot.value, known->offset));
  effects_.revoked_dots.push_back(dot.id);
  ++meta_.revocations;
  return {};
}

Result<void> AuthorityIndexer::revoke_entity(const wave::Revocation& revocation) {
  const std::string key = entity_key(revocation.entity());
  BW_TRY(auto known, row<EntityRow>(key));
  if (!known || known->revoked) return {};
  BW_TRY(const auto entity, read_object<wave::Entity>(log_, known->offset));
  if (!ledger::entitled(revocation, entity.value)) return {};
  known->revoked = true;
  put_row(key, *known);
  effects_.entities.push_back(entity.value.key);
  moved_.insert(entity.value.key);
  ++meta_.revocations;
  return {};
}

Result<void> AuthorityIndexer::put(const wave::Signed<wave::Alias>& alias, std::uint64_t offset) {
  const std::string key = alias_key(alias.value.name);
  BW_TRY(const auto taken, row<NumberRow>(key));
  if (taken) return {};
  put_row(key, NumberRow{.number = offset});
  ++meta_.aliases;
  const std::string value_key = alias_value_key(alias.value.value);
  BW_TRY(const auto named, row<TextRow>(value_key));
  if (!named) put_row(value_key, TextRow{.text = alias.value.name});
  return {};
}

Result<bool> AuthorityIndexer::take_nonce(const EntityKey& router, std::uint64_t nonce) {
  const std::string key = nonce_key(router);
  BW_TRY(const auto highest, row<NumberRow>(key));
  if (highest && nonce <= highest->number) return false;
  put_row(key, NumberRow{.number = nonce});
  return true;
}

Result<void> AuthorityIndexer::put(const wave::Signed<wave::RouterOffer>& offer, std::uint64_t) {
  const wave::RouterOffer& value = offer.value;
  BW_TRY(const bool newer, take_nonce(value.router, value.nonce));
  if (!newer) return {};
  put_row(offer_key(value.ns, value.router), OfferRow{.retracted = value.retracted});
  BW_TRY(const auto chosen, row<AcceptanceRow>(acceptance_key(value.ns)));
  const bool designated = chosen && !chosen->retracted && chosen->router == value.router;
  if (designated) effects_.affinity.push_back(value.ns);
  return {};
}

Result<void> AuthorityIndexer::put(const wave::Signed<wave::RouterAcceptance>& acceptance,
                                   std::uint64_t) {
  const wave::RouterAcceptance& value = acceptance.value;
  const std::string key = acceptance_key(value.ns);
  BW_TRY(const auto before, row<AcceptanceRow>(key));
  if (before && value.nonce <= before->nonce) return {};
  AcceptanceRow now{.router = value.router,
                    .nonce = value.nonce,
                    .retracted = value.retracted,
                    .max_staleness_s = value.max_staleness_s};
  if (value.retracted) now.max_staleness_s = before ? before->max_staleness_s : 0;
  put_row(key, now);
  if (before) remove_key(accepted_key(before->router, value.ns));
  if (!value.retracted) put_key(accepted_key(value.router, value.ns));
  effects_.affinity.push_back(value.ns);
  return {};
}

Result<void> AuthorityIndexer::put(const wave::Signed<wave::RouterAddress>& address,
                                   std::uint64_t) {
  const wave::RouterAddress& value = address.value;
  BW_TRY(const bool newer, take_nonce(value.router, value.nonce));
  if (!newer) return {};
  put_row(address_key(value.router), TextRow{.text = value.address});
  moved_.insert(value.router);
  return {};
}

}  // namespace bw::store
