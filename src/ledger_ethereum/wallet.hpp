// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/keys.hpp"
#include "evm/transaction.hpp"
#include "ledger_ethereum/fee_policy.hpp"

namespace bw::ledger_ethereum {

// The key that pays, on one chain.
class Wallet {
 public:
  Wallet(crypto::SigningKey key, std::uint64_t chain_id);

  [[nodiscard]] const Address& account() const { return account_; }
  struct Order {
    std::optional<Address> to;  // nobody: makes a contract
    std::uint64_t nonce = 0;
    std::uint64_t gas = 0;
    Price price;
    Wei value = 0;
    Bytes input;
  };
  [[nodiscard]] evm::SignedTransaction sign(Order order) const;

 private:
  crypto::SigningKey key_;
  std::uint64_t chain_id_;
  Address account_;
};

}  // namespace bw::ledger_ethereum
