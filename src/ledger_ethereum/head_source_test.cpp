// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/head_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ledger_ethereum/block_json.hpp"
#include "ledger_ethereum/json_values.hpp"
#include "net/loopback_testing.hpp"

namespace bw::ledger_ethereum {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr std::uint64_t kStart = 1'700'000'000;

json header(std::uint64_t number, const std::string& parent, const std::string& extra) {
  const std::string zero = to_data(Hash{}.bytes);
  json block{{"parentHash", parent},
             {"sha3Uncles", zero},
             {"miner", to_data(Address{})},
             {"stateRoot", zero},
             {"transactionsRoot", zero},
             {"receiptsRoot", zero},
             {"logsBloom", to_data(Bytes(256))},
             {"difficulty", "0x0"},
             {"number", to_quantity(number)},
             {"gasLimit", "0x1"},
             {"gasUsed", "0x0"},
             {"timestamp", to_quantity(kStart + 12 * number)},
             {"extraData", extra},
             {"mixHash", zero},
             {"nonce", to_data(Bytes(8))}};
  block["hash"] = to_data(header_hash(block)->bytes);
  return block;
}

// Headers from number 0 on; with another mark from `fork` on they are another chain.
std::vector<json> chain_of(std::size_t length, std::size_t fork = 1'000'000) {
  std::vector<json> blocks;
  for (std::size_t i = 0; i < length; ++i) {
    const std::string parent =
        i == 0 ? to_data(Hash{}.bytes) : blocks.back()["hash"].get<std::string>();
    blocks.push_back(header(i, parent, i < fork ? "0x" : "0x66"));
  }
  return blocks;
}

Hash hash_at(const std::vector<json>& chain, std::size_t number) {
  return *read_hash(chain[number], "hash");
}

class HeaderRpc final : public Rpc {
 public:
  HeaderRpc(std::string name, const std::vector<json>& chain)
      : name_(std::move(name)), chain_(chain) {}
  net::Task<Result<Reply>> call(std::string method, json params) override {
    co_return answer(method, params);
  }
  net::Task<Result<std::vector<Reply>>> batch(std::vector<RpcCall> calls) override {
    std::vector<Reply> replies;
    for (const RpcCall& one : calls) replies.push_back(answer(one.method, one.params));
    co_return replies;
  }
  std::string name() const override { return name_; }

 private:
  Reply answer(const std::string& method, const json& params) const {
    if (method != "eth_getBlockByNumber") return tl::unexpected(RemoteError{-32601, "no", {}});
    const auto which = params[0].get<std::string>();
    if (which == "latest") return chain_.back();
    if (which == "finalized") return chain_[chain_.size() - 3];
    const auto number = u64_of(params[0], "n");
    return *number < chain_.size() ? chain_[*number] : json();
  }

  std::string name_;
  const std::vector<json>& chain_;
};

class LateClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override { return from_seconds(kStart + 100'000); }
};

class HeadSourceTest : public ::testing::Test, public net::testing::Loop {
 protected:
  // Endpoints a, b, c, ... that show these chains.
  HeadSource& source(const std::vector<const std::vector<json>*>& shown, TrustPolicy policy = {}) {
    std::vector<std::unique_ptr<Endpoint>> all;
    for (const auto* chain : shown) {
      all.push_back(std::make_unique<Endpoint>(std::make_unique<HeaderRpc>(
          std::string(1, static_cast<char>('a' + all.size())), *chain)));
    }
    endpoints_.emplace(std::move(all), log_, clock_, EndpointsOptions{.grace = 1ms});
    return source_.emplace(*endpoints_, clock_, policy);
  }

  LateClock clock_;
  telemetry::Log log_{{.level = telemetry::Level::kError, .limited_per_second = 0.001}};
  std::vector<json> honest_ = chain_of(350);
  std::vector<json> forked_ = chain_of(350, 340);
  std::optional<Endpoints> endpoints_;
  std::optional<HeadSource> source_;
};

TEST_F(HeadSourceTest, OneEndpointIsBelieved) {
  const auto head = run(source({&honest_}).latest());
  ASSERT_TRUE(head.has_value()) << head.error().message;
  EXPECT_EQ(head->block.hash, hash_at(honest_, 349));
  EXPECT_EQ(head->agreeing.size(), 1U);
}

TEST_F(HeadSourceTest, OneWordAgainstAnotherIsThatOfTheFirst) {
  EXPECT_EQ(run(source({&honest_, &forked_}).latest())->block.hash, hash_at(honest_, 349));
  EXPECT_TRUE(endpoints_->status()[1].disagrees.has_value());
  EXPECT_EQ(run(source({&forked_, &honest_}).latest())->block.hash, hash_at(forked_, 349));
  EXPECT_TRUE(endpoints_->status()[1].disagrees.has_value());
}

TEST_F(HeadSourceTest, BlocksThatDoNotJoinAreALie) {
  auto broken = honest_;
  broken[345] = forked_[345];
  source({&broken});
  const auto shown = run(endpoints_->usable().front()->blocks(340, 10));
  ASSERT_FALSE(shown.has_value());
  EXPECT_EQ(shown.error().code, ErrorCode::kFork);
}

TEST_F(HeadSourceTest, TheMajorityIsBelievedAndTheOtherNamed) {
  const auto head =
      run(source({&forked_, &honest_, &honest_}, {.agree = 2, .checkpoint = {}}).latest());
  ASSERT_TRUE(head.has_value()) << head.error().message;
  EXPECT_EQ(head->block.hash, hash_at(honest_, 349));
  EXPECT_EQ(head->agreeing.size(), 2U);
  const auto status = endpoints_->status();
  ASSERT_TRUE(status[0].disagrees.has_value());
  EXPECT_THAT(*status[0].disagrees, HasSubstr("349"));
  EXPECT_FALSE(status[1].disagrees.has_value());
}

TEST_F(HeadSourceTest, OneThatIsAheadAloneIsNotBelieved) {
  const auto longer = chain_of(400, 345);
  const auto head =
      run(source({&longer, &honest_, &honest_}, {.agree = 2, .checkpoint = {}}).latest());
  ASSERT_TRUE(head.has_value()) << head.error().message;
  EXPECT_EQ(head->block.hash, hash_at(honest_, 349));
  EXPECT_TRUE(endpoints_->status()[0].disagrees.has_value());
}

TEST_F(HeadSourceTest, AForkThatIsShorterIsNamedAndWhoIsOnlyLateIsNot) {
  const auto shorter = chain_of(345, 340);
  const auto late = chain_of(345);
  EXPECT_TRUE(run(source({&shorter, &late, &honest_}).latest()).has_value());
  const auto status = endpoints_->status();
  ASSERT_TRUE(status[0].disagrees.has_value());
  EXPECT_THAT(*status[0].disagrees, HasSubstr("344"));
  EXPECT_FALSE(status[1].disagrees.has_value());
  // Neither is asked before the one that is neither.
  EXPECT_EQ(endpoints_->usable().front()->name(), "c");
}

TEST_F(HeadSourceTest, NothingIsBelievedWithoutAgreement) {
  const auto other = chain_of(350, 330);
  const auto head =
      run(source({&forked_, &honest_, &other}, {.agree = 2, .checkpoint = {}}).latest());
  ASSERT_FALSE(head.has_value());
  EXPECT_EQ(head.error().code, ErrorCode::kFork);
  const auto few = run(source({&honest_}, {.agree = 2, .checkpoint = {}}).latest());
  EXPECT_EQ(few.error().code, ErrorCode::kUnavailable);
}

TEST_F(HeadSourceTest, BlocksBelowAreThoseThatTheHeadRestsOn) {
  auto& from = source({&forked_, &honest_}, {.agree = 1, .checkpoint = {}});
  const Block head = *read_block(honest_.back());
  // The first is asked first, and shows another chain.
  const auto near = run(from.at(345, head));
  ASSERT_TRUE(near.has_value()) << near.error().message;
  EXPECT_EQ(near->hash, hash_at(honest_, 345));
  EXPECT_EQ(run(from.at(10, head))->hash, hash_at(honest_, 10));
  EXPECT_EQ(run(from.finalized(head))->hash, hash_at(honest_, 347));
  EXPECT_EQ(run(from.at(350, head)).error().code, ErrorCode::kNotFound);
}

TEST_F(HeadSourceTest, AHeadMustDescendFromTheCheckpoint) {
  const Checkpoint below{.number = 20, .hash = hash_at(honest_, 20)};
  auto& from = source({&honest_}, {.agree = 1, .checkpoint = below});
  EXPECT_TRUE(run(from.latest()).has_value());
  // A reorganisation above it is followed.
  honest_ = chain_of(352, 330);
  const auto moved = run(from.latest());
  ASSERT_TRUE(moved.has_value()) << moved.error().message;
  EXPECT_EQ(moved->block.hash, hash_at(honest_, 351));

  const Checkpoint other{.number = 345, .hash = hash_at(forked_, 345)};
  const auto none = run(source({&honest_}, {.agree = 1, .checkpoint = other}).latest());
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, ErrorCode::kFork);
  EXPECT_THAT(endpoints_->status()[0].lie->message, HasSubstr("checkpoint 345"));
}

TEST_F(HeadSourceTest, WhoDoesNotShowAHeadIsNotBlamedForIt) {
  const Checkpoint agreed{.number = 345, .hash = hash_at(honest_, 345)};
  auto& from = source({&forked_, &honest_}, {.agree = 1, .checkpoint = agreed});
  EXPECT_EQ(run(from.latest()).error().code, ErrorCode::kFork);
  EXPECT_THAT(endpoints_->status()[0].lie->message, HasSubstr("checkpoint 345"));
  EXPECT_FALSE(endpoints_->status()[1].lie.has_value());
  // The first is avoided from now on.
  EXPECT_EQ(run(from.latest())->block.hash, hash_at(honest_, 349));
}

TEST_F(HeadSourceTest, HeadsOfTheFutureAreLies) {
  const auto future = chain_of(9000);
  const auto head = run(source({&future, &honest_}).latest());
  ASSERT_TRUE(head.has_value()) << head.error().message;
  EXPECT_EQ(head->block.hash, hash_at(honest_, 349));
  EXPECT_TRUE(endpoints_->status()[0].lie.has_value());
}

}  // namespace
}  // namespace bw::ledger_ethereum
