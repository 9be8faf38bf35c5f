// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "ledger_ethereum/chain.hpp"

// What is offered for gas (EIP-1559). Wei for each unit of it.
namespace bw::ledger_ethereum {

struct Price {
  Wei max_fee = 0;  // all together
  Wei tip = 0;      // of it, at most, to the block's maker

  friend bool operator==(const Price&, const Price&) = default;
};

// Twice the base fee and the tip, so that it holds while the base fee doubles (six full blocks),
// but no more than `cap`. kLimited when the base fee alone is above the cap.
Result<Price> price_for(const Fees& fees, Wei cap);

// For a transaction that takes the place of one that is stuck: what price_for() says, and both
// parts at least an eighth above what was offered, without which nodes refuse it. kLimited when
// that is above the cap.
Result<Price> raised(const Price& offered, const Fees& fees, Wei cap);

// "12.5 gwei", "0.04 ETH" of whatever coin the chain has; rounded down to six digits.
std::string in_gwei(Wei amount);
std::string in_coins(Wei amount);

}  // namespace bw::ledger_ethereum
