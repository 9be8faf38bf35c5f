// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "crypto/merkle.hpp"
#include "ledger/ledger.hpp"
#include "ledger_ethereum/endpoint.hpp"

namespace bw::ledger_ethereum {

// The entries of the ledger as one endpoint's logs tell them, from a place that is proved up to one
// that is: nothing of it counts until check() said yes. What an endpoint must have made up is kFork
// with words for what it did, as far as that can be told; other errors are of the sink.
class LogScan {
 public:
  enum class Keep {
    kAll,          // that the sink does not hold
    kRevocations,  // no more than kSuspectBytes of them
    kNothing,      // it is only counted
  };
  // `held` outlives the scan and does not change between two calls of release().
  LogScan(crypto::Frontier from, const ledger::RewindableSink& held, Keep keep)
      : tree_(std::move(from)), held_(held), keep_(keep) {}

  Result<void> take(const std::vector<LogEntry>& logs);
  // Whether what was taken is all that the ledger had at `block`.
  [[nodiscard]] Result<void> check(const crypto::Frontier& proven, std::uint64_t block) const;

  [[nodiscard]] const crypto::Frontier& tree() const { return tree_; }
  // Memory that what is kept takes, or would take.
  [[nodiscard]] std::size_t kept_bytes() const { return kept_bytes_; }

  struct Fresh {
    // So many of the entries held were met again. Those behind are not of this chain, as far as the
    // scan went, or not met yet.
    std::uint64_t met = 0;
    bool differs = false;  // what comes next is not what is held
    std::vector<Bytes> entries;
  };
  // Hands over what is new; the scan goes on behind it.
  Fresh release();

 private:
  Result<void> take_entry(const Bytes& entry);
  Result<bool> is_held(const Bytes& entry);
  [[nodiscard]] Error gap(const std::vector<LogEntry>& logs, std::size_t at,
                          std::uint64_t first) const;

  crypto::Frontier tree_;
  const ledger::RewindableSink& held_;
  Keep keep_;
  std::optional<std::uint64_t> differs_at_;
  std::vector<Bytes> kept_;
  std::size_t kept_bytes_ = 0;
  // Entries of the sink from `chunk_first_` on.
  std::vector<Bytes> chunk_;
  std::uint64_t chunk_first_ = 0;
};

[[nodiscard]] bool is_revocation(ByteView object);

}  // namespace bw::ledger_ethereum
