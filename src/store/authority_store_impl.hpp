// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "store/authority_indexer.hpp"
#include "store/authority_store.hpp"

namespace bw::store {

// What the files of AuthorityStore share.
struct AuthorityStore::Impl {
  std::filesystem::path index_directory;
  AuthorityStoreOptions options;
  std::unique_ptr<EntryLog> log;
  std::unique_ptr<AuthorityIndex> index;
  Recovery recovery;
  MetaRow meta;               // the writer's
  std::uint64_t flushed = 0;  // entries applied when a flush was last begun
  mutable std::mutex counts_mutex;
  Counts counts;
  std::shared_ptr<const Suspected> suspected;  // guarded by suspected_mutex
  mutable std::mutex suspected_mutex;
  std::atomic<bool> any_suspected = false;  // spares look-ups the lock

  // Null when nothing is suspected.
  std::shared_ptr<const Suspected> suspects() const;
  bool suspects(const EntityKey& entity) const;
  // Opens the index and brings it up to date, making it again where needed.
  Result<void> open_index();
  Result<void> start_index();
  Result<bool> index_is_of_log(const MetaRow& found) const;
  // Applies the entries of the log that the index has not seen; adds to `effects` unless null.
  Result<void> catch_up(ledger::Effects* effects);
  Result<void> commit(AuthorityIndexer& indexer, ledger::Effects* effects);
  Result<void> flush_soon();
  Result<void> apply(const std::vector<wave::Object>& objects,
                     const std::vector<std::uint64_t>& offsets, ledger::Effects& effects);
  void took(const MetaRow& applied);
  // The records of the entries from `size` on, the latest first.
  Result<std::vector<UndoRecord>> undo_records(std::uint64_t size) const;
  Result<ledger::Effects> effects_of_withdrawing(std::uint64_t size) const;
  Result<void> undo(const std::vector<UndoRecord>& records);

  template <class T>
  Result<wave::Signed<T>> read(std::uint64_t offset) const {
    BW_TRY(const Bytes bytes, log->read_at(offset));
    return wave::parse<T>(bytes);
  }
  Result<std::optional<std::uint64_t>> find_object(const ObjectId& id) const;
  Result<bool> is_live(const EntityKey& key, Time now) const;
};

}  // namespace bw::store
