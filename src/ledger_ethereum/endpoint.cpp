// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/endpoint.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

#include "ledger_ethereum/block_json.hpp"
#include "ledger_ethereum/json_values.hpp"

namespace bw::ledger_ethereum {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMostSpan = 10'000;
// A page with more logs than this is followed by a shorter one.
constexpr std::size_t kManyLogs = 2000;
constexpr std::size_t kProofNodes = 128;
constexpr std::int64_t kReverted = 3;  // what geth answers for a call that reverts
// Where an endpoint has no opinion: one thousand-millionth of the coin is what wallets offer.
constexpr Wei kUsualTip = 1'000'000'000;

std::string text_of(BlockTag tag) {
  switch (tag) {
    case BlockTag::kLatest:
      return "latest";
    case BlockTag::kPending:
      return "pending";
    case BlockTag::kSafe:
      return "safe";
    case BlockTag::kFinalized:
      return "finalized";
  }
  return "latest";
}

json to_json(const CallRequest& request) {
  json out{{"from", to_data(request.from)}, {"data", to_data(request.input)}};
  if (request.to) out["to"] = to_data(*request.to);
  return out;
}

bool says(const RemoteError& error, std::string_view words) {
  return std::ranges::search(error.message, words, [](unsigned char a, unsigned char b) {
           return std::tolower(a) == b;
         }).begin() != error.message.end();
}

Result<std::vector<Bytes>> read_nodes(const json& list) {
  if (!list.is_array() || list.size() > kProofNodes) {
    return fail(ErrorCode::kMalformed, "a proof is no list of nodes");
  }
  std::vector<Bytes> nodes;
  for (const json& node : list) {
    BW_TRY(Bytes bytes, bytes_of(node, "node of a proof"));
    nodes.push_back(std::move(bytes));
  }
  return nodes;
}

Result<StateProof> read_proof(const json& answer, const std::vector<Hash>& slots) {
  StateProof proof;
  BW_TRY(proof.account, read_nodes(member(answer, "accountProof")));
  const json& storage = member(answer, "storageProof");
  if (!storage.is_array() || storage.size() != slots.size()) {
    return fail(ErrorCode::kMalformed, "not one proof for each of {} slots", slots.size());
  }
  for (std::size_t i = 0; i < slots.size(); ++i) {
    BW_TRY(auto nodes, read_nodes(member(storage[i], "proof")));
    proof.slots.push_back({slots[i], std::move(nodes)});
  }
  return proof;
}

Result<LogEntry> read_log(const json& log) {
  LogEntry entry;
  BW_TRY(entry.address, read_address(log, "address"));
  BW_TRY(entry.data, read_data(log, "data"));
  BW_TRY(entry.block, read_u64(log, "blockNumber"));
  BW_TRY(entry.index, read_u64(log, "logIndex"));
  BW_TRY(entry.block_hash, read_hash(log, "blockHash"));
  BW_TRY(entry.transaction, read_hash(log, "transactionHash"));
  const json& topics = member(log, "topics");
  if (!topics.is_array() || topics.size() > 4) {
    return fail(ErrorCode::kMalformed, "a log has no list of topics");
  }
  for (const json& topic : topics) {
    BW_TRY(const Hash hash, hash_of(topic, "topic"));
    entry.topics.push_back(hash);
  }
  return entry;
}

Result<std::vector<LogEntry>> read_logs(const json& list) {
  if (!list.is_array()) return fail(ErrorCode::kMalformed, "no list of logs");
  std::vector<LogEntry> logs;
  logs.reserve(list.size());
  for (const json& log : list) {
    BW_TRY(auto entry, read_log(log));
    logs.push_back(std::move(entry));
  }
  return logs;
}

// Whether logs answer the question, in the order of the chain.
Result<void> check_logs(const std::vector<LogEntry>& logs, const Address& account,
                        std::uint64_t from, std::uint64_t to) {
  const LogEntry* before = nullptr;
  for (const LogEntry& log : logs) {
    if (log.address != account || log.block < from || log.block > to) {
      return fail(ErrorCode::kFork, "it shows logs that were not asked for, of block {}",
                  log.block);
    }
    if (before != nullptr &&
        std::pair(before->block, before->index) >= std::pair(log.block, log.index)) {
      return fail(ErrorCode::kFork, "it shows logs of block {} out of order", log.block);
    }
    before = &log;
  }
  return {};
}

Result<Receipt> read_receipt(const json& answer) {
  Receipt receipt;
  BW_TRY(const std::uint64_t status, read_u64(answer, "status"));
  receipt.succeeded = status == 1;
  BW_TRY(receipt.block, read_u64(answer, "blockNumber"));
  BW_TRY(receipt.block_hash, read_hash(answer, "blockHash"));
  BW_TRY(receipt.gas_used, read_u64(answer, "gasUsed"));
  BW_TRY(receipt.gas_price, read_wei(answer, "effectiveGasPrice"));
  BW_TRY(receipt.logs, read_logs(member(answer, "logs")));
  return receipt;
}

}  // namespace

Error Endpoint::named(const Error& why) const {
  return {why.code, fmt::format("{}: {}", name(), why.message)};
}

net::Task<Result<json>> Endpoint::ask(std::string method, json params) {
  auto reply = co_await rpc_->call(std::move(method), std::move(params));
  if (!reply) co_return fail(reply.error());
  if (!*reply) co_return fail(reply->error().error(name()));
  co_return **std::move(reply);
}

net::Task<Result<Block>> Endpoint::block(BlockId id) {
  std::string method = "eth_getBlockByNumber";
  std::string which;
  if (const auto* tag = std::get_if<BlockTag>(&id)) which = text_of(*tag);
  if (const auto* number = std::get_if<std::uint64_t>(&id)) which = to_quantity(*number);
  if (const auto* hash = std::get_if<Hash>(&id)) {
    method = "eth_getBlockByHash";
    which = to_data(hash->bytes);
  }
  json params{which, false};
  const auto answer = co_await ask(std::move(method), std::move(params));
  if (!answer) co_return fail(answer.error());
  if (answer->is_null()) {
    co_return fail(ErrorCode::kNotFound, "{}: does not have block {}", name(), which);
  }
  auto block = read_block(*answer);
  if (!block) co_return fail(named(block.error()));
  const auto* number = std::get_if<std::uint64_t>(&id);
  const auto* hash = std::get_if<Hash>(&id);
  if ((number != nullptr && block->number != *number) ||
      (hash != nullptr && block->hash != *hash)) {
    co_return fail(ErrorCode::kFork, "{}: shows another block than {}", name(), which);
  }
  co_return block;
}

net::Task<Result<std::vector<Block>>> Endpoint::blocks(std::uint64_t first, std::size_t count) {
  std::vector<RpcCall> calls;
  for (std::size_t i = 0; i < count; ++i) {
    calls.push_back({"eth_getBlockByNumber", json{to_quantity(first + i), false}});
  }
  const auto replies = co_await rpc_->batch(std::move(calls));
  if (!replies) co_return fail(replies.error());
  std::vector<Block> blocks;
  for (const Reply& reply : *replies) {
    if (!reply) co_return fail(reply.error().error(name()));
    const std::uint64_t number = first + blocks.size();
    if (reply->is_null()) {
      co_return fail(ErrorCode::kNotFound, "{}: does not have block {}", name(), number);
    }
    const auto block = read_block(*reply);
    if (!block) co_return fail(named(block.error()));
    const bool joins = blocks.empty() || block->parent == blocks.back().hash;
    if (block->number != number || !joins) {
      co_return fail(ErrorCode::kFork, "{}: its blocks up to {} are no chain", name(), number);
    }
    blocks.push_back(*block);
  }
  co_return blocks;
}

net::Task<Result<StateProof>> Endpoint::proof(Address account, std::vector<Hash> slots,
                                              std::uint64_t block) {
  json keys = json::array();
  for (const Hash& slot : slots) keys.push_back(to_data(slot.bytes));
  json params{to_data(account), std::move(keys), to_quantity(block)};
  const auto answer = co_await ask("eth_getProof", std::move(params));
  if (!answer) co_return fail(answer.error());
  auto proof = read_proof(*answer, slots);
  if (!proof) co_return fail(named(proof.error()));
  co_return proof;
}

net::Task<Result<LogPage>> Endpoint::logs_once(Address account, std::uint64_t from,
                                               std::uint64_t to) {
  json params = json::array({json{{"address", to_data(account)},
                                  {"fromBlock", to_quantity(from)},
                                  {"toBlock", to_quantity(to)}}});
  const auto answer = co_await ask("eth_getLogs", std::move(params));
  if (!answer) co_return fail(answer.error());
  auto logs = read_logs(*answer);
  if (!logs) co_return fail(named(logs.error()));
  const auto good = check_logs(*logs, account, from, to);
  if (!good) co_return fail(named(good.error()));
  co_return LogPage{*std::move(logs), to};
}

// Providers refuse spans and answers that are too large for them, each in words of its own; so any
// refusal is answered by asking for half.
net::Task<Result<LogPage>> Endpoint::logs(Address account, std::uint64_t from, std::uint64_t to) {
  for (;;) {
    const std::uint64_t last = std::min(to, from + span_ - 1);
    auto page = co_await logs_once(account, from, last);
    if (page) {
      if (page->logs.size() > kManyLogs) span_ = std::max<std::uint64_t>(span_ / 2, 1);
      if (page->logs.size() < kManyLogs / 4) span_ = std::min(span_ * 2, kMostSpan);
      co_return page;
    }
    const ErrorCode code = page.error().code;
    const bool too_much = code == ErrorCode::kDenied || code == ErrorCode::kTooLarge;
    if (!too_much || last == from) co_return page;
    span_ = (last - from + 1) / 2;
  }
}

net::Task<Result<std::uint64_t>> Endpoint::chain_id() {
  const auto answer = co_await ask("eth_chainId", json::array());
  if (!answer) co_return fail(answer.error());
  co_return u64_of(*answer, "chain id");
}

net::Task<Result<std::uint64_t>> Endpoint::block_number() {
  const auto answer = co_await ask("eth_blockNumber", json::array());
  if (!answer) co_return fail(answer.error());
  co_return u64_of(*answer, "block number");
}

net::Task<Result<std::uint64_t>> Endpoint::nonce(Address account, BlockTag tag) {
  json params{to_data(account), text_of(tag)};
  const auto answer = co_await ask("eth_getTransactionCount", std::move(params));
  if (!answer) co_return fail(answer.error());
  co_return u64_of(*answer, "nonce");
}

net::Task<Result<Fees>> Endpoint::fees() {
  json params{"0x1", "latest", json::array()};
  const auto history = co_await ask("eth_feeHistory", std::move(params));
  if (!history) co_return fail(history.error());
  const json& bases = member(*history, "baseFeePerGas");
  if (!bases.is_array() || bases.empty()) {
    co_return fail(ErrorCode::kMalformed, "{}: no base fee", name());
  }
  const auto base = wei_of(bases.back(), "base fee");
  if (!base) co_return fail(named(base.error()));
  const auto suggested = co_await ask("eth_maxPriorityFeePerGas", json::array());
  if (!suggested && suggested.error().code != ErrorCode::kDenied) {
    co_return fail(suggested.error());
  }
  const auto tip = suggested ? wei_of(*suggested, "tip") : Result<Wei>(kUsualTip);
  if (!tip) co_return fail(named(tip.error()));
  co_return Fees{.base_fee = *base, .tip = *tip};
}

net::Task<Result<Wei>> Endpoint::balance(Address account) {
  json params{to_data(account), "latest"};
  const auto answer = co_await ask("eth_getBalance", std::move(params));
  if (!answer) co_return fail(answer.error());
  co_return wei_of(*answer, "balance");
}

net::Task<Result<std::uint64_t>> Endpoint::estimate_gas(CallRequest request) {
  json params = json::array({to_json(request)});
  const auto answer = co_await ask("eth_estimateGas", std::move(params));
  if (!answer) co_return fail(answer.error());
  co_return u64_of(*answer, "gas");
}

net::Task<Result<CallOutcome>> Endpoint::call(CallRequest request) {
  json params{to_json(request), "latest"};
  auto reply = co_await rpc_->call("eth_call", std::move(params));
  if (!reply) co_return fail(reply.error());
  if (*reply) {
    auto output = bytes_of(**reply, "output");
    if (!output) co_return fail(named(output.error()));
    co_return CallOutcome{.output = *std::move(output)};
  }
  const RemoteError& error = reply->error();
  if (error.code == kReverted || !error.data.empty() || says(error, "revert")) {
    co_return CallOutcome{.reverted = true, .output = error.data};
  }
  co_return fail(error.error(name()));
}

net::Task<Result<Hash>> Endpoint::send_raw(Bytes transaction) {
  json params = json::array({to_data(transaction)});
  const auto reply = co_await rpc_->call("eth_sendRawTransaction", std::move(params));
  if (!reply) co_return fail(reply.error());
  if (*reply) co_return hash_of(**reply, "transaction");
  const RemoteError& error = reply->error();
  Error why = error.error(name());
  for (const char* words : {"already known", "already imported", "already in the",
                            "known transaction", "nonce too low", "underpriced", "replacement"}) {
    if (says(error, words)) why.code = ErrorCode::kConflict;
  }
  co_return fail(why);
}

net::Task<Result<std::optional<Receipt>>> Endpoint::receipt(Hash transaction) {
  json params = json::array({to_data(transaction.bytes)});
  const auto answer = co_await ask("eth_getTransactionReceipt", std::move(params));
  if (!answer) co_return fail(answer.error());
  if (answer->is_null()) co_return std::optional<Receipt>{};
  auto receipt = read_receipt(*answer);
  if (!receipt) co_return fail(named(receipt.error()));
  co_return std::optional(*std::move(receipt));
}

net::Task<Result<Bytes>> Endpoint::code(Address account) {
  json params{to_data(account), "latest"};
  const auto answer = co_await ask("eth_getCode", std::move(params));
  if (!answer) co_return fail(answer.error());
  co_return bytes_of(*answer, "code");
}

}  // namespace bw::ledger_ethereum
