// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/fee_policy.hpp"

#include <algorithm>

namespace bw::ledger_ethereum {
namespace {

constexpr Wei kMostWei = ~Wei{0};
constexpr Wei kGwei = 1'000'000'000;

Wei sum(Wei a, Wei b) {
  return a > kMostWei - b ? kMostWei : a + b;
}

// By an eighth, rounded up, and by one at least.
Wei eighth_above(Wei amount) {
  return sum(amount, std::max<Wei>(1, amount / 8 + (amount % 8 == 0 ? 0 : 1)));
}

std::string digits(Wei number) {
  std::string text;
  do {
    text.push_back(static_cast<char>('0' + static_cast<int>(number % 10)));
    number /= 10;
  } while (number != 0);
  std::ranges::reverse(text);
  return text;
}

// `unit` is at least 10^6.
std::string in_units(Wei amount, Wei unit) {
  std::string text = digits(amount / unit);
  std::string parts = digits(amount % unit / (unit / 1'000'000));
  parts.insert(0, 6 - parts.size(), '0');
  while (!parts.empty() && parts.back() == '0') parts.pop_back();
  return parts.empty() ? text : text + "." + parts;
}

}  // namespace

Result<Price> price_for(const Fees& fees, Wei cap) {
  if (fees.base_fee > cap) {
    return fail(
        ErrorCode::kLimited,
        "fees: the chain asks for {} for each unit of gas, max_fee allows {}; waiting until "
        "it asks for less",
        in_gwei(fees.base_fee), in_gwei(cap));
  }
  const Wei wanted = sum(sum(fees.base_fee, fees.base_fee), fees.tip);
  const Wei max_fee = std::min(wanted, cap);
  return Price{.max_fee = max_fee, .tip = std::min(fees.tip, max_fee)};
}

Result<Price> raised(const Price& offered, const Fees& fees, Wei cap) {
  BW_TRY(const Price wanted, price_for(fees, cap));
  const Price least{.max_fee = eighth_above(offered.max_fee), .tip = eighth_above(offered.tip)};
  if (least.max_fee > cap) {
    return fail(ErrorCode::kLimited,
                "fees: a transaction is stuck at {} for each unit of gas, max_fee allows no more "
                "than {}; waiting",
                in_gwei(offered.max_fee), in_gwei(cap));
  }
  const Wei max_fee = std::max(wanted.max_fee, least.max_fee);
  return Price{.max_fee = max_fee, .tip = std::min(std::max(wanted.tip, least.tip), max_fee)};
}

std::string in_gwei(Wei amount) {
  return in_units(amount, kGwei) + " gwei";
}

std::string in_coins(Wei amount) {
  return in_units(amount, kGwei * kGwei) + " ETH";
}

}  // namespace bw::ledger_ethereum
