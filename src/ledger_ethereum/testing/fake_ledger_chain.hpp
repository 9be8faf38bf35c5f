// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "codec/reader.hpp"
#include "codec/rlp.hpp"
#include "codec/writer.hpp"
#include "crypto/ecdsa.hpp"
#include "crypto/keccak.hpp"
#include "evm/transaction.hpp"
#include "ledger/pending_state.hpp"
#include "ledger/testing/objects.hpp"
#include "ledger_ethereum/chain.hpp"
#include "ledger_ethereum/registry_log.hpp"

namespace bw::ledger_ethereum::testing {

// A chain in memory with a Registry on it that holds entries to the rules of admission: blocks when
// the test says so, a pool of transactions, fees, balances and reorganisations.
class FakeLedgerChain final : public Chain {
 public:
  FakeLedgerChain(Address registry, std::uint64_t chain_id, Time now);

  // What goes on. Times are 12 s apart.
  void mine(std::size_t blocks = 1);
  // The last blocks never were. Their transactions wait again, or are gone.
  void reorganise(std::size_t blocks, bool keep_transactions = true);
  void drop_pool() { pool_.clear(); }
  void fund(const Address& account, Wei amount) { funds_[account] += amount; }
  // A transaction of another program with the same key, as dear as can be. Mined next, in place of
  // one in the pool with this nonce.
  void take_nonce(const Address& account, std::uint64_t nonce);

  void forget_nonce(const Address& account, std::uint64_t nonce) { pool_.erase({account, nonce}); }
  // The next block begins with an entry that somebody else put.
  void put_by_others(Bytes object) { others_.push_back(std::move(object)); }

  Fees market{.base_fee = 10, .tip = 1};
  std::uint64_t block_gas = 60'000'000;
  std::size_t failing = 0;       // the next so many questions have no answer
  std::optional<Error> refuses;  // what every transaction is told
  bool swallows = false;         // takes transactions and forgets them
  bool burns = false;            // calls of the Registry fail

  // What is to be seen.
  [[nodiscard]] const std::vector<Bytes>& entries() const { return world_->entries; }
  [[nodiscard]] std::uint64_t height() const { return blocks_.size(); }
  [[nodiscard]] std::size_t waiting() const { return pool_.size(); }
  [[nodiscard]] std::size_t transactions() const;  // mined
  [[nodiscard]] std::size_t sent() const { return sent_; }
  [[nodiscard]] const Bytes& last_sent() const { return last_sent_; }
  // How often somebody asked for the number of blocks, with success or without.
  [[nodiscard]] std::size_t looks() const { return looks_; }
  [[nodiscard]] std::size_t receipts_asked() const { return receipts_asked_; }
  [[nodiscard]] std::uint64_t used(const Address& account) const;
  // Of the transaction in the pool.
  [[nodiscard]] std::optional<Wei> max_fee(const Address& account, std::uint64_t nonce) const;
  [[nodiscard]] const std::vector<std::size_t>& items_of_calls() const { return world_->items; }

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
  struct Transaction {
    Address from{};
    Address to{};
    std::uint64_t nonce = 0;
    std::uint64_t gas = 0;
    Wei max_fee = 0;
    Wei tip = 0;
    Bytes input;
    Hash hash;
    bool burnt = false;
  };
  using Key = std::pair<Address, std::uint64_t>;

  [[nodiscard]] Result<Transaction> read(ByteView raw) const;
  [[nodiscard]] Result<void> judge(const Transaction& transaction) const;
  [[nodiscard]] std::optional<Error> failure();
  [[nodiscard]] Transaction by_others(const Bytes& object) const;
  void add_block(std::vector<Transaction> transactions);
  void execute(const Transaction& transaction, Time now);
  void call_registry(const Transaction& transaction, Time now, Receipt& receipt);
  [[nodiscard]] Wei left(const Address& account) const;

  Address registry_;
  std::uint64_t chain_id_;
  Time start_;
  std::vector<std::vector<Transaction>> blocks_;
  std::map<Key, Transaction> pool_;
  std::map<Address, Wei> funds_;
  std::vector<Bytes> others_;
  std::size_t sent_ = 0;
  Bytes last_sent_;
  std::size_t looks_ = 0;
  std::size_t receipts_asked_ = 0;
  ledger::testing::EmptyState nothing_;

  // What the blocks make.
  struct World {
    explicit World(const ledger::StateView& nothing) : state(nothing) {}
    ledger::PendingState state;
    std::map<Address, std::uint64_t> nonces;
    std::map<Address, Wei> spent;
    std::map<Hash, Receipt> receipts;
    std::vector<Bytes> entries;
    std::vector<std::size_t> items;
    std::uint64_t height = 0;
  };
  std::optional<World> world_;
};

// The Registry's own judgement of one call.
class FakeRegistryCall {
 public:
  FakeRegistryCall(ledger::PendingState& state, Time now) : state_(state), now_(now) {}

  struct Item {
    Bytes object;
    Bytes evidence;
  };
  // Nothing when it is not framed as items.
  static std::optional<std::vector<Item>> items(ByteView input) {
    codec::Reader in(input);
    if (in.u8() != 2) return std::nullopt;
    std::vector<Item> items;
    while (in.ok() && in.remaining() != 0) {
      Item item;
      item.object = to_bytes(in.bytes(in.u16()));
      in.bytes(32);
      if (!item.object.empty() && item.object.front() == 3) {
        item.evidence = to_bytes(in.bytes(in.u16()));
      }
      items.push_back(std::move(item));
    }
    if (!in.ok()) return std::nullopt;
    return items;
  }

  // The rule that it breaks; empty: it was admitted.
  std::string_view put(const Item& item) {
    const auto object = wave::parse_object(item.object);
    if (!object) return "Truncated";
    if (const auto* revocation = std::get_if<wave::Signed<wave::Revocation>>(&*object)) {
      if (const auto rule = evidence(revocation->value, item.evidence); !rule.empty()) return rule;
    }
    const auto* dot = std::get_if<wave::Signed<wave::Dot>>(&*object);
    const bool again = dot && state_.dot_record(dot->id).value().has_value();
    if (again && dot->value.expires <= now_) return "Expired";
    if (!again) {
      if (const auto good = ledger::admissible(*object, state_, now_); !good) {
        return rule_of(wave::kind_of(*object), good.error().code);
      }
      BW_ASSERT(state_.add(*object).has_value());
    }
    if (dot) last_dot_ = dot->id;
    return {};
  }

 private:
  std::string_view evidence(const wave::Revocation& revocation, const Bytes& shown) const {
    if (revocation.target_kind == wave::Revocation::Target::kDot) {
      return shown.empty() && last_dot_ == revocation.dot() ? "" : "TargetUnknown";
    }
    const auto entity = state_.entity_record(revocation.entity()).value();
    if (!entity || revocation.revoker == revocation.entity()) return "";
    const auto& revokers = entity->object.value.revokers;
    Bytes expected;
    codec::Writer out(expected);
    out.u8(static_cast<std::uint8_t>(revokers.size()));
    for (const EntityKey& key : revokers) out.id(key);
    return shown == expected ? "" : "BadEvidence";
  }

  static std::string_view rule_of(wave::Kind kind, ErrorCode code) {
    const bool revocation = kind == wave::Kind::kRevocation;
    switch (code) {
      case ErrorCode::kExpired:
        return "Expired";
      case ErrorCode::kNotFound:
        return revocation ? "TargetUnknown" : "SignerUnknown";
      case ErrorCode::kRevoked:
        return "SignerRevoked";
      case ErrorCode::kDenied:
        return "NotEntitled";
      default:
        break;
    }
    if (kind == wave::Kind::kEntity) return "NotNewer";
    if (kind == wave::Kind::kAlias) return "AliasTaken";
    return revocation ? "TargetRevoked" : "NonceNotAbove";
  }

  ledger::PendingState& state_;
  Time now_;
  std::optional<ObjectId> last_dot_;
};

inline FakeLedgerChain::FakeLedgerChain(Address registry, std::uint64_t chain_id, Time now)
    : registry_(registry), chain_id_(chain_id), start_(now) {
  world_.emplace(nothing_);
}

inline Wei FakeLedgerChain::left(const Address& account) const {
  const auto funds = funds_.find(account);
  const auto spent = world_->spent.find(account);
  const Wei had = funds == funds_.end() ? 0 : funds->second;
  const Wei gone = spent == world_->spent.end() ? 0 : spent->second;
  return had > gone ? had - gone : 0;
}

inline std::uint64_t FakeLedgerChain::used(const Address& account) const {
  const auto found = world_->nonces.find(account);
  return found == world_->nonces.end() ? 0 : found->second;
}

inline void FakeLedgerChain::mine(std::size_t blocks) {
  for (; blocks != 0; --blocks) {
    std::vector<Transaction> taken;
    for (const Bytes& object : std::exchange(others_, {})) taken.push_back(by_others(object));
    std::uint64_t gas = 0;
    std::map<Address, std::uint64_t> next;
    for (const auto& [key, transaction] : pool_) {  // by account and nonce
      const auto [place, is_new] = next.try_emplace(key.first, used(key.first));
      if (key.second != place->second || transaction.max_fee < market.base_fee ||
          gas + transaction.gas > block_gas) {
        continue;
      }
      ++place->second;
      gas += transaction.gas;
      taken.push_back(transaction);
    }
    for (const Transaction& one : taken) pool_.erase({one.from, one.nonce});
    for (Transaction& one : taken) one.burnt = burns && one.to == registry_;
    add_block(std::move(taken));
  }
}

inline void FakeLedgerChain::add_block(std::vector<Transaction> transactions) {
  ++world_->height;
  for (const Transaction& one : transactions) {
    execute(one, start_ + 12s * static_cast<std::int64_t>(world_->height));
  }
  blocks_.push_back(std::move(transactions));
  std::erase_if(pool_, [&](const auto& one) { return one.first.second < used(one.first.first); });
}

inline void FakeLedgerChain::reorganise(std::size_t blocks, bool keep_transactions) {
  auto kept = std::move(blocks_);
  blocks_.clear();
  world_.emplace(nothing_);
  blocks = std::min(blocks, kept.size());
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (i + blocks < kept.size()) {
      add_block(std::move(kept[i]));
      continue;
    }
    for (Transaction& one : kept[i]) {
      if (keep_transactions) pool_.try_emplace({one.from, one.nonce}, std::move(one));
    }
  }
}

inline void FakeLedgerChain::execute(const Transaction& transaction, Time now) {
  world_->nonces[transaction.from] = transaction.nonce + 1;
  Receipt receipt{.succeeded = !transaction.burnt,
                  .block = world_->height,
                  .block_hash = {},
                  .gas_used = transaction.gas / 2,
                  .gas_price = transaction.max_fee,
                  .logs = {}};
  world_->spent[transaction.from] += receipt.gas_used * receipt.gas_price;
  if (transaction.to == registry_ && receipt.succeeded) call_registry(transaction, now, receipt);
  world_->receipts[transaction.hash] = std::move(receipt);
}

inline void FakeLedgerChain::call_registry(const Transaction& transaction, Time now,
                                           Receipt& receipt) {
  const auto items = FakeRegistryCall::items(transaction.input);
  if (!items) {
    receipt.succeeded = false;
    return;
  }
  world_->items.push_back(items->size());
  FakeRegistryCall call(world_->state, now);
  Bytes added;
  codec::Writer out(added);
  out.u40(world_->entries.size());
  for (std::size_t i = 0; i < items->size(); ++i) {
    const Bytes& object = (*items)[i].object;
    if (const auto rule = call.put((*items)[i]); !rule.empty()) {
      Hash item;
      item.bytes[31] = static_cast<std::uint8_t>(i);
      item.bytes[30] = static_cast<std::uint8_t>(i >> 8U);
      Bytes data(32);
      std::ranges::copy(selector_of(std::string(rule) + "()"), data.begin());
      receipt.logs.push_back(
          {.address = registry_,
           .topics = {crypto::keccak256(as_bytes("Rejected(uint256,bytes4)")), item},
           .data = std::move(data),
           .block = receipt.block,
           .index = 0,
           .block_hash = {},
           .transaction = transaction.hash});
      continue;
    }
    world_->entries.push_back(object);
    out.u16(static_cast<std::uint16_t>(object.size())).bytes(object);
  }
  if (added.size() == 5) return;
  receipt.logs.push_back({.address = registry_,
                          .topics = {},
                          .data = std::move(added),
                          .block = receipt.block,
                          .index = 0,
                          .block_hash = {},
                          .transaction = transaction.hash});
}

inline Result<FakeLedgerChain::Transaction> FakeLedgerChain::read(ByteView raw) const {
  const auto wei_of = [](const codec::RlpItem& item) {
    Wei wei = 0;
    for (const std::uint8_t byte : item.content) wei = wei << 8U | byte;
    return wei;
  };
  if (raw.empty() || raw.front() != 2) return fail(ErrorCode::kDenied, "no type-2 transaction");
  BW_TRY(const auto list, codec::parse_rlp(raw.subspan(1)));
  BW_TRY(const auto fields, codec::rlp_items(list, 12));
  Transaction transaction;
  BW_TRY(const std::uint64_t chain, codec::rlp_u64(fields.at(0)));
  if (chain != chain_id_) return fail(ErrorCode::kDenied, "invalid chain id for signer");
  BW_TRY(transaction.nonce, codec::rlp_u64(fields[1]));
  transaction.tip = wei_of(fields[2]);
  transaction.max_fee = wei_of(fields[3]);
  BW_TRY(transaction.gas, codec::rlp_u64(fields[4]));
  BW_TRY(transaction.to, codec::rlp_bytes<20>(fields[5]));
  transaction.input = to_bytes(fields[7].content);
  evm::Transaction unsigned_one{.chain_id = chain,
                                .nonce = transaction.nonce,
                                .max_tip = {},
                                .max_fee = {},
                                .gas_limit = transaction.gas,
                                .to = transaction.to,
                                .value = {},
                                .input = transaction.input};
  BW_TRY(unsigned_one.max_tip, codec::rlp_word(fields[2]));
  BW_TRY(unsigned_one.max_fee, codec::rlp_word(fields[3]));
  crypto::EcdsaSignature signature;
  signature.odd_y = !fields.at(9).content.empty();
  BW_TRY(signature.r, codec::rlp_word(fields[10]));
  BW_TRY(signature.s, codec::rlp_word(fields[11]));
  BW_TRY(transaction.from, crypto::recover_account(signature, evm::signing_hash(unsigned_one)));
  transaction.hash = crypto::keccak256(raw);
  return transaction;
}

// As Geth's pool does.
inline Result<void> FakeLedgerChain::judge(const Transaction& transaction) const {
  if (refuses) return fail(*refuses);
  if (transaction.nonce < used(transaction.from)) {
    return fail(ErrorCode::kConflict, "nonce too low");
  }
  if (transaction.tip > transaction.max_fee) return fail(ErrorCode::kDenied, "tip above fee cap");
  if (transaction.gas > 16'777'216) return fail(ErrorCode::kDenied, "gas limit too high");
  if (transaction.max_fee * transaction.gas > left(transaction.from)) {
    return fail(ErrorCode::kDenied, "insufficient funds for gas * price + value");
  }
  const auto there = pool_.find({transaction.from, transaction.nonce});
  if (there == pool_.end()) return {};
  const Transaction& other = there->second;
  if (other.hash == transaction.hash) return fail(ErrorCode::kConflict, "already known");
  if (transaction.max_fee * 10 < other.max_fee * 11 || transaction.tip * 10 < other.tip * 11) {
    return fail(ErrorCode::kConflict, "replacement transaction underpriced");
  }
  return {};
}

inline void FakeLedgerChain::take_nonce(const Address& account, std::uint64_t nonce) {
  Transaction other{.from = account,
                    .to = account,
                    .nonce = nonce,
                    .gas = 21'000,
                    .max_fee = Wei{1} << 60U,
                    .tip = Wei{1} << 60U,
                    .input = {},
                    .hash = crypto::keccak256(Bytes{static_cast<std::uint8_t>(nonce)})};
  funds_[account] += other.max_fee * other.gas;
  pool_[{account, nonce}] = std::move(other);
}

inline FakeLedgerChain::Transaction FakeLedgerChain::by_others(const Bytes& object) const {
  Bytes input{2};
  codec::Writer(input)
      .u16(static_cast<std::uint16_t>(object.size()))
      .bytes(object)
      .bytes(ByteArray<32>{});
  const Address other{0x99};
  return {.from = other,
          .to = registry_,
          .nonce = used(other),
          .gas = 100'000,
          .max_fee = 0,
          .tip = 0,
          .input = input,
          .hash = crypto::keccak256(input)};
}

inline std::size_t FakeLedgerChain::transactions() const {
  std::size_t count = 0;
  for (const auto& block : blocks_) count += block.size();
  return count;
}

inline std::optional<Wei> FakeLedgerChain::max_fee(const Address& account,
                                                   std::uint64_t nonce) const {
  const auto found = pool_.find({account, nonce});
  if (found == pool_.end()) return std::nullopt;
  return found->second.max_fee;
}

inline std::optional<Error> FakeLedgerChain::failure() {
  if (failing == 0) return std::nullopt;
  --failing;
  return Error{ErrorCode::kUnavailable, "endpoint a: connection refused"};
}

inline net::Task<Result<std::uint64_t>> FakeLedgerChain::chain_id() {
  co_return chain_id_;
}

inline net::Task<Result<std::uint64_t>> FakeLedgerChain::block_number() {
  ++looks_;
  if (auto why = failure()) co_return fail(*why);
  co_return blocks_.size();
}

inline net::Task<Result<std::uint64_t>> FakeLedgerChain::nonce(Address account, BlockTag tag) {
  if (auto why = failure()) co_return fail(*why);
  std::uint64_t next = used(account);
  while (tag == BlockTag::kPending && pool_.contains({account, next})) ++next;
  co_return next;
}

inline net::Task<Result<Fees>> FakeLedgerChain::fees() {
  if (auto why = failure()) co_return fail(*why);
  co_return market;
}

inline net::Task<Result<Wei>> FakeLedgerChain::balance(Address account) {
  if (auto why = failure()) co_return fail(*why);
  co_return left(account);
}

inline net::Task<Result<std::uint64_t>> FakeLedgerChain::estimate_gas(CallRequest) {
  co_return fail(ErrorCode::kUnsupported, "no estimates here");
}

inline net::Task<Result<CallOutcome>> FakeLedgerChain::call(CallRequest) {
  co_return fail(ErrorCode::kUnsupported, "no calls here");
}

inline net::Task<Result<Hash>> FakeLedgerChain::send_raw(Bytes raw) {
  if (auto why = failure()) co_return fail(*why);
  auto transaction = read(raw);
  if (!transaction) co_return fail(transaction.error());
  ++sent_;
  last_sent_ = raw;
  if (auto good = judge(*transaction); !good) co_return fail(good.error());
  const Hash hash = transaction->hash;
  const Key key{transaction->from, transaction->nonce};
  if (!swallows) pool_[key] = *std::move(transaction);
  co_return hash;
}

inline net::Task<Result<std::optional<Receipt>>> FakeLedgerChain::receipt(Hash transaction) {
  ++receipts_asked_;
  if (auto why = failure()) co_return fail(*why);
  const auto found = world_->receipts.find(transaction);
  if (found == world_->receipts.end()) co_return std::optional<Receipt>{};
  co_return std::optional(found->second);
}

inline net::Task<Result<Bytes>> FakeLedgerChain::code(Address) {
  co_return Bytes{1};
}

}  // namespace bw::ledger_ethereum::testing
