// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/fee_policy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace bw::ledger_ethereum {
namespace {

using ::testing::HasSubstr;

constexpr Wei kGwei = 1'000'000'000;

TEST(FeePolicy, OffersTwiceTheBaseFeeAndTheTip) {
  EXPECT_EQ(price_for({.base_fee = 10 * kGwei, .tip = 2 * kGwei}, 100 * kGwei),
            (Price{.max_fee = 22 * kGwei, .tip = 2 * kGwei}));
  EXPECT_EQ(price_for({.base_fee = 0, .tip = 0}, kGwei), (Price{.max_fee = 0, .tip = 0}));
}

TEST(FeePolicy, OffersNoMoreThanTheCap) {
  EXPECT_EQ(price_for({.base_fee = 80 * kGwei, .tip = kGwei}, 100 * kGwei),
            (Price{.max_fee = 100 * kGwei, .tip = kGwei}));
  EXPECT_EQ(price_for({.base_fee = kGwei, .tip = 9 * kGwei}, 3 * kGwei),
            (Price{.max_fee = 3 * kGwei, .tip = 3 * kGwei}));
  EXPECT_EQ(price_for({.base_fee = kGwei, .tip = 0}, kGwei)->max_fee, kGwei);
}

TEST(FeePolicy, SaysWhenTheCapPreventsSending) {
  const auto refused = price_for({.base_fee = 120 * kGwei + kGwei / 2, .tip = 0}, 100 * kGwei);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kLimited);
  EXPECT_THAT(refused.error().message, HasSubstr("120.5 gwei"));
  EXPECT_THAT(refused.error().message, HasSubstr("100 gwei"));
}

TEST(FeePolicy, RaisesBothByAnEighthAtLeast) {
  const Fees calm{.base_fee = 10 * kGwei, .tip = kGwei};
  EXPECT_EQ(raised({.max_fee = 80 * kGwei, .tip = 8 * kGwei}, calm, 100 * kGwei),
            (Price{.max_fee = 90 * kGwei, .tip = 9 * kGwei}));
  EXPECT_EQ(raised({.max_fee = 9, .tip = 1}, {.base_fee = 0, .tip = 0}, kGwei),
            (Price{.max_fee = 11, .tip = 2}));
  EXPECT_EQ(raised({.max_fee = 0, .tip = 0}, {.base_fee = 0, .tip = 0}, kGwei),
            (Price{.max_fee = 1, .tip = 1}));
  EXPECT_EQ(raised({.max_fee = 90 * kGwei, .tip = 0}, calm, 100 * kGwei).error().code,
            ErrorCode::kLimited);
}

TEST(FeePolicy, RaisesToWhatTheChainAsksNow) {
  EXPECT_EQ(raised({.max_fee = 20 * kGwei, .tip = kGwei},
                   {.base_fee = 40 * kGwei, .tip = 3 * kGwei}, 100 * kGwei),
            (Price{.max_fee = 83 * kGwei, .tip = 3 * kGwei}));
}

RC_GTEST_PROP(FeePolicyProperty, NeverAboveTheCapAndAlwaysAReplacement,
              (std::uint64_t base, std::uint64_t tip, std::uint64_t cap, unsigned shift)) {
  const unsigned up = shift % 64;  // whatever an endpoint says, up to 2^128
  const Fees fees{.base_fee = Wei{base} << up, .tip = Wei{tip} << up};
  const Wei most = Wei{cap} << up;
  auto price = price_for(fees, most);
  if (!price) RC_ASSERT(fees.base_fee > most);
  for (int i = 0; price && i < 30; ++i) {
    RC_ASSERT(price->max_fee <= most);
    RC_ASSERT(price->tip <= price->max_fee);
    RC_ASSERT(price->max_fee >= fees.base_fee);
    const auto next = raised(*price, fees, most);
    if (next) {
      RC_ASSERT(next->max_fee - price->max_fee >= price->max_fee / 8);
      RC_ASSERT(next->tip - price->tip >= price->tip / 8);
      RC_ASSERT(next->max_fee > price->max_fee && next->tip > price->tip);
    }
    price = next;
  }
}

TEST(FeePolicy, WritesAmountsForPeople) {
  EXPECT_EQ(in_gwei(0), "0 gwei");
  EXPECT_EQ(in_gwei(1'500'000'000), "1.5 gwei");
  EXPECT_EQ(in_gwei(1'000), "0.000001 gwei");
  EXPECT_EQ(in_coins(kGwei * kGwei * 12), "12 ETH");
  EXPECT_EQ(in_coins(kGwei * kGwei / 25), "0.04 ETH");
  EXPECT_EQ(in_coins(1), "0 ETH");
}

}  // namespace
}  // namespace bw::ledger_ethereum
