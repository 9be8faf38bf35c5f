// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/wallet.hpp"

#include "crypto/ecdsa.hpp"

namespace bw::ledger_ethereum {
namespace {

evm::Word word_of(Wei amount) {
  evm::Word word{};
  for (std::size_t i = 0; i < 16; ++i) word[31 - i] = static_cast<std::uint8_t>(amount >> 8U * i);
  return word;
}

}  // namespace

Wallet::Wallet(crypto::SigningKey key, std::uint64_t chain_id)
    : key_(std::move(key)), chain_id_(chain_id), account_(crypto::account_of(key_)) {}

evm::SignedTransaction Wallet::sign(Order order) const {
  return evm::sign({.chain_id = chain_id_,
                    .nonce = order.nonce,
                    .max_tip = word_of(order.price.tip),
                    .max_fee = word_of(order.price.max_fee),
                    .gas_limit = order.gas,
                    .to = order.to,
                    .value = word_of(order.value),
                    .input = std::move(order.input)},
                   key_);
}

}  // namespace bw::ledger_ethereum
