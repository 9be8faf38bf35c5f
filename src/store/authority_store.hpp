// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "ledger/admission.hpp"
#include "ledger/effects.hpp"
#include "store/entry_log.hpp"
#include "wave/graph.hpp"

namespace bw::store {

// The ledger's entries on disk with the indexes that answer from them: the entry log, and beside it a
// RocksDB that can be rebuilt from the log at any time. Holds objects only by reference into the log.
//
// Indexes (keys are big-endian; a "short" is the first 8 bytes of a key, checked against the record):
//   entity key                                    -> status, offset
//   DoT id                                        -> offset, revoked
//   granter short, namespace short, literal prefix, offset   (permission graph, forwards)
//   grantee short, namespace short, granter short, offset    (backwards, and by pair)
//   alias name -> offset; value -> name;  router, namespace -> offer;  namespace -> acceptance;
//   router -> address;  nonces
//
// One writer at a time (append), readers on any thread.
class AuthorityStore : public wave::PermissionGraph, public ledger::StateView {
 public:
  // Opens `directory`/ledger.log and `directory`/index, creating what is missing and applying entries
  // that the index has not seen. Under two seconds whatever the size, unless the index is rebuilt.
  static Result<std::unique_ptr<AuthorityStore>> open(const std::filesystem::path& directory);
  ~AuthorityStore() override;

  [[nodiscard]] const EntryLog& log() const;

  // Appends signed objects that the caller has judged admissible (or heard from a ledger): durable
  // and indexed when it returns. Every entry must parse; signatures are the caller's business.
  Result<ledger::Effects> append(const std::vector<wave::Object>& objects);

  // Look-ups.
  [[nodiscard]] Result<std::optional<wave::EntityStatus>> entity_status(const EntityKey& key) const;
  [[nodiscard]] Result<std::optional<wave::DotStatus>> dot_status(const ObjectId& id) const;
  // Any object by id, with its position; by entity key gives the latest entity object.
  [[nodiscard]] Result<std::optional<wave::Object>> object(const ObjectId& id) const;
  [[nodiscard]] Result<std::optional<std::string>> alias_of(const ByteArray<32>& value) const;

  // Affinity, void while the router's or namespace's entity is not live at `now` (design, section 4).
  struct Designation {
    EntityKey router;
    std::optional<std::string> address;
    std::uint32_t max_staleness_s = 0;
  };
  [[nodiscard]] Result<std::optional<Designation>> designated_router(const EntityKey& ns, Time now) const;
  [[nodiscard]] Result<std::optional<std::string>> router_address(const EntityKey& router, Time now) const;
  [[nodiscard]] Result<std::vector<EntityKey>> offers_to(const EntityKey& ns) const;
  // As last accepted, whatever became of the parties.
  [[nodiscard]] Result<std::uint32_t> max_staleness_s(const EntityKey& ns) const;

  struct Counts {
    std::uint64_t entities = 0;
    std::uint64_t dots = 0;
    std::uint64_t revocations = 0;
    std::uint64_t aliases = 0;
    std::uint64_t bytes_on_disk = 0;
  };
  [[nodiscard]] Counts counts() const;

  // ledger::StateView
  [[nodiscard]] Result<std::optional<EntityRecord>> entity_record(const EntityKey& key) const override;
  [[nodiscard]] Result<std::optional<DotRecord>> dot_record(const ObjectId& id) const override;
  [[nodiscard]] Result<std::optional<wave::Signed<wave::Alias>>> alias(std::string_view name) const override;
  [[nodiscard]] Result<std::uint64_t> router_nonce(const EntityKey& router) const override;
  [[nodiscard]] Result<std::uint64_t> namespace_nonce(const EntityKey& ns) const override;
  [[nodiscard]] Result<bool> has_offer(const EntityKey& router, const EntityKey& ns) const override;

  // wave::PermissionGraph
  [[nodiscard]] std::unique_ptr<wave::EdgeCursor> granted_by(const EntityKey& ns, const EntityKey& granter,
                                                             const wave::Pattern& pattern) const override;
  [[nodiscard]] std::unique_ptr<wave::EdgeCursor> granted_to(const EntityKey& ns,
                                                             const EntityKey& grantee) const override;
  [[nodiscard]] std::unique_ptr<wave::EdgeCursor> between(const EntityKey& ns, const EntityKey& granter,
                                                          const EntityKey& grantee) const override;
  [[nodiscard]] std::unique_ptr<wave::EdgeCursor> all_granted_to(const EntityKey& grantee) const override;
  [[nodiscard]] std::unique_ptr<wave::EdgeCursor> all_granted_by(const EntityKey& granter) const override;

 private:
  struct Impl;
  explicit AuthorityStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bw::store
