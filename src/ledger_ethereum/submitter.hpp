// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "crypto/keys.hpp"
#include "ledger/ledger.hpp"
#include "ledger_ethereum/registry_call.hpp"
#include "ledger_ethereum/submitter_options.hpp"
#include "net/channel.hpp"
#include "telemetry/log.hpp"

namespace bw::ledger_ethereum {

struct SubmitterStatus {
  Address account{};
  std::optional<Error> trouble;  // why nothing goes on; goes when it goes on
  std::size_t waiting_entries = 0;
  std::size_t waiting_bytes = 0;
  std::size_t unmined = 0;      // calls that were sent, in no block yet
  std::size_t unconfirmed = 0;  // and those under too few blocks
  std::uint64_t head = 0;       // the latest block that was seen
  Wei balance = 0;
  // Since the start.
  std::uint64_t entries = 0;   // put
  std::uint64_t refused = 0;   // by the Registry
  std::uint64_t calls = 0;     // nonces taken
  std::uint64_t replaced = 0;  // by one that pays more
  std::uint64_t resent = 0;
  std::uint64_t withdrawn = 0;  // by a reorganisation
  std::uint64_t lost = 0;       // nonces that something else used
};

// Puts what is submitted on the ledger of a chain, in order, and pays for it: batches what waits
// into calls of the Registry, sends them, and tells each caller what became of his objects once
// that is under `confirmations` blocks.
//
// Whatever goes wrong it waits and goes on by itself: no endpoint answers, there is no new block,
// endpoints refuse the transaction, the account is empty, gas is dearer than max_fee. Status and
// log say which. A caller is told kUnavailable after `deadline`, or when the submitter ends; what
// was sent may come to the ledger all the same. Submitting it again does no harm: what stands
// already is refused with kConflict.
//
// The key must be used by nothing else at the same time; if it is, each goes out of the other's
// way.
//
// Lives on one io_context thread; status() may be called from any.
class Submitter {
 public:
  // What is referred to must outlive this.
  Submitter(Chain& chain, KnownObjects& known, crypto::SigningKey key, const Clock& clock,
            telemetry::Log& log, SubmitterOptions options);
  // run() must have returned. Answers whoever was not.
  ~Submitter();

  // As ledger::Ledger::submit(). kLimited when too much waits already.
  void submit(std::vector<Bytes> objects, ledger::Ledger::SubmitDone done);
  // Until cancelled; then everybody has been answered, and every later submission is refused.
  net::Task<void> run();
  // There is a new block, say: look at once.
  void wake();
  [[nodiscard]] SubmitterStatus status() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bw::ledger_ethereum
