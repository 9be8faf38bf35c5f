// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "codec/rlp.hpp"
#include "codec/writer.hpp"
#include "crypto/keccak.hpp"
#include "crypto/merkle.hpp"
#include "evm/testing/plain_trie.hpp"
#include "evm/transaction.hpp"
#include "ledger_ethereum/block_json.hpp"
#include "ledger_ethereum/json_values.hpp"
#include "ledger_ethereum/rpc.hpp"

namespace bw::ledger_ethereum::testing {

using nlohmann::json;

inline constexpr std::uint64_t kChainStart = 1'700'000'000;
inline constexpr std::uint64_t kBlockSeconds = 12;
inline constexpr std::uint64_t kDeployed = 2;  // the Registry stands from this block on
inline const Address kRegistry = [] {
  Address address{};
  address.fill(0x52);
  return address;
}();
inline const Hash kRegistryCode = crypto::keccak256(as_bytes("the Registry's code"));

// The data of the log that the Registry writes for one call.
inline Bytes log_data(std::uint64_t first, const std::vector<Bytes>& entries) {
  Bytes data;
  codec::Writer writer(data);
  writer.u40(first);
  for (const Bytes& entry : entries) {
    writer.u16(static_cast<std::uint16_t>(entry.size())).bytes(entry);
  }
  return data;
}

// A chain with one contract, the Registry: real headers, real state and storage tries, and its
// logs. Block 0 is there from the start.
class FakeChain {
 public:
  FakeChain() { seal({}); }

  using Call = std::vector<Bytes>;  // the entries that it adds
  void mine(const std::vector<Call>& calls = {}) { seal(calls); }
  void mine_empty(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) seal({});
  }
  // Takes the latest blocks back; those that are mined then are others.
  void drop(std::size_t count) {
    blocks_.resize(blocks_.size() - count);
    ++branch_;
  }

  std::uint64_t height() const { return blocks_.size() - 1; }
  Block block(std::uint64_t number) const { return *read_block(blocks_.at(number).header); }
  const json& header(std::uint64_t number) const { return blocks_.at(number).header; }
  // All entries up to a block.
  std::vector<Bytes> entries(std::uint64_t number) const {
    std::vector<Bytes> all;
    for (std::uint64_t i = 0; i <= number; ++i) {
      for (const Call& call : blocks_[i].calls) all.insert(all.end(), call.begin(), call.end());
    }
    return all;
  }
  std::vector<Bytes> entries() const { return entries(height()); }

  json logs(std::uint64_t from, std::uint64_t to) const {
    json all = json::array();
    for (std::uint64_t number = from; number <= std::min(to, height()); ++number) {
      const auto& block = blocks_[number];
      std::uint64_t first = number == 0 ? 0 : blocks_[number - 1].tree.size();
      std::uint64_t index = 0;
      for (const Call& call : block.calls) {
        all.push_back(log(number, index++, log_data(first, call)));
        first += call.size();
      }
    }
    return all;
  }

  json proof(const json& slots, std::uint64_t number) const {
    const auto& block = blocks_.at(number);
    const evm::testing::PlainTrie storage = storage_of(block);
    json answer{{"address", to_data(kRegistry)},
                {"accountProof", nodes(state_of(block).prove(hashed(kRegistry)))},
                {"storageProof", json::array()}};
    for (const json& slot : slots) {
      const Bytes key = *data_of(slot.get<std::string>(), "slot");
      answer["storageProof"].push_back(
          {{"key", slot}, {"proof", nodes(storage.prove(hashed(key)))}});
    }
    return answer;
  }

 private:
  struct Sealed {
    json header;
    std::vector<Call> calls;
    crypto::Frontier tree;
    std::map<std::uint64_t, Hash> slots;  // what lies behind the peaks is left over
  };

  static Bytes hashed(ByteView key) { return to_bytes(crypto::keccak256(key).view()); }

  static json nodes(const evm::TrieProof& proof) {
    json out = json::array();
    for (const Bytes& node : proof) out.push_back(to_data(node));
    return out;
  }

  static evm::testing::PlainTrie storage_of(const Sealed& block) {
    evm::testing::PlainTrie trie;
    for (const auto& [slot, word] : block.slots) {
      Bytes value;
      codec::rlp_integer(value, word.view());
      trie.put(hashed(evm::word_of(slot)), value);
    }
    return trie;
  }

  evm::testing::PlainTrie state_of(const Sealed& block) const {
    evm::testing::PlainTrie trie;
    // Somebody else is always there.
    trie.put(hashed(Address{}), account(Hash{}, Hash{}));
    trie.put(hashed(as_bytes("another")), account(Hash{}, Hash{}));
    if (block.header.is_null()
            ? blocks_.size() >= kDeployed
            : block.header["number"] != "0x0" && block.header["number"] != "0x1") {
      trie.put(hashed(kRegistry), account(storage_of(block).root(), kRegistryCode));
    }
    return trie;
  }

  static Bytes account(const Hash& storage_root, const Hash& code) {
    Bytes fields;
    codec::rlp_integer(fields, std::uint64_t{1});
    codec::rlp_integer(fields, std::uint64_t{0});
    codec::rlp_string(fields, storage_root.view());
    codec::rlp_string(fields, code.view());
    Bytes out;
    codec::rlp_list(out, fields);
    return out;
  }

  json log(std::uint64_t number, std::uint64_t index, const Bytes& data) const {
    const Hash transaction = crypto::keccak256(data);
    return {{"address", to_data(kRegistry)},
            {"topics", json::array()},
            {"data", to_data(data)},
            {"blockNumber", to_quantity(number)},
            {"logIndex", to_quantity(index)},
            {"blockHash", blocks_[number].header["hash"]},
            {"transactionHash", to_data(transaction.bytes)}};
  }

  void seal(const std::vector<Call>& calls) {
    Sealed block;
    if (!blocks_.empty()) {
      block.tree = blocks_.back().tree;
      block.slots = blocks_.back().slots;
    }
    block.calls = calls;
    for (const Call& call : calls) {
      for (const Bytes& entry : call) block.tree.add(crypto::leaf_hash(entry));
    }
    if (block.tree.size() > 0) block.slots[0] = Hash{evm::word_of(block.tree.size())};
    std::uint64_t slot = 0;
    for (const Hash& peak : block.tree.nodes()) block.slots[++slot] = peak;
    block.header = make_header(block);
    blocks_.push_back(std::move(block));
  }

  json make_header(const Sealed& block) const {
    const std::string zero = to_data(Hash{}.bytes);
    const std::uint64_t number = blocks_.size();
    json out{{"parentHash", number == 0 ? json(zero) : blocks_.back().header["hash"]},
             {"sha3Uncles", zero},
             {"miner", to_data(Address{})},
             {"stateRoot", to_data(state_of(block).root().bytes)},
             {"transactionsRoot", zero},
             {"receiptsRoot", zero},
             {"logsBloom", to_data(Bytes(256))},
             {"difficulty", "0x0"},
             {"number", to_quantity(number)},
             {"gasLimit", "0x1"},
             {"gasUsed", "0x0"},
             {"timestamp", to_quantity(kChainStart + kBlockSeconds * number)},
             {"extraData", to_data(evm::word_of(branch_))},
             {"mixHash", zero},
             {"nonce", to_data(Bytes(8))}};
    out["hash"] = to_data(header_hash(out)->bytes);
    return out;
  }

  std::vector<Sealed> blocks_;
  std::uint64_t branch_ = 0;
};

// An endpoint of the chain; it may be told to lie about logs, to fail, or to do something before an
// answer.
class FakeRpc final : public Rpc {
 public:
  struct Behaviour {
    std::function<void(json& logs)> lie;  // alters an answer about logs
    std::function<void(json& proof)> lie_of_state;
    std::function<void(const std::string& method)> before;  // an answer
    std::set<std::string> refused;                          // methods it does not know
    bool down = false;
    std::uint64_t keeps_states = 1'000'000;  // of so many blocks
    std::uint64_t lags = 0;                  // its head is so many blocks behind
    std::uint64_t final_depth = 3;
    std::map<std::string, std::size_t> asked;
  };

  FakeRpc(std::string name, const FakeChain& chain, Behaviour& behaviour)
      : name_(std::move(name)), chain_(chain), behaviour_(behaviour) {}

  net::Task<Result<Reply>> call(std::string method, json params) override {
    if (behaviour_.down) co_return fail(ErrorCode::kUnavailable, "{}: is down", name_);
    co_return answer(method, params);
  }
  net::Task<Result<std::vector<Reply>>> batch(std::vector<RpcCall> calls) override {
    if (behaviour_.down) co_return fail(ErrorCode::kUnavailable, "{}: is down", name_);
    std::vector<Reply> replies;
    for (const RpcCall& one : calls) replies.push_back(answer(one.method, one.params));
    co_return replies;
  }
  std::string name() const override { return name_; }

 private:
  static Reply refuse(std::int64_t code, std::string words) {
    return tl::unexpected(RemoteError{code, std::move(words), {}});
  }
  std::uint64_t height() const { return chain_.height() - behaviour_.lags; }

  Reply answer(const std::string& method, const json& params) {
    if (behaviour_.before) behaviour_.before(method);
    ++behaviour_.asked[method];
    if (behaviour_.refused.contains(method)) return refuse(-32601, "no such method");
    if (method == "eth_getBlockByNumber") return block(params[0].get<std::string>());
    if (method == "eth_getLogs") {
      const auto from = *u64_of(params[0]["fromBlock"], "from");
      const auto to = *u64_of(params[0]["toBlock"], "to");
      json logs = chain_.logs(from, std::min(to, height()));
      if (behaviour_.lie) behaviour_.lie(logs);
      return logs;
    }
    if (method == "eth_getProof") {
      const auto number = *u64_of(params[2], "number");
      if (number > height() || number + behaviour_.keeps_states <= height()) {
        return refuse(-32000, "missing trie node");
      }
      json proof = chain_.proof(params[1], number);
      if (behaviour_.lie_of_state) behaviour_.lie_of_state(proof);
      return proof;
    }
    return refuse(-32601, "no such method");
  }

  Reply block(const std::string& which) const {
    if (which == "latest") return chain_.header(height());
    if (which == "finalized") {
      return chain_.header(height() - std::min(height(), behaviour_.final_depth));
    }
    const auto number = *quantity_of(which, "number");
    return number <= height() ? chain_.header(static_cast<std::uint64_t>(number)) : json();
  }

  std::string name_;
  const FakeChain& chain_;
  Behaviour& behaviour_;
};

}  // namespace bw::ledger_ethereum::testing
