// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "ledger_ethereum/contracts.hpp"
#include "ledger_ethereum/head_source.hpp"

namespace bw::ledger_ethereum {

// Where a ledger stands: what the nodes of one network have to agree on. `bw ledger deploy` writes
// it to a file (docs/formats.md, "Network files").
struct Network {
  std::uint64_t chain_id = 0;
  Address registry{};
  Address alias{};
  Address affinity{};
  std::uint64_t deployment_block = 0;  // no entry is older
  CodeHashes code;

  friend bool operator==(const Network&, const Network&) = default;
};

// The network of a Registry at this address, which made the other contracts.
Network network_at(std::uint64_t chain_id, const Address& registry, std::uint64_t block);

std::string to_json(const Network& network);
// kMalformed names the member and what would be right; kUnsupported when its contracts are not
// those that this program knows.
Result<Network> parse_network(std::string_view json);

// That this is the chain, and that the code which the network names stands there, as proved by the
// state of a block that is believed. kUnavailable while that cannot be found out; kInvalidArgument
// when it is otherwise, named.
net::Task<Result<void>> check_network(Endpoints& endpoints, HeadSource& heads, Network network);

}  // namespace bw::ledger_ethereum
