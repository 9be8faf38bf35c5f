// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "base/id.hpp"
#include "base/result.hpp"
#include "net/channel.hpp"

namespace bw::ledger_ethereum {

using Address = ByteArray<20>;
// Of 10^-18 of the chain's coin. 128 bits hold any amount that exists.
__extension__ using Wei = unsigned __int128;

// What a block of the near future asks for each unit of gas.
struct Fees {
  Wei base_fee;  // of the block after the latest
  Wei tip;       // what the endpoint suggests (EIP-1559: maxPriorityFeePerGas)
};

struct CallRequest {
  Address from;
  std::optional<Address> to;  // nobody: makes a contract
  Bytes input;
};

// What a call that is only tried out gives.
struct CallOutcome {
  bool reverted = false;
  Bytes output;  // what was returned, or the data of the revert: the selector of an error
};

struct LogEntry {
  Address address;
  std::vector<Hash> topics;
  Bytes data;
  std::uint64_t block = 0;
  std::uint64_t index = 0;  // in the block
  Hash block_hash;
  Hash transaction;
};

struct Receipt {
  bool succeeded = false;
  std::uint64_t block = 0;
  Hash block_hash;
  std::uint64_t gas_used = 0;
  Wei gas_price = 0;
  std::vector<LogEntry> logs;
};

// Which block an answer is about.
enum class BlockTag { kLatest, kPending, kSafe, kFinalized };

// What a submitter asks a chain. Nothing in the answers is proved. Arguments by value: they live in
// the coroutine. kUnavailable when no endpoint answered, kMalformed when the answer is not one,
// kDenied with the endpoint's words when it answered with an error; a cancelled call fails with
// kUnavailable. Lives on one io_context thread.
class Chain {
 public:
  virtual ~Chain() = default;

  virtual net::Task<Result<std::uint64_t>> chain_id() = 0;
  virtual net::Task<Result<std::uint64_t>> block_number() = 0;
  // Of the next transaction from `account`: kLatest counts mined ones only, kPending also those
  // that wait.
  virtual net::Task<Result<std::uint64_t>> nonce(Address account, BlockTag tag) = 0;
  virtual net::Task<Result<Fees>> fees() = 0;
  virtual net::Task<Result<Wei>> balance(Address account) = 0;
  // At the latest block. kDenied when the call would revert; call() tells with what.
  virtual net::Task<Result<std::uint64_t>> estimate_gas(CallRequest request) = 0;
  virtual net::Task<Result<CallOutcome>> call(CallRequest request) = 0;
  // A signed transaction; its hash. The endpoint's refusal is kDenied, or kConflict when it knows
  // the transaction already, holds another of its nonce that pays as much, or the nonce is used up.
  virtual net::Task<Result<Hash>> send_raw(Bytes transaction) = 0;
  // Nothing when it is in no block (yet, or any more).
  virtual net::Task<Result<std::optional<Receipt>>> receipt(Hash transaction) = 0;
  // Empty for an account without code.
  virtual net::Task<Result<Bytes>> code(Address account) = 0;
};

}  // namespace bw::ledger_ethereum
