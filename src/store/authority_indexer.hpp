// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include <rocksdb/write_batch.h>

#include "ledger/effects.hpp"
#include "store/authority_index.hpp"
#include "store/authority_undo.hpp"

namespace bw::store {

// Works out the rows of one run of entries, each of which sees what the ones before it did, and
// what they change for others. Entries that a ledger should not have admitted, as far as the state
// tells (repeats, revocations by strangers, taken names, old nonces), leave no rows but their own.
class AuthorityIndexer {
 public:
  // `undo_entries`: the latest so many entries of the log can be taken back.
  AuthorityIndexer(AuthorityIndex& index, const EntryLog& log, const MetaRow& meta,
                   std::uint64_t undo_entries)
      : index_(index), log_(log), meta_(meta), undo_entries_(undo_entries) {}

  // The object whose record in the log starts at `offset`.
  Result<void> apply(const wave::Object& object, std::uint64_t offset);
  // Writes everything at once, with `root` over the entries applied. The indexer is spent then.
  Result<void> commit(const Hash& root);

  [[nodiscard]] const MetaRow& meta() const { return meta_; }
  // After commit().
  [[nodiscard]] Result<ledger::Effects> effects();

 private:
  Result<void> put(const wave::Signed<wave::Entity>& entity, std::uint64_t offset);
  Result<void> put(const wave::Signed<wave::Dot>& dot, std::uint64_t offset);
  Result<void> put(const wave::Signed<wave::Revocation>& revocation, std::uint64_t offset);
  Result<void> put(const wave::Signed<wave::Alias>& alias, std::uint64_t offset);
  Result<void> put(const wave::Signed<wave::RouterOffer>& offer, std::uint64_t offset);
  Result<void> put(const wave::Signed<wave::RouterAcceptance>& acceptance, std::uint64_t offset);
  Result<void> put(const wave::Signed<wave::RouterAddress>& address, std::uint64_t offset);
  Result<void> revoke_dot(const wave::Revocation& revocation);
  Result<void> revoke_entity(const wave::Revocation& revocation);
  // Whether `nonce` is above all that the router used; remembers it then.
  Result<bool> take_nonce(const EntityKey& router, std::uint64_t nonce);

  template <class Row>
  Result<std::optional<Row>> row(const std::string& key) const;
  template <class Row>
  void put_row(const std::string& key, const Row& row);
  void put_key(const std::string& key);
  void remove_key(const std::string& key);
  // Before each change of a row: notes how it stood before the entry that is being applied.
  void touch(const std::string& key);
  Result<void> keep_undo();

  AuthorityIndex& index_;
  const EntryLog& log_;
  MetaRow meta_;
  std::uint64_t undo_entries_;
  rocksdb::WriteBatch batch_;
  // What batch_ says of the keys that row() and touch() may ask for; nothing: removed.
  std::unordered_map<std::string, std::optional<std::string>> written_;
  std::optional<UndoRecord> undo_;  // of the entry being applied, when one is kept
  std::set<std::string> unread_;    // keys of undo_ that stood in the index, not in batch_
  ledger::Effects effects_;
  // Entities of which the state or address changed that may be routers or have one.
  std::set<EntityKey> moved_;
};

}  // namespace bw::store
