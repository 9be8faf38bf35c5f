// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "ledger/ledger.hpp"
#include "ledger_ethereum/head_source.hpp"

namespace bw::ledger_ethereum {

struct FollowerOptions {
  Address registry{};
  Hash registry_code;  // Keccak-256 of the Registry's code; nothing else is believed
  std::uint64_t deployment_block = 0;  // the Registry's entries begin there
  // Entries take effect when so many blocks are above theirs, or when their block is final.
  // Revocations act at once.
  std::uint64_t confirmations = 0;
  bool finalized = false;  // and `confirmations` does not count
  // What a restart needs beside the entries; the file is made when missing.
  std::filesystem::path marks;
  Duration poll = 4s;
  // Entries that wait for a proof take so much memory and what one answer about logs has. A longer
  // log is proved in pieces, or read twice where no endpoint knows the state of old blocks.
  std::size_t waiting_bytes = 16 * 1024 * 1024;
};

struct FollowerStatus {
  std::uint64_t size = 0;  // entries in the sink
  Hash root;               // over them
  std::uint64_t head = 0;  // entries that were proved at the latest block
  std::uint64_t latest_block = 0;
  std::uint64_t confirmed_block = 0;
  Time heard_at;   // as of when everything is known that the ledger has
  Duration lag{};  // how long ago that was
  std::optional<Error> trouble;
};

// Follows a chain's ledger into a sink. Nothing gets there but what the storage of the Registry
// proves, at blocks that the HeadSource believes; who serves the logs is not trusted, and named
// when they are not what was proved. Entries of blocks that the chain withdrew are withdrawn, and
// their revocations suspected for a day or until they are seen again (kSuspectedFor).
//
// Lives on one io_context thread, which appending keeps busy; status() may be called from any.
class Follower {
 public:
  // All of them outlive the follower.
  Follower(Endpoints& endpoints, HeadSource& heads, ledger::RewindableSink& sink,
           const Clock& clock, telemetry::Log& log, FollowerOptions options);
  ~Follower();

  // Until cancelled. At most once.
  net::Task<void> run();
  // There is news: looks at once, unless it is waiting after a failure. On its thread.
  void wake();
  [[nodiscard]] FollowerStatus status() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bw::ledger_ethereum
