// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "ledger/ledger.hpp"
#include "ledger_ethereum/chain.hpp"

namespace bw::ledger_ethereum {

// What became of each item of a call (putBatch) that succeeded, by the Registry's logs in its
// receipt. kFork when they are not what such a call leaves behind: every item is either among the
// entries, byte for byte and in order, or among the rejected.
Result<std::vector<ledger::Submitted>> read_outcomes(std::span<const Bytes> objects,
                                                     const Address& registry,
                                                     const Receipt& receipt);

}  // namespace bw::ledger_ethereum
