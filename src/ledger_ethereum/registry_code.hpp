// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "base/id.hpp"

// The contracts that this program was built with (contracts/registry.hex, contracts/code_hashes).
namespace bw::ledger_ethereum {

// Keccak-256 of the code of each, the same on every chain.
struct CodeHashes {
  Hash registry;
  Hash alias;
  Hash affinity;

  friend bool operator==(const CodeHashes&, const CodeHashes&) = default;
};

// The input of the transaction that makes the Registry, which makes the other two.
Bytes registry_creation_code();
CodeHashes built_in_code_hashes();

}  // namespace bw::ledger_ethereum
