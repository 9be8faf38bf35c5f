// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>

#include "ledger_ethereum/follower.hpp"
#include "ledger_ethereum/follower_holding.hpp"
#include "ledger_ethereum/follower_proof.hpp"

namespace bw::ledger_ethereum {

// One look at the chain: which blocks are believed, what the ledger was in them, and the logs
// between, each checked against that before it counts. A round that is cut short anywhere leaves
// what the next one goes on from.
class Round {
 public:
  Round(Endpoints& endpoints, HeadSource& heads, Holding& holding, const FollowerOptions& options)
      : endpoints_(endpoints),
        heads_(heads),
        holding_(holding),
        options_(options),
        prover_(endpoints, options.registry, options.registry_code) {}

  // What was found, known as far as the round got.
  struct Found {
    Block latest;
    Block confirmed;
    std::optional<std::uint64_t> head;  // entries at `latest`, once that is proved
  };
  net::Task<Result<void>> run();
  [[nodiscard]] const Found& found() const { return found_; }

 private:
  // What goes wrong while an endpoint's logs are read is its fault or not.
  struct Fault {
    Error error;
    bool of_endpoint = true;
  };
  using Read = Result<void, Fault>;
  struct Target {
    Block block;
    crypto::Frontier tree;  // as is proved
  };

  net::Task<Result<void>> find_base();
  net::Task<Result<bool>> is_canonical(std::size_t mark);
  net::Task<Result<void>> find_confirmed();
  net::Task<Result<void>> prove_heads();
  [[nodiscard]] bool is_settled() const;
  net::Task<Result<void>> read();
  net::Task<Read> read_through(Endpoint& endpoint);
  net::Task<Read> read_confirmed(Endpoint& endpoint);
  net::Task<Read> read_up_to(Endpoint& endpoint, Target target, bool last);
  net::Task<Result<Target, Fault>> prove_on_the_way(Endpoint& endpoint, std::uint64_t number,
                                                    const LogScan& scan, Target target);
  // Reads up to `to` without keeping anything: the places passed are targets then.
  net::Task<Read> survey(Endpoint& endpoint, Target from, Target to);
  static tl::unexpected<Fault> accuse(const Endpoint& endpoint, Error error);
  net::Task<Read> read_latest(Endpoint& endpoint);
  net::Task<Result<void>> still_there();

  Endpoints& endpoints_;
  HeadSource& heads_;
  Holding& holding_;
  const FollowerOptions& options_;
  HeadProver prover_;
  Found found_;
  crypto::Frontier confirmed_tree_;
  crypto::Frontier latest_tree_;
  std::deque<Target> targets_;      // rising, up to the confirmed block
  std::vector<Bytes> revocations_;  // above the confirmed block
};

}  // namespace bw::ledger_ethereum
