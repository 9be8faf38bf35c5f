// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/endpoint.hpp"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ledger_ethereum/block_json.hpp"
#include "ledger_ethereum/endpoints.hpp"
#include "ledger_ethereum/json_values.hpp"
#include "net/loopback_testing.hpp"

namespace bw::ledger_ethereum {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

std::string zeros(std::size_t bytes) {
  return "0x" + std::string(2 * bytes, '0');
}
constexpr const char* kEmptyTrie =
    "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421";
constexpr const char* kNoUncles =
    "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347";

// The first block of Ethereum's main net.
json genesis() {
  return {{"hash", "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"},
          {"parentHash", zeros(32)},
          {"sha3Uncles", kNoUncles},
          {"miner", zeros(20)},
          {"stateRoot", "0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544"},
          {"transactionsRoot", kEmptyTrie},
          {"receiptsRoot", kEmptyTrie},
          {"logsBloom", zeros(256)},
          {"difficulty", "0x400000000"},
          {"number", "0x0"},
          {"gasLimit", "0x1388"},
          {"gasUsed", "0x0"},
          {"timestamp", "0x0"},
          {"extraData", "0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa"},
          {"mixHash", zeros(32)},
          {"nonce", "0x0000000000000042"}};
}

// One that anvil 1.7.1 made under the rules of Osaka.
json modern() {
  json block = genesis();
  block.update(
      {{"hash", "0xa5272f25a8ebaeee0df14e016f73cb7dddbbb6bb93dd885d8383ee530f2aa044"},
       {"parentHash", "0x61a1ea27c17f5dc72d3883ed22e7594ae245309d8ac3a2202f7a3ecb2efe7535"},
       {"stateRoot", "0x80abcafa60b2d273fa869f178ca69e8c20d331518933b539663983665cfac432"},
       {"difficulty", "0x0"},
       {"number", "0x2"},
       {"gasLimit", "0x1c9c380"},
       {"timestamp", "0x6b041bd9"},
       {"extraData", "0x"},
       {"mixHash", "0xb562b3764da38124c9984f8e65334aa5da0e206e9204a3aa7f207c0406fc8f33"},
       {"nonce", zeros(8)},
       {"baseFeePerGas", "0x342770c0"},
       {"withdrawalsRoot", kEmptyTrie},
       {"blobGasUsed", "0x0"},
       {"excessBlobGas", "0x0"},
       {"parentBeaconBlockRoot", zeros(32)},
       {"requestsHash", "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}});
  return block;
}

TEST(BlockJson, HeadersOfFirstAndLatestForkHaveTheirHash) {
  const auto first = read_block(genesis());
  ASSERT_TRUE(first.has_value()) << first.error().message;
  EXPECT_EQ(first->number, 0U);
  const auto latest = read_block(modern());
  ASSERT_TRUE(latest.has_value()) << latest.error().message;
  EXPECT_EQ(latest->number, 2U);
  EXPECT_EQ(latest->time, from_seconds(0x6b041bd9));
  EXPECT_EQ(to_data(latest->state_root.bytes), modern()["stateRoot"].get<std::string>());
}

// Whatever is altered, left out or of another form is noticed.
TEST(BlockJson, EveryFieldOfAHeaderCounts) {
  for (const auto& [name, value] : modern().items()) {
    json altered = modern();
    auto text = value.get<std::string>();
    text.back() = text.back() == 'x' ? '1' : text.back() == '0' ? '1' : '0';
    altered[name] = text;
    EXPECT_FALSE(read_block(altered).has_value()) << name;
    altered.erase(name);
    EXPECT_FALSE(read_block(altered).has_value()) << name;
    altered[name] = 7;
    EXPECT_EQ(read_block(altered).error().code, ErrorCode::kMalformed) << name;
  }
  json forged = modern();
  forged["stateRoot"] = kEmptyTrie;
  EXPECT_EQ(read_block(forged).error().code, ErrorCode::kFork);
  for (const json& none : {json(), json("0x"), json::array(), json::object()}) {
    EXPECT_EQ(read_block(none).error().code, ErrorCode::kMalformed);
  }
}

// Answers as the test says, and remembers what was asked.
class ScriptedRpc final : public Rpc {
 public:
  using Script = std::function<Result<Reply>(const std::string&, const json&)>;
  ScriptedRpc(std::string name, Script script)
      : name_(std::move(name)), script_(std::move(script)) {}
  net::Task<Result<Reply>> call(std::string method, json params) override {
    co_return script_(method, params);
  }
  net::Task<Result<std::vector<Reply>>> batch(std::vector<RpcCall> calls) override {
    std::vector<Reply> replies;
    for (const RpcCall& one : calls) {
      auto reply = script_(one.method, one.params);
      if (!reply) co_return fail(reply.error());
      replies.push_back(*std::move(reply));
    }
    co_return replies;
  }
  std::string name() const override { return name_; }

 private:
  std::string name_;
  Script script_;
};

std::unique_ptr<Endpoint> scripted(std::string name, ScriptedRpc::Script script) {
  return std::make_unique<Endpoint>(
      std::make_unique<ScriptedRpc>(std::move(name), std::move(script)));
}

constexpr Address kRegistry{1, 2, 3};

json log_of(std::uint64_t block, std::uint64_t index) {
  return {{"address", to_data(kRegistry)},
          {"data", "0x0102"},
          {"blockNumber", to_quantity(block)},
          {"logIndex", to_quantity(index)},
          {"blockHash", zeros(32)},
          {"transactionHash", zeros(32)},
          {"topics", json::array()}};
}

class EndpointTest : public ::testing::Test, public net::testing::Loop {
 protected:
  std::unique_ptr<Endpoint> that_answers(json answer) {
    return scripted("node", [answer](const std::string&, const json&) -> Result<Reply> {
      return Reply(answer);
    });
  }
  std::unique_ptr<Endpoint> that_refuses(std::string words, std::int64_t code = -32000,
                                         Bytes data = {}) {
    return scripted("node", [=](const std::string&, const json&) -> Result<Reply> {
      return Reply(tl::unexpected(RemoteError{code, words, data}));
    });
  }
  ErrorCode logs_error(json logs) {
    const auto page = run(that_answers(std::move(logs))->logs(kRegistry, 10, 20));
    return page ? ErrorCode::kInternal : page.error().code;
  }
};

TEST_F(EndpointTest, ShowsTheBlockThatWasAskedFor) {
  const auto endpoint = that_answers(modern());
  EXPECT_EQ(run(endpoint->block(BlockTag::kLatest))->number, 2U);
  EXPECT_EQ(run(endpoint->block(std::uint64_t{2}))->number, 2U);
  EXPECT_EQ(run(endpoint->block(std::uint64_t{3})).error().code, ErrorCode::kFork);
  EXPECT_EQ(run(endpoint->block(Hash{})).error().code, ErrorCode::kFork);
  EXPECT_EQ(run(that_answers(nullptr)->block(std::uint64_t{3})).error().code, ErrorCode::kNotFound);
  EXPECT_THAT(run(that_answers(json::array())->block(BlockTag::kLatest)).error().message,
              HasSubstr("node"));
}

TEST_F(EndpointTest, BlocksInARowAreAChain) {
  json second = modern();
  const auto repeated = scripted(
      "node", [&](const std::string&, const json&) -> Result<Reply> { return Reply(second); });
  EXPECT_EQ(run(repeated->blocks(2, 1))->size(), 1U);
  EXPECT_EQ(run(repeated->blocks(2, 2)).error().code, ErrorCode::kFork);
}

TEST_F(EndpointTest, LogsMustBeWhatWasAskedForInOrder) {
  EXPECT_EQ(logs_error(json::array({log_of(10, 0), log_of(10, 1), log_of(20, 0)})),
            ErrorCode::kInternal);
  EXPECT_EQ(logs_error(json::array({log_of(9, 0)})), ErrorCode::kFork);
  EXPECT_EQ(logs_error(json::array({log_of(21, 0)})), ErrorCode::kFork);
  EXPECT_EQ(logs_error(json::array({log_of(11, 0), log_of(10, 0)})), ErrorCode::kFork);
  EXPECT_EQ(logs_error(json::array({log_of(10, 1), log_of(10, 1)})), ErrorCode::kFork);
  json foreign = log_of(10, 0);
  foreign["address"] = zeros(20);
  EXPECT_EQ(logs_error(json::array({foreign})), ErrorCode::kFork);
  EXPECT_EQ(logs_error(json::object()), ErrorCode::kMalformed);
  EXPECT_EQ(logs_error(json::array({json::object()})), ErrorCode::kMalformed);
}

TEST_F(EndpointTest, AsksForFewerBlocksWhereTooManyAreRefused) {
  std::size_t asked = 0;
  const auto narrow = scripted("node", [&](const std::string&, const json& params) {
    ++asked;
    const auto from = read_u64(params[0], "fromBlock");
    const auto to = read_u64(params[0], "toBlock");
    if (*to - *from + 1 > 7) {
      return Result<Reply>(Reply(tl::unexpected(RemoteError{-32602, "range too wide", {}})));
    }
    return Result<Reply>(Reply(json::array({log_of(*to, 0)})));
  });
  std::uint64_t next = 1;
  std::size_t pages = 0;
  while (next <= 100) {
    const auto page = run(narrow->logs(kRegistry, next, 100));
    ASSERT_TRUE(page.has_value()) << page.error().message;
    ASSERT_GE(page->last, next);
    ASSERT_EQ(page->logs.size(), 1U);
    next = page->last + 1;
    ++pages;
  }
  EXPECT_EQ(next, 101U);
  EXPECT_LT(asked, 100U);
  EXPECT_GE(pages, 100U / 7);
  // Where even one block is refused, that is the answer.
  EXPECT_EQ(run(that_refuses("no")->logs(kRegistry, 1, 100)).error().code, ErrorCode::kDenied);
}

TEST_F(EndpointTest, TellsWhyTransactionsAndCallsAreRefused) {
  // As geth and EthereumJS say it.
  for (const char* words :
       {"Nonce too low", "already known", "0xab: this transaction is already in the TxPool",
        "replacement gas too low, got tip 1, min: 2"}) {
    EXPECT_EQ(run(that_refuses(words)->send_raw({})).error().code, ErrorCode::kConflict) << words;
  }
  EXPECT_EQ(run(that_refuses("insufficient funds")->send_raw({})).error().code, ErrorCode::kDenied);
  const auto reverted = run(that_refuses("execution reverted", 3, {1, 2, 3, 4})->call({}));
  ASSERT_TRUE(reverted.has_value());
  EXPECT_TRUE(reverted->reverted);
  EXPECT_EQ(reverted->output, (Bytes{1, 2, 3, 4}));
  EXPECT_FALSE(run(that_refuses("no such method", -32601)->call({})).has_value());
  EXPECT_FALSE(run(that_answers(nullptr)->receipt({}))->has_value());
  EXPECT_EQ(run(that_answers("0x10")->nonce(kRegistry, BlockTag::kPending)), 16U);
}

class FixedClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override { return from_seconds(1'800'000'000); }
};

class HangingRpc final : public Rpc {
 public:
  explicit HangingRpc(std::string name) : name_(std::move(name)) {}
  net::Task<Result<Reply>> call(std::string, json) override {
    co_await net::sleep_for(20s);
    co_return fail(ErrorCode::kUnavailable, "{}: timed out", name_);
  }
  net::Task<Result<std::vector<Reply>>> batch(std::vector<RpcCall>) override {
    co_await net::sleep_for(20s);
    co_return fail(ErrorCode::kUnavailable, "{}: timed out", name_);
  }
  std::string name() const override { return name_; }

 private:
  std::string name_;
};

class EndpointsTest : public EndpointTest {
 protected:
  void add(std::string name, ScriptedRpc::Script script) {
    all_.push_back(scripted(std::move(name), std::move(script)));
  }
  void add_unreachable(const std::string& name) {
    add(name, [this, name](const std::string&, const json&) -> Result<Reply> {
      ++asked_[name];
      return fail(ErrorCode::kUnavailable, "{}: gone", name);
    });
  }
  void add_good(const std::string& name, const std::string& answer) {
    add(name, [this, name, answer](const std::string&, const json&) -> Result<Reply> {
      ++asked_[name];
      return Reply(json(answer));
    });
  }
  // Answers when nobody waits any more.
  void add_hanging(const std::string& name) {
    all_.push_back(std::make_unique<Endpoint>(std::make_unique<HangingRpc>(name)));
  }
  Endpoints& set() {
    if (!set_) set_.emplace(std::move(all_), log_, clock_, EndpointsOptions{.grace = 1ms});
    return *set_;
  }

  FixedClock clock_;
  telemetry::Log log_{{.level = telemetry::Level::kError}};
  std::vector<std::unique_ptr<Endpoint>> all_;
  std::map<std::string, int> asked_;
  std::optional<Endpoints> set_;
};

TEST_F(EndpointsTest, TheNextAnswersWhereOneDoesNot) {
  add_unreachable("first");
  add_good("second", "0x7");
  EXPECT_EQ(run(set().chain_id()), 7U);
  EXPECT_EQ(run(set().chain_id()), 7U);
  EXPECT_EQ(asked_["first"], 1) << "asked again before its time";
  EXPECT_EQ(asked_["second"], 2);
  const auto status = set().status();
  EXPECT_FALSE(status[0].answers);
  EXPECT_THAT(status[0].trouble->message, HasSubstr("gone"));
}

TEST_F(EndpointsTest, WhoHangsIsOutrunByTheNextAndNamed) {
  add_hanging("hangs");
  add_unreachable("gone");
  add_good("good", "0x7");
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(run(set().chain_id()), 7U);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 10s);
  const auto status = set().status();
  EXPECT_FALSE(status[0].answers);
  ASSERT_TRUE(status[0].trouble.has_value());
  EXPECT_THAT(status[0].trouble->message, HasSubstr("hangs: has not answered"));
  EXPECT_FALSE(status[2].trouble.has_value());
  // It is asked after the others, but still asked; and a late answer clears it.
  Endpoint& last = *set().usable().back();
  EXPECT_EQ(last.name(), "hangs");
  set().answered(last, 5);
  EXPECT_FALSE(set().status()[0].trouble.has_value());
}

TEST_F(EndpointsTest, WhoHangsWhileAllAreAskedIsNamed) {
  add_hanging("hangs");
  add_good("good", zeros(32));
  EXPECT_EQ(run(set().send_raw({1})), Hash{});
  ASSERT_TRUE(set().status()[0].trouble.has_value());
  EXPECT_EQ(set().usable().back()->name(), "hangs");
}

TEST_F(EndpointsTest, NobodyAnswersSaysWhy) {
  add_unreachable("only");
  EXPECT_FALSE(run(set().chain_id()).has_value());
  const auto again = run(set().chain_id());
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(again.error().message, HasSubstr("only: gone"));
}

TEST_F(EndpointsTest, LiarsAreNamedAndAvoided) {
  add_good("liar", "0x1");
  add_good("honest", "0x2");
  Endpoint& liar = *set().usable().front();
  set().failed(liar, {ErrorCode::kFork, "it omits entry 3"});
  EXPECT_EQ(set().usable().size(), 1U);
  EXPECT_EQ(run(set().chain_id()), 2U);
  EXPECT_EQ(asked_["liar"], 0);
  set().answered(liar, 5);
  EXPECT_EQ(set().status()[0].lie->message, "it omits entry 3");
  EXPECT_EQ(set().status()[0].lied_at, clock_.now());
}

TEST_F(EndpointsTest, WhoIsLateOrDisagreesIsAskedAfterTheOthers) {
  for (const char* name : {"late", "other", "good", "better"}) add_good(name, "0x1");
  const auto all = set().usable();
  const auto order = [this] {
    std::string names;
    for (const Endpoint* one : set().usable()) names += one->name() + " ";
    return names;
  };
  EXPECT_EQ(order(), "late other good better ");
  for (Endpoint* one : all) set().answered(*one, one == all[0] ? 96 : 100);
  EXPECT_EQ(order(), "other good better late ");
  set().note_disagreement(*all[1], "block 7");
  EXPECT_EQ(order(), "good better late other ");
  set().answered(*all[0], 97);
  set().note_disagreement(*all[1], std::nullopt);
  EXPECT_EQ(order(), "late other good better ");
}

TEST_F(EndpointsTest, TransactionsGoToAll) {
  add_good("swallows", zeros(32));
  add_good("other", zeros(32));
  EXPECT_EQ(run(set().send_raw({1})), Hash{});
  EXPECT_EQ(asked_["swallows"], 1);
  EXPECT_EQ(asked_["other"], 1);
}

}  // namespace
}  // namespace bw::ledger_ethereum
