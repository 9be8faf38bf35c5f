// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "ledger/ledger.hpp"
#include "store/authority_store.hpp"
#include "wave/search.hpp"

namespace bw::replica {

// A node's own copy of the authority state: follows a ledger into an AuthorityStore, answers what
// authorize() asks, finds proofs, and tells listeners what changed.
//
// Thread-safe. Entries come in on the ledger's thread; listeners are called on that thread and
// should only pass the news on.
class Replica : public wave::AuthorityView, public ledger::RewindableSink {
 public:
  // `store` must outlive the replica. `local`: the ledger is in this process, so the view is never
  // stale.
  Replica(store::AuthorityStore& store, const Clock& clock, bool local);
  ~Replica() override;

  [[nodiscard]] store::AuthorityStore& store() const;

  // What became known: called each time entries were applied, even when they changed nothing of
  // this.
  using Listener = std::function<void(const ledger::Effects&)>;
  using ListenerId = std::uint64_t;
  ListenerId listen(Listener listener);
  void forget(ListenerId id);  // not called any more once this returned
  // For a ledger in this process, which appends to the store itself.
  void applied(const ledger::Effects& effects);

  // A proof for the request, from the cache or by search, ready to send. kDenied carries the reason
  // in words (and that the search gave up, when it did).
  struct Found {
    std::shared_ptr<const wave::Proof> proof;
    Hash hash;
  };
  Result<Found> find_proof(const wave::Request& request, Time now);
  // A path read back whole from the store.
  Result<wave::Proof> load(const wave::Path& path) const;

  // "NAME", key or alias to a key. kNotFound says what was tried.
  Result<EntityKey> resolve(std::string_view text) const;

  // wave::AuthorityView
  [[nodiscard]] Result<std::optional<wave::EntityStatus>> entity(
      const EntityKey& key) const override;
  [[nodiscard]] Result<std::optional<wave::DotStatus>> dot(const ObjectId& id) const override;
  [[nodiscard]] Time heard_at() const override;
  [[nodiscard]] Duration max_staleness(const EntityKey& ns) const override;

  // ledger::RewindableSink. rewind() goes back as far as the store's undo_entries.
  [[nodiscard]] std::uint64_t size() const override;
  Result<void> append(const std::vector<Bytes>& entries) override;
  void heard(Time at) override;
  Result<void> rewind(std::uint64_t size) override;
  Result<void> suspect(const std::vector<Bytes>& revocations) override;
  [[nodiscard]] Result<std::vector<Bytes>> read(std::uint64_t index,
                                                std::size_t most_bytes) const override;
  [[nodiscard]] Result<crypto::Frontier> tree(std::uint64_t size) const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bw::replica
