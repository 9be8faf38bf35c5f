// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/id.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/merkle.hpp"

namespace bw::ledger {

// What became of one submitted entry.
struct Submitted {
  // Position in the ledger; nothing when refused.
  std::optional<std::uint64_t> index;
  Error refusal;  // meaningful without an index; kConflict for a DoT that is there already
};

// What there is to know about a ledger on a chain.
struct ChainStatus {
  struct Endpoint {
    std::string name;
    bool answers = false;
    bool avoided = false;
    std::uint64_t head = 0;  // the latest block that it spoke of
    // Empty: none.
    std::string trouble;    // why it does not answer
    std::string lie;        // what it was last caught at
    std::string disagrees;  // with those that are believed
  };
  std::uint64_t chain_id = 0;
  std::uint64_t block = 0;            // the latest that is believed
  std::uint64_t confirmed_block = 0;  // up to which entries act
  std::string account;                // who pays for entries; empty: nobody
  std::string balance;                // with its unit
  double coins = 0;                   // the same as a number
  std::string finality;               // when entries act, for people
  std::uint64_t waiting = 0;          // entries that are not on the chain yet
  std::vector<Endpoint> endpoints;
};

// How a ledger stands, as this node sees it (bw ledger status).
struct Status {
  std::string kind;        // "embedded", "ethereum"
  std::string where;       // endpoint or "this process"
  std::uint64_t size = 0;  // entries applied here
  std::uint64_t head = 0;  // entries the ledger claims
  Hash root;               // over `size` entries
  Time heard_at;           // when the ledger last spoke
  bool connected = false;
  std::optional<Error> trouble;  // a fork, an unreachable server, ...
  std::optional<ChainStatus> chain;
};

// The port to a ledger: submit entries and learn how it stands. Following the entries is the
// implementation's own work; it feeds an EntrySink. Calls are thread-safe; callbacks come on a
// thread of the implementation's choosing, exactly once.
class Ledger {
 public:
  virtual ~Ledger() = default;
  // `objects`: whole signed objects that check_submission() lets pass. The answer has one element
  // for each, and what has an index is durable.
  using SubmitDone = std::function<void(Result<std::vector<Submitted>>)>;
  virtual void submit(std::vector<Bytes> objects, SubmitDone done) = 0;
  [[nodiscard]] virtual Status status() const = 0;
};

// What every ledger holds a submission to before it looks at the objects, so that one caller's
// cannot end the session that all share: at most kLedgerBatchEntries objects (kInvalidArgument) of
// 1..kObjectBytes bytes each (kMalformed, kTooLarge) and kSubmissionBytes together (kTooLarge).
Result<void> check_submission(const std::vector<Bytes>& objects);
// Of all objects together.
std::size_t submission_bytes(const std::vector<Bytes>& objects);

// Where a follower puts what it hears. Called from one thread at a time.
class EntrySink {
 public:
  virtual ~EntrySink() = default;
  // Entries held already; the follower continues from here.
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  // Checks each entry (form and signature) and appends all of them, or none: a ledger that serves a
  // bad entry is not followed any further.
  virtual Result<void> append(const std::vector<Bytes>& entries) = 0;
  // The ledger spoke at `at`: what is held now is as fresh as that.
  virtual void heard(Time at) = 0;
};

// A sink of a ledger whose latest entries can still be withdrawn.
class RewindableSink : public EntrySink {
 public:
  // Withdraws the entries from `size` on.
  virtual Result<void> rewind(std::uint64_t size) = 0;
  // The revocations (whole signed objects) that were seen and are not held (not final yet, or
  // withdrawn): their targets count as revoked from now on. Replaces what was suspected before.
  // Form and signature are checked here as in append().
  virtual Result<void> suspect(const std::vector<Bytes>& revocations) = 0;
  // What is held, to be compared with what the ledger says now: entries from `index` on, at most
  // `most_bytes` of them but at least one if there is one; and the tree over the first `size`.
  [[nodiscard]] virtual Result<std::vector<Bytes>> read(std::uint64_t index,
                                                        std::size_t most_bytes) const = 0;
  [[nodiscard]] virtual Result<crypto::Frontier> tree(std::uint64_t size) const = 0;
};

}  // namespace bw::ledger
