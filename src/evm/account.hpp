// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "evm/address.hpp"
#include "evm/trie.hpp"

namespace bw::evm {

using Word = ByteArray<32>;  // big-endian

// An account as the state trie holds it (Yellow Paper, section 4.1).
struct Account {
  std::uint64_t nonce = 0;
  Word balance{};  // wei
  Hash storage_root;
  Hash code_hash;
};

// The account in the state with this root; nothing when the proof shows that there is none.
// kMalformed when it proves neither.
Result<std::optional<Account>> prove_account(const Hash& state_root, const Address& address,
                                             std::span<const Bytes> proof);
// What stands in a storage slot; zeros when the proof shows that nothing was stored.
Result<Word> prove_storage(const Hash& storage_root, const Word& slot,
                           std::span<const Bytes> proof);

}  // namespace bw::evm
