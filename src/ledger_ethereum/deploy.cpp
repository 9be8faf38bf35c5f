// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/deploy.hpp"

#include <algorithm>

#include "crypto/keccak.hpp"
#include "evm/address.hpp"
#include "evm/transaction.hpp"
#include "ledger_ethereum/json_values.hpp"
#include "ledger_ethereum/wallet.hpp"
#include "net/task_group.hpp"

namespace bw::ledger_ethereum {
namespace {

// More no transaction may ask for (EIP-7825).
constexpr std::uint64_t kMostGas = 1U << 24U;
// What an estimate may be short of: it is made on another block than the one that counts.
constexpr std::uint64_t kMarginPercent = 10;
constexpr std::uint64_t kPayGas = 21'000;
constexpr Duration kPoll = 500ms;

struct Sent {
  Hash hash;
  std::uint64_t nonce = 0;
};

// One transaction of one account, from its price to its block.
class Payment {
 public:
  Payment(Chain& chain, Wallet wallet, PayOptions options)
      : chain_(chain), wallet_(std::move(wallet)), options_(std::move(options)) {}

  [[nodiscard]] const Address& account() const { return wallet_.account(); }

  // `what` names it to people.
  net::Task<Result<Sent>> send(Wallet::Order order, std::string what) {
    const auto fees = co_await chain_.fees();
    if (!fees) co_return fail(fees.error());
    const auto price = price_for(*fees, options_.max_fee);
    if (!price) co_return fail(price.error());
    const Wei most = price->max_fee * order.gas + order.value;
    const auto balance = co_await chain_.balance(account());
    if (!balance) co_return fail(balance.error());
    tell(fmt::format("{}: up to {} gas at {}, from {} with {}", what, order.gas,
                     in_gwei(price->max_fee), evm::to_text(account()), in_coins(*balance)));
    if (*balance < most) {
      co_return fail(ErrorCode::kLimited,
                     "the balance of {} is {}, and up to {} are needed: send money there",
                     evm::to_text(account()), in_coins(*balance), in_coins(most));
    }
    const auto nonce = co_await chain_.nonce(account(), BlockTag::kPending);
    if (!nonce) co_return fail(nonce.error());
    order.nonce = *nonce;
    order.price = *price;
    const evm::SignedTransaction made = wallet_.sign(std::move(order));
    const auto sent = co_await chain_.send_raw(made.bytes);
    if (!sent && sent.error().code != ErrorCode::kConflict) co_return fail(sent.error());
    tell(fmt::format("sent {}", to_data(made.hash.bytes)));
    co_return Sent{made.hash, *nonce};
  }

  // Its receipt, once enough blocks stand above it.
  net::Task<Result<Receipt>> settled(Hash hash) {
    for (Duration waited{}; waited < options_.patience; waited += kPoll) {
      const auto receipt = co_await chain_.receipt(hash);
      if (receipt && *receipt) {
        if (!(*receipt)->succeeded) {
          co_return fail(ErrorCode::kDenied, "the chain took transaction {} and undid it",
                         to_data(hash.bytes));
        }
        const auto head = co_await chain_.block_number();
        if (head && *head + 1 >= (*receipt)->block + options_.confirmations) co_return **receipt;
        tell(fmt::format("in block {}; waiting for {} on top", (*receipt)->block,
                         options_.confirmations - 1));
      }
      if (!co_await net::sleep_for(kPoll)) break;
    }
    co_return fail(ErrorCode::kUnavailable,
                   "transaction {} is not settled yet; it may still come: look for it before you "
                   "try again",
                   to_data(hash.bytes));
  }

 private:
  void tell(std::string text) {
    if (!options_.tell || text == told_) return;
    options_.tell(text);
    told_ = std::move(text);
  }

  Chain& chain_;
  Wallet wallet_;
  PayOptions options_;
  std::string told_;
};

// What to ask for to make the contracts.
net::Task<Result<std::uint64_t>> deploy_gas(Chain& chain, CallRequest request,
                                            std::uint64_t chain_id) {
  const auto estimate = co_await chain.estimate_gas(std::move(request));
  if (!estimate) {
    co_return fail(estimate.error().code, "deploying to chain {}: cannot estimate the gas: {}",
                   chain_id, estimate.error().message);
  }
  if (*estimate > kMostGas) {
    co_return fail(ErrorCode::kDenied,
                   "deploying to chain {}: the endpoint estimates {} gas, and no transaction may "
                   "use more than {}; try another endpoint",
                   chain_id, *estimate, kMostGas);
  }
  co_return std::min(*estimate + *estimate * kMarginPercent / 100, kMostGas);
}

net::Task<Result<void>> check_code(Chain& chain, Network network) {
  const std::array expected = {std::pair{network.registry, network.code.registry},
                               std::pair{network.alias, network.code.alias},
                               std::pair{network.affinity, network.code.affinity}};
  for (const auto& [address, hash] : expected) {
    const auto code = co_await chain.code(address);
    if (!code) co_return fail(code.error());
    if (crypto::keccak256(*code) == hash) continue;
    co_return fail(ErrorCode::kCorrupt, "the code at {} is not what was deployed",
                   evm::to_text(address));
  }
  co_return Result<void>{};
}

}  // namespace

net::Task<Result<Network>> deploy(Chain& chain, crypto::SigningKey key, std::string name,
                                  PayOptions options) {
  const auto chain_id = co_await chain.chain_id();
  if (!chain_id) co_return fail(chain_id.error());
  Payment payment(chain, Wallet(std::move(key), *chain_id), std::move(options));
  Wallet::Order order;
  order.input = registry_creation_code();
  CallRequest request{.from = payment.account(), .to = std::nullopt, .input = order.input};
  const auto gas = co_await deploy_gas(chain, std::move(request), *chain_id);
  if (!gas) co_return fail(gas.error());
  order.gas = *gas;
  const auto sent =
      co_await payment.send(std::move(order), fmt::format("deploying to chain {}", *chain_id));
  if (!sent) co_return fail(sent.error());
  const auto receipt = co_await payment.settled(sent->hash);
  if (!receipt) co_return fail(receipt.error());
  const Network network = network_of(std::move(name), *chain_id,
                                     evm::made_by(payment.account(), sent->nonce), receipt->block);
  const auto good = co_await check_code(chain, network);
  if (!good) co_return fail(good.error());
  co_return network;
}

net::Task<Result<Hash>> pay(Chain& chain, crypto::SigningKey key, Address to, Wei amount,
                            PayOptions options) {
  const auto chain_id = co_await chain.chain_id();
  if (!chain_id) co_return fail(chain_id.error());
  Payment payment(chain, Wallet(std::move(key), *chain_id), std::move(options));
  Wallet::Order order;
  order.gas = kPayGas;
  order.to = to;
  order.value = amount;
  const auto sent = co_await payment.send(
      std::move(order), fmt::format("sending {} to {}", in_coins(amount), evm::to_text(to)));
  if (!sent) co_return fail(sent.error());
  const auto receipt = co_await payment.settled(sent->hash);
  if (!receipt) co_return fail(receipt.error());
  co_return sent->hash;
}

}  // namespace bw::ledger_ethereum
