// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/id.hpp"
#include "base/result.hpp"

namespace bw::evm {

// Nodes on the way from a trie's root to a key: what eth_getProof answers with.
using TrieProof = std::vector<Bytes>;

// The value under `key` in the Merkle-Patricia trie with this root (Yellow Paper, appendix D), or
// nothing when the proof shows that there is none. Ethereum's state and storage tries have hashed
// keys: hash before. kMalformed when the nodes prove neither. Nodes beyond the way are not looked
// at.
Result<std::optional<Bytes>> prove_value(const Hash& root, ByteView key,
                                         std::span<const Bytes> proof);

}  // namespace bw::evm
