// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "crypto/keys.hpp"
#include "evm/account.hpp"

namespace bw::evm {

// A type-2 transaction (EIP-1559) without an access list.
struct Transaction {
  std::uint64_t chain_id = 0;
  std::uint64_t nonce = 0;
  Word max_tip{};  // wei for one unit of gas, to the block's maker
  Word max_fee{};  // wei for one unit of gas, all together
  std::uint64_t gas_limit = 0;
  std::optional<Address> to;  // nobody: makes a contract
  Word value{};               // wei
  Bytes input;
};

struct SignedTransaction {
  Bytes bytes;  // for eth_sendRawTransaction
  Hash hash;    // names it on the chain
};
SignedTransaction sign(const Transaction& transaction, const crypto::SigningKey& key);

// What is signed, for tests and other signers.
Hash signing_hash(const Transaction& transaction);

// The address of the contract that the account's transaction of this nonce makes.
Address made_by(const Address& account, std::uint64_t nonce);

// An amount as a word.
Word word_of(std::uint64_t value);

}  // namespace bw::evm
