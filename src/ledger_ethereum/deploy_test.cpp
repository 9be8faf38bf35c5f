// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/deploy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/ecdsa.hpp"
#include "evm/transaction.hpp"
#include "net/loopback_testing.hpp"

namespace bw::ledger_ethereum {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

constexpr Wei kGwei = 1'000'000'000;
constexpr Wei kCoin = kGwei * kGwei;

crypto::SigningKey payer() {
  crypto::Secret<32> secret;
  secret.writable()[31] = 7;
  return *crypto::SigningKey::from_secret(secret.view());
}

// Mines what it is sent into block 100, at the next question for a receipt.
class OneBlockChain final : public Chain {
 public:
  net::Task<Result<std::uint64_t>> chain_id() override { co_return id; }
  net::Task<Result<std::uint64_t>> block_number() override { co_return head++; }
  net::Task<Result<std::uint64_t>> nonce(Address, BlockTag) override { co_return used; }
  net::Task<Result<Fees>> fees() override { co_return market; }
  net::Task<Result<Wei>> balance(Address) override { co_return funds; }
  net::Task<Result<std::uint64_t>> estimate_gas(CallRequest) override { co_return estimate; }
  net::Task<Result<CallOutcome>> call(CallRequest) override { co_return CallOutcome{}; }
  net::Task<Result<Hash>> send_raw(Bytes transaction) override {
    if (refusal) co_return fail(*refusal);
    sent.push_back(std::move(transaction));
    co_return Hash{};
  }
  net::Task<Result<std::optional<Receipt>>> receipt(Hash) override {
    Receipt out;
    out.succeeded = succeeds;
    out.block = 100;
    co_return out;
  }
  net::Task<Result<Bytes>> code(Address) override { co_return Bytes{1, 2, 3}; }

  std::uint64_t id = 31337;
  std::uint64_t head = 100;
  std::uint64_t used = 5;
  Fees market{.base_fee = 10 * kGwei, .tip = kGwei};
  Wei funds = 10 * kCoin;
  Result<std::uint64_t> estimate = std::uint64_t{4'000'000};
  std::optional<Error> refusal;
  bool succeeds = true;
  std::vector<Bytes> sent;
};

class DeployTest : public ::testing::Test, public net::testing::Loop {
 protected:
  PayOptions options(std::uint64_t confirmations = 1) {
    return {.max_fee = 100 * kGwei,
            .confirmations = confirmations,
            .patience = 5s,
            .tell = [this](const std::string& text) { told.push_back(text); }};
  }
  Error deploy_failure() {
    const auto network = run(deploy(chain, payer(), "test", options()));
    return network ? Error{} : network.error();
  }

  OneBlockChain chain;
  std::vector<std::string> told;
};

TEST_F(DeployTest, NothingIsSentThatCannotBePaid) {
  chain.funds = kCoin / 1000;
  const Error poor = deploy_failure();
  EXPECT_EQ(poor.code, ErrorCode::kLimited);
  EXPECT_THAT(poor.message, HasSubstr("balance"));
  chain.funds = 10 * kCoin;
  chain.market.base_fee = 101 * kGwei;
  EXPECT_EQ(deploy_failure().code, ErrorCode::kLimited);
  EXPECT_TRUE(chain.sent.empty());
}

TEST_F(DeployTest, SaysWhatItDoesAndCostsBeforeItSends) {
  deploy_failure();
  EXPECT_EQ(chain.sent.size(), 1U);
  EXPECT_THAT(told, Contains(HasSubstr("31337")));
  EXPECT_THAT(told.front(), HasSubstr("21 gwei"));
  EXPECT_THAT(told.front(), HasSubstr("gas"));
}

TEST_F(DeployTest, AsksForLittleMoreGasThanIsEstimated) {
  deploy_failure();
  EXPECT_THAT(told, Contains(HasSubstr("up to 4400000 gas")));
  told.clear();
  chain.estimate = std::uint64_t{16'000'000};
  deploy_failure();
  EXPECT_THAT(told, Contains(HasSubstr("up to 16777216 gas")));
}

TEST_F(DeployTest, WhatNoEndpointWouldTakeIsNotSent) {
  chain.estimate = fail(ErrorCode::kDenied, "node refuses: max code size exceeded (-32000)");
  const Error refused = deploy_failure();
  EXPECT_EQ(refused.code, ErrorCode::kDenied);
  EXPECT_THAT(refused.message, HasSubstr("cannot estimate the gas: node refuses: max code size"));
  chain.estimate = std::uint64_t{20'000'000};
  EXPECT_EQ(deploy_failure().code, ErrorCode::kDenied);
  EXPECT_TRUE(chain.sent.empty());
}

TEST_F(DeployTest, CodeThatIsNotWhatWasDeployedIsRefused) {
  const Error wrong = deploy_failure();
  EXPECT_EQ(wrong.code, ErrorCode::kCorrupt);
  EXPECT_THAT(wrong.message, HasSubstr("not what was deployed"));
}

TEST_F(DeployTest, RefusalsAndRevertsAreErrors) {
  chain.refusal = Error{ErrorCode::kDenied, "the endpoint refuses"};
  EXPECT_EQ(deploy_failure(), *chain.refusal);
  chain.refusal.reset();
  chain.succeeds = false;
  EXPECT_EQ(deploy_failure().code, ErrorCode::kDenied);
}

TEST_F(DeployTest, PayingWaitsForItsConfirmations) {
  chain.head = 99;
  const auto paid = run(pay(chain, payer(), Address{}, kCoin, options(3)));
  ASSERT_TRUE(paid.has_value()) << paid.error().message;
  EXPECT_GE(chain.head, 102U);
  EXPECT_THAT(told, Contains(HasSubstr("waiting for 2")));
}

TEST_F(DeployTest, WhatIsPaidCountsAgainstTheBalance) {
  const auto paid = run(pay(chain, payer(), Address{}, chain.funds, options()));
  ASSERT_FALSE(paid.has_value());
  EXPECT_EQ(paid.error().code, ErrorCode::kLimited);
}

}  // namespace
}  // namespace bw::ledger_ethereum
