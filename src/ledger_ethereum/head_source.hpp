// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "ledger_ethereum/endpoints.hpp"

namespace bw::ledger_ethereum {

// A block that the operator knows to be the chain's.
struct Checkpoint {
  std::uint64_t number = 0;
  Hash hash;

  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

struct TrustPolicy {
  // So many endpoints must show the same block. 1: the word of whichever is asked counts.
  std::size_t agree = 1;
  // Nothing is believed, either, that does not descend from it, header by header.
  std::optional<Checkpoint> checkpoint;
};

struct BelievedHead {
  Block block;
  std::vector<Endpoint*> agreeing;
};

// Which blocks are believed to be the chain's, in rising order of trust: by the word of one
// endpoint; by that of `agree` of them; and if they join up to a checkpoint. Endpoints that show
// another block at the height that is believed are noted as disagreeing. Lives on one io_context
// thread.
class HeadSource {
 public:
  HeadSource(Endpoints& endpoints, const Clock& clock, TrustPolicy policy);

  // kUnavailable when too few answer; kFork when they do not agree, or on nothing that descends
  // from the checkpoint.
  net::Task<Result<BelievedHead>> latest();
  // The chain's last block that its validators cannot take back; at most `head`.
  net::Task<Result<Block>> finalized(Block head);
  // The block of this number on the chain of `head`, which is believed. Not far below it that is
  // shown by the headers between, and otherwise said by `agree` endpoints.
  net::Task<Result<Block>> at(std::uint64_t number, Block head);

 private:
  using Shown = std::vector<Endpoints::Answered<Block>>;
  net::Task<Result<BelievedHead>> agreed_at(std::uint64_t number, Shown heads);
  net::Task<void> compare(BelievedHead head, Shown shown);
  net::Task<Result<void>> join(BelievedHead head);
  // Whether the headers that the endpoint serves lead from the checkpoint to `head`.
  net::Task<Result<bool>> join_through(Endpoint& endpoint, Block head);
  [[nodiscard]] Error strays(const Endpoint& endpoint, const Block& head) const;
  net::Task<Result<Block>> linked(Endpoint& endpoint, std::uint64_t number, Block head);

  Endpoints& endpoints_;
  const Clock& clock_;
  TrustPolicy policy_;
  // Blocks that descend from the checkpoint, which is the first; rising. The newer ones may be
  // withdrawn by the chain, and then go.
  std::vector<Checkpoint> joined_;
};

}  // namespace bw::ledger_ethereum
