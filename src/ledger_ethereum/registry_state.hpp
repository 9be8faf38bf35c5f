// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "crypto/merkle.hpp"
#include "ledger_ethereum/endpoint.hpp"

// What a proof of the Registry's storage shows (contracts/README.md, "Storage").
namespace bw::ledger_ethereum {

// The slots that show the head of a ledger of `size` entries: first its size, then the peaks of its
// tree. Those of a larger size show that of a smaller one, too.
std::vector<Hash> head_slots(std::uint64_t size);

struct RegistryState {
  Hash code_hash;          // Keccak-256 of the contract's code
  std::uint64_t size = 0;  // entries on the ledger
  // Of all entries; nothing when the proof's slots are too few for the size: ask again with
  // head_slots(size).
  std::optional<crypto::Frontier> tree;
};
// `proof` answers for head_slots() of any size. kMalformed when it does not prove what it should,
// kNotFound when it shows that there is no contract.
Result<RegistryState> prove_registry(const Hash& state_root, const Address& registry,
                                     const StateProof& proof);

}  // namespace bw::ledger_ethereum
