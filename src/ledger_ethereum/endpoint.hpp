// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "ledger_ethereum/chain.hpp"
#include "ledger_ethereum/rpc.hpp"

namespace bw::ledger_ethereum {

// What a header says that matters here. `hash` was computed from the whole header, so every field
// is what that hash stands for; which hash is the chain's is another question (head_source.hpp).
struct Block {
  std::uint64_t number = 0;
  Hash hash;
  Hash parent;
  Hash state_root;
  Time time;

  friend bool operator==(const Block&, const Block&) = default;
};
using BlockId = std::variant<BlockTag, std::uint64_t, Hash>;

// Nodes of Merkle-Patricia tries, from the root down, as an endpoint gave them: verify before use.
struct StateProof {
  struct Slot {
    Hash key;
    std::vector<Bytes> nodes;
  };
  std::vector<Bytes> account;
  std::vector<Slot> slots;  // in the order asked for
};

// Logs of the blocks from where was asked up to `last`, in the order of the chain.
struct LogPage {
  std::vector<LogEntry> logs;
  std::uint64_t last = 0;
};

// One server of a chain. Answers are held to their form and to themselves: a header must have the
// hash that is said of it, logs must be of the address and the blocks asked for, in order. What
// fails that is kFork: the endpoint says what cannot be. Other errors as in Chain.
class Endpoint final : public Chain {
 public:
  explicit Endpoint(std::unique_ptr<Rpc> rpc) : rpc_(std::move(rpc)) {}

  [[nodiscard]] std::string name() const { return rpc_->name(); }

  // kNotFound for a block that it does not have.
  net::Task<Result<Block>> block(BlockId id);
  // Those from `first` on, each the parent of the next; at most kRpcBatch.
  net::Task<Result<std::vector<Block>>> blocks(std::uint64_t first, std::size_t count);
  net::Task<Result<StateProof>> proof(Address account, std::vector<Hash> slots,
                                      std::uint64_t block);
  // As many of the blocks from..to as one question covers; the more the better it went before.
  net::Task<Result<LogPage>> logs(Address account, std::uint64_t from, std::uint64_t to);

  net::Task<Result<std::uint64_t>> chain_id() override;
  net::Task<Result<std::uint64_t>> block_number() override;
  net::Task<Result<std::uint64_t>> nonce(Address account, BlockTag tag) override;
  net::Task<Result<Fees>> fees() override;
  net::Task<Result<Wei>> balance(Address account) override;
  net::Task<Result<std::uint64_t>> estimate_gas(CallRequest request) override;
  net::Task<Result<CallOutcome>> call(CallRequest request) override;
  net::Task<Result<Hash>> send_raw(Bytes transaction) override;
  net::Task<Result<std::optional<Receipt>>> receipt(Hash transaction) override;
  net::Task<Result<Bytes>> code(Address account) override;

 private:
  // A result, whatever it is; the server's error as an Error.
  net::Task<Result<nlohmann::json>> ask(std::string method, nlohmann::json params);
  net::Task<Result<LogPage>> logs_once(Address account, std::uint64_t from, std::uint64_t to);
  [[nodiscard]] Error named(const Error& why) const;

  std::unique_ptr<Rpc> rpc_;
  std::uint64_t span_ = 1000;  // blocks that one question about logs covers
};

}  // namespace bw::ledger_ethereum
