// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/time.hpp"
#include "ledger_ethereum/chain.hpp"

namespace bw::ledger_ethereum {

struct SubmitterOptions {
  Address registry{};
  std::uint64_t chain_id = 0;
  // Blocks, the one with the transaction included, until a caller is told that it stands.
  std::uint64_t confirmations = 12;
  Wei max_fee = 200'000'000'000;  // for a unit of gas
  Duration poll = 2s;
  Duration deadline = 600s;  // then a caller is told kUnavailable
  // Without being mined, until a transaction is sent again or replaced.
  std::uint64_t stuck_blocks = 3;
  Duration halted_after = 120s;  // without a block, while something waits for one
};

}  // namespace bw::ledger_ethereum
