// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "crypto/keys.hpp"
#include "ledger_ethereum/chain.hpp"
#include "ledger_ethereum/network.hpp"

namespace bw::ledger_ethereum {

struct PayOptions {
  Wei max_fee = 0;                  // for one unit of gas
  std::uint64_t confirmations = 1;  // blocks, its own among them, until it counts
  Duration patience = std::chrono::minutes(10);
  // What is done now, for people.
  std::function<void(const std::string&)> tell;
};

// Puts the contracts of a network with this name on a chain and waits until they stand under
// `confirmations` blocks; then checks their code. kLimited when the account's balance or the fee
// does not allow it, kDenied when an endpoint refuses to estimate or take it, kUnavailable when it
// takes longer than `patience`: the error names the transaction, which may still come.
net::Task<Result<Network>> deploy(Chain& chain, crypto::SigningKey key, std::string name,
                                  PayOptions options);

// Sends money to an account; the hash of the transaction, which stands under `confirmations`
// blocks. Errors as of deploy().
net::Task<Result<Hash>> pay(Chain& chain, crypto::SigningKey key, Address to, Wei amount,
                            PayOptions options);

}  // namespace bw::ledger_ethereum
