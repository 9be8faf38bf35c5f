// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <mutex>
#include <optional>

#include "crypto/merkle.hpp"
#include "ledger/head.hpp"

namespace bw::ledger_embedded {

// Remembers the highest head that a ledger signed and this node checked, across restarts, and holds
// every other head of that ledger against it. Thread-safe.
class HeadKeeper {
 public:
  // `tree`: over the entries held here; it must outlive the keeper.
  HeadKeeper(std::filesystem::path file, const EntityKey& ledger,
             const crypto::SubtreeReader& tree);

  // Reads what is kept. `held`: entries held here. kFork when evidence of a fork is kept, kCorrupt
  // when the entries held do not give the root of the kept head.
  Result<void> load(std::uint64_t held);

  // A head received from the ledger: properly signed, and it extends what is known. kFork
  // otherwise, with both heads kept as evidence.
  Result<void> check(const ledger::SignedHead& head, std::uint64_t held, const Hash& held_root,
                     std::span<const Hash> consistency);
  // The entries up to this head are held now: remember it; save() is due.
  Result<void> advance(const ledger::SignedHead& head, std::uint64_t held);
  // Makes the highest head durable, which takes the disk some milliseconds: not before whoever
  // waits for the entries has them. A crash in between leaves an older head, as one before would.
  Result<void> save();
  // A head of the same ledger that somebody else saw.
  Result<void> compare(ByteView encoded, std::uint64_t held);

  [[nodiscard]] std::optional<ledger::SignedHead> latest() const;
  [[nodiscard]] std::optional<Error> fork() const;

 private:
  Result<void> record_fork(const ledger::SignedHead& theirs, std::string_view what);
  Result<void> agrees(const ledger::SignedHead& head);

  std::filesystem::path file_;
  EntityKey ledger_;
  const crypto::SubtreeReader& tree_;
  mutable std::mutex mutex_;
  std::optional<ledger::SignedHead> latest_;
  bool unsaved_ = false;
  bool reached_ = true;  // the entries up to latest_ are held, and give its root
  std::optional<ledger::SignedHead> ahead_;  // shown by a peer, beyond what is held here
  std::optional<Error> fork_;
};

}  // namespace bw::ledger_embedded
