// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/follower_proof.hpp"

#include "evm/address.hpp"

namespace bw::ledger_ethereum {
namespace {

// Nodes that are no archive keep the states of so many blocks: not to have older ones is no fault.
constexpr std::uint64_t kKeptStates = 100;

}  // namespace

net::Task<Result<crypto::Frontier>> HeadProver::prove(Block block, std::uint64_t head,
                                                      std::uint64_t likely) {
  const bool old = head - block.number > kKeptStates;
  Error last{ErrorCode::kUnavailable, "no endpoint of the chain answers"};
  for (Endpoint* endpoint : endpoints_.usable()) {
    auto state = co_await prove_through(*endpoint, block, likely);
    if (state && state->code_hash != registry_code_) {
      co_return fail(ErrorCode::kDenied,
                     "the contract at {} is not the Registry that is expected: its code is "
                     "another; check the network file",
                     evm::to_text(registry_));
    }
    if (state) co_return *std::move(state->tree);
    last = state.error();
    if (last.code == ErrorCode::kNotFound || co_await net::is_cancelled()) co_return fail(last);
    if (last.code == ErrorCode::kDenied) last.code = ErrorCode::kUnavailable;
    if (!old) endpoints_.failed(*endpoint, last);
  }
  last.message =
      fmt::format("nothing proves the ledger at block {}: {}", block.number, last.message);
  co_return fail(last);
}

net::Task<Result<RegistryState>> HeadProver::prove_through(Endpoint& endpoint, Block block,
                                                           std::uint64_t likely) {
  auto state = co_await ask(endpoint, block, likely);
  if (!state || state->tree) co_return state;
  const std::uint64_t size = state->size;
  co_return co_await ask(endpoint, block, size);
}

net::Task<Result<RegistryState>> HeadProver::ask(Endpoint& endpoint, Block block,
                                                 std::uint64_t size) {
  const auto proof = co_await endpoint.proof(registry_, head_slots(size), block.number);
  if (!proof) co_return fail(proof.error());
  auto state = prove_registry(block.state_root, registry_, *proof);
  if (!state) {
    co_return fail(state.error().code, "{}: block {}: {}", endpoint.name(), block.number,
                   state.error().message);
  }
  co_return state;
}

}  // namespace bw::ledger_ethereum
