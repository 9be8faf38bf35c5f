// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "base/id.hpp"

// The contracts that this program knows (contracts/), as solc compiled them.
namespace bw::ledger_ethereum {

// Keccak-256 of the code of each. There are no immutables, so it is the same on every chain.
struct CodeHashes {
  Hash registry;
  Hash alias;
  Hash affinity;

  friend bool operator==(const CodeHashes&, const CodeHashes&) = default;
};
const CodeHashes& code_hashes();

// What makes a Registry, which makes the other two.
ByteView registry_creation();

}  // namespace bw::ledger_ethereum
