// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>

#include "crypto/merkle.hpp"
#include "ledger/head.hpp"
#include "ledger/ledger.hpp"
#include "net/channel.hpp"
#include "telemetry/log.hpp"

namespace bw::ledger_embedded {

struct ClientOptions {
  std::string address;          // host:port of the ledger
  EntityKey key;                // pinned: the ledger is this key, wherever it runs
  std::filesystem::path heads;  // the highest head heard, and the evidence if two do not agree
  Duration retry_first = 200ms;
  Duration retry_most = 15s;
};

// Follows an embedded ledger over the network into a sink, and submits to it. Trusts it for nothing
// but availability: checks the head's signature, that each head extends the last one (consistency
// proof), that the entries give the very root that was signed, and, in the sink, every entry. The
// highest head survives restarts; a rewind or a fork stops the following for good, with the two
// heads kept as evidence in `<heads>.fork`, and makes the node stale at once, so that it decides
// nothing any more.
//
// Lives on one io_context thread; submit(), status(), latest_head() and compare() may be called
// from any.
class Client : public ledger::Ledger {
 public:
  // `tree`: over the entries that `sink` holds.
  Client(net::asio::io_context& context, ledger::EntrySink& sink, const crypto::SubtreeReader& tree,
         const Clock& clock, telemetry::Log& log, ClientOptions options);
  ~Client() override;

  // Fails when the kept head is unreadable, is not what is held here, or evidence of a fork is
  // there.
  Result<void> start();
  net::Task<void> stop();

  void submit(std::vector<Bytes> objects, SubmitDone done) override;
  [[nodiscard]] ledger::Status status() const override;

  // The latest head, to show to peers; empty when none is known.
  [[nodiscard]] Bytes latest_head() const;
  // A peer's head of this ledger (from its hello): the same history, or evidence of a fork (kFork).
  // A head beyond what is held here is remembered and compared once that size is reached.
  Result<void> compare(ByteView head);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace bw::ledger_embedded
