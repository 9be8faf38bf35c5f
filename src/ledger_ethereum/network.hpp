// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "ledger_ethereum/head_source.hpp"
#include "ledger_ethereum/registry_code.hpp"

namespace bw::ledger_ethereum {

// Where a ledger is: the contracts on a chain, and what code they must have. What `bw ledger
// deploy` writes and nodes are given (docs/formats.md, "Network file").
struct Network {
  std::string name;  // for people, 1..64 bytes
  std::uint64_t chain_id = 0;
  Address registry{};
  Address alias{};     // made by the Registry, so its address follows
  Address affinity{};  // the same
  std::uint64_t deployment_block = 0;
  CodeHashes code;

  friend bool operator==(const Network&, const Network&) = default;
};

// One with this program's contracts.
Network network_of(std::string name, std::uint64_t chain_id, const Address& registry,
                   std::uint64_t deployment_block);

// kMalformed for whatever is not exactly one network, with the member that is wrong.
Result<Network> parse_network(std::string_view json);
std::string to_json(const Network& network);

// kNotFound, kIo; kMalformed with the file's name.
Result<Network> read_network(const std::filesystem::path& file);
// kConflict when the file is there already.
Result<void> write_network(const std::filesystem::path& file, const Network& network);

// Whether `endpoints` serve the network's chain, and the contracts on it have the code that they
// must have, as is proved of a block that `heads` believes. kConflict for another chain or other
// code, kNotFound where there is no contract; of the contracts that this program follows, too.
// Every other error says that this could not be found out. Endpoints of other chains are called
// liars, unless all are.
net::Task<Result<void>> check_network(Endpoints& endpoints, HeadSource& heads, Network network);

}  // namespace bw::ledger_ethereum
