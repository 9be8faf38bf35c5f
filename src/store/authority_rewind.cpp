// SPDX-License-Identifier: Apache-2.0
#include "base/check.hpp"
#include "store/authority_store_impl.hpp"

namespace bw::store {
namespace {

// What the withdrawal of one entry means to caches: a grant that is gone is like a revoked one, and
// a revocation that is gone like a new grant.
class Withdrawn {
 public:
  Withdrawn(const AuthorityStore& store, const AuthorityIndex& index, ledger::Effects& effects)
      : store_(store), index_(index), effects_(effects) {}

  Result<void> operator()(const wave::Signed<wave::Entity>& entity) {
    return moved(entity.value.key);
  }
  Result<void> operator()(const wave::Signed<wave::Dot>& dot) {
    effects_.revoked_dots.push_back(dot.id);
    return {};
  }
  Result<void> operator()(const wave::Signed<wave::Revocation>& revocation) {
    if (revocation.value.target_kind == wave::Revocation::Target::kEntity) {
      return moved(revocation.value.entity());
    }
    BW_TRY(const auto dot, store_.dot_record(revocation.value.dot()));
    if (dot) effects_.granted_in.push_back(dot->object.value.ns);
    return {};
  }
  Result<void> operator()(const wave::Signed<wave::Alias>&) { return {}; }
  Result<void> operator()(const wave::Signed<wave::RouterOffer>& offer) {
    effects_.affinity.push_back(offer.value.ns);
    return {};
  }
  Result<void> operator()(const wave::Signed<wave::RouterAcceptance>& acceptance) {
    effects_.affinity.push_back(acceptance.value.ns);
    return {};
  }
  Result<void> operator()(const wave::Signed<wave::RouterAddress>& address) {
    return moved(address.value.router);
  }

 private:
  Result<void> moved(const EntityKey& entity) {
    effects_.entities.push_back(entity);
    effects_.affinity.push_back(entity);
    return index_.each(accepted_prefix(entity), [this](std::string_view key) -> Result<bool> {
      effects_.affinity.push_back(id_at_end(key));
      return true;
    });
  }

  const AuthorityStore& store_;
  const AuthorityIndex& index_;
  ledger::Effects& effects_;
};

}  // namespace

// The index goes back first: after a crash in between it lacks entries that the log still has,
// which opening mends.
Result<ledger::Effects> AuthorityStore::rewind(std::uint64_t size) {
  BW_ASSERT(size <= log().size());
  ledger::Effects effects;
  if (size == log().size()) return effects;
  BW_CHECK(impl_->catch_up(&effects));
  BW_TRY(const auto records, impl_->undo_records(size));
  Withdrawn withdrawn(*this, *impl_->index, effects);
  BW_CHECK(log().scan(size, [&](std::uint64_t, std::uint64_t, ByteView entry) -> Result<void> {
    BW_TRY(const wave::Object object, wave::parse_object(entry));
    return std::visit(withdrawn, object);
  }));
  BW_CHECK(impl_->undo(records));
  BW_CHECK(impl_->log->rewind(size));
  return effects;
}

Result<std::vector<UndoRecord>> AuthorityStore::Impl::undo_records(std::uint64_t size) const {
  std::vector<UndoRecord> records;
  for (std::uint64_t position = meta.applied; position-- > size;) {
    BW_TRY(const auto value, index->get(undo_key(position)));
    if (!value) {
      return fail(ErrorCode::kLimited,
                  "{}: cannot withdraw {} entries, only the latest {}; stop the node, remove this "
                  "directory and ledger.log beside it, and let it follow its ledger anew",
                  index_directory.string(), meta.applied - size, records.size());
    }
    BW_TRY(UndoRecord record, decode_undo(*value));
    records.push_back(std::move(record));
  }
  return records;
}

Result<void> AuthorityStore::Impl::undo(const std::vector<UndoRecord>& records) {
  rocksdb::WriteBatch batch;
  for (const UndoRecord& record : records) {
    for (const auto& [key, value] : record.rows) {
      value ? batch.Put(key, *value) : batch.Delete(key);
    }
    batch.Delete(undo_key(record.meta.applied));
  }
  MetaRow before = records.back().meta;
  BW_TRY(before.root, crypto::root_at(*log, before.applied));
  batch.Put(meta_key(), encode(before));
  BW_CHECK(index->write(batch));
  took(before);
  return flush_soon();
}

void AuthorityStore::suspect(Suspected suspected) {
  const bool any = !suspected.entities.empty() || !suspected.dots.empty();
  const std::scoped_lock lock(impl_->suspected_mutex);
  impl_->suspected = any ? std::make_shared<const Suspected>(std::move(suspected)) : nullptr;
  impl_->any_suspected = any;
}

std::shared_ptr<const AuthorityStore::Suspected> AuthorityStore::Impl::suspects() const {
  if (!any_suspected) return nullptr;
  const std::scoped_lock lock(suspected_mutex);
  return suspected;
}

bool AuthorityStore::Impl::suspects(const EntityKey& entity) const {
  const auto all = suspects();
  return all && all->entities.contains(entity);
}

}  // namespace bw::store
