// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "ledger_ethereum/endpoint.hpp"

namespace bw::ledger_ethereum {

// A block as eth_getBlockBy... tells it, of any fork of the protocol up to Osaka. kMalformed for
// what is none; kFork when the hash that is said is not Keccak-256 of the header's RLP (yellow
// paper 4.4.3; EIP-1559, 4895, 4844, 4788, 7685), so that some field was altered.
Result<Block> read_block(const nlohmann::json& answer);

// Of the header's fields, whatever hash is said.
Result<Hash> header_hash(const nlohmann::json& answer);

}  // namespace bw::ledger_ethereum
