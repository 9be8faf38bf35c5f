// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <set>

#include "ledger/admission.hpp"
#include "ledger/effects.hpp"
#include "store/entry_log.hpp"
#include "wave/graph.hpp"

namespace bw::store {

// Memory that the index may take: about the cache and three write buffers.
struct AuthorityStoreOptions {
  std::size_t block_cache_bytes = std::size_t{64} << 20U;
  std::size_t write_buffer_bytes = std::size_t{32} << 20U;
  // How many of the latest entries rewind() can withdraw; 0 where the ledger never does.
  std::uint64_t undo_entries = 0;
};

// The ledger's entries on disk with the indexes that answer from them: the entry log, and beside it
// a RocksDB that can be made again from the log at any time (rows: store/authority_rows.hpp). Holds
// objects only by reference into the log.
//
// Takes entries as they come. What no ledger should have admitted (a DoT twice, a revocation by a
// stranger, a taken name, an old nonce) stays in the log and changes nothing.
//
// One writer at a time (append), readers on any thread. Cursors must not outlive the store.
class AuthorityStore : public wave::PermissionGraph, public ledger::StateView {
 public:
  // Opens `directory`/ledger.log and `directory`/index, creating what is missing and applying
  // entries that the index has not seen. An index that is damaged, of another version or of another
  // ledger is made again. Under two seconds whatever the size, unless that happens.
  static Result<std::unique_ptr<AuthorityStore>> open(const std::filesystem::path& directory,
                                                      const AuthorityStoreOptions& options = {});
  ~AuthorityStore() override;

  // What open() had to do; for the operator's log.
  struct Recovery {
    EntryLog::Recovery log;
    bool index_remade = false;
    std::uint64_t applied_entries = 0;  // that the index had not seen
  };
  [[nodiscard]] const Recovery& recovery() const;

  [[nodiscard]] const EntryLog& log() const;

  // Appends signed objects that the caller has judged admissible (or heard from a ledger): durable
  // and indexed when it returns. Signatures are the caller's business. When the log cannot take
  // them nothing has changed; when only the index fails, log().size() has grown and the next append
  // catches up, with its effects.
  Result<ledger::Effects> append(const std::vector<wave::Object>& objects);

  // Withdraws the entries from `size` on, as the writer: log and index are then as if they had
  // never come. kLimited, with nothing changed, for more than `undo_entries` at once. A reader that
  // holds on to an entry while it goes may see kCorrupt.
  Result<ledger::Effects> rewind(std::uint64_t size);

  // Revocations that are not in the log and act nevertheless: status look-ups and cursors take
  // their targets as revoked. Replaces those suspected before.
  struct Suspected {
    std::set<EntityKey> entities;
    std::set<ObjectId> dots;
  };
  void suspect(Suspected suspected);

  // Look-ups.
  struct Located {
    wave::Object object;
    std::uint64_t index;  // in the ledger
  };
  // Any object by id; with an entity's key in place of an id, its latest entity object.
  [[nodiscard]] Result<std::optional<Located>> object(const ObjectId& id) const;
  // The first name that was given to `value`.
  [[nodiscard]] Result<std::optional<std::string>> alias_of(const ByteArray<32>& value) const;

  // Affinity: void while the router's or namespace's entity is not live at `now`, and when the
  // router took its offer back.
  struct Designation {
    EntityKey router;
    std::optional<std::string> address;
    std::uint32_t max_staleness_s = 0;
  };
  [[nodiscard]] Result<std::optional<Designation>> designated_router(const EntityKey& ns,
                                                                     Time now) const;
  [[nodiscard]] Result<std::optional<std::string>> router_address(const EntityKey& router,
                                                                  Time now) const;
  // Routers whose offer stands, live or not, ascending; at most limits::kRouterOffers.
  [[nodiscard]] Result<std::vector<EntityKey>> offers_to(const EntityKey& ns) const;
  // As last accepted, whatever became of the parties since; 0 when never.
  [[nodiscard]] Result<std::uint32_t> max_staleness_s(const EntityKey& ns) const;

  struct Counts {
    std::uint64_t entities = 0;     // each once, however often renewed
    std::uint64_t dots = 0;         // revoked ones too
    std::uint64_t revocations = 0;  // that took effect
    std::uint64_t aliases = 0;
    std::uint64_t bytes_on_disk = 0;
  };
  [[nodiscard]] Counts counts() const;

  // ledger::StateView
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

  // wave::PermissionGraph
  [[nodiscard]] std::unique_ptr<wave::EdgeCursor> granted_by(
      const EntityKey& ns, const EntityKey& granter, const wave::Pattern& pattern) const override;
  [[nodiscard]] std::unique_ptr<wave::EdgeCursor> granted_to(
      const EntityKey& ns, const EntityKey& grantee) const override;
  [[nodiscard]] std::unique_ptr<wave::EdgeCursor> between(const EntityKey& ns,
                                                          const EntityKey& granter,
                                                          const EntityKey& grantee) const override;
  [[nodiscard]] std::unique_ptr<wave::EdgeCursor> all_granted_to(
      const EntityKey& grantee) const override;
  [[nodiscard]] std::unique_ptr<wave::EdgeCursor> all_granted_by(
      const EntityKey& granter) const override;

 private:
  struct Impl;
  explicit AuthorityStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bw::store
