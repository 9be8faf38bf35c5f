// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/submitter_flight.hpp"

#include <algorithm>
#include <ranges>

#include "base/check.hpp"
#include "ledger_ethereum/submitter_receipt.hpp"

namespace bw::ledger_ethereum {
namespace {

// Each an eighth dearer: a hundredfold.
constexpr std::size_t kMostVersions = 40;
constexpr std::uint64_t kTransferGas = 21'000;
// Blocks for which a receipt may be late where endpoints differ.
constexpr std::uint64_t kLateBlocks = 2;

tl::unexpected<Trouble> trouble(TroubleKind kind, Error error) {
  return tl::unexpected(Trouble{.kind = kind, .error = std::move(error)});
}

bool is_unmined(const Sent& sent) {
  return !sent.block;
}

// What an endpoint's error means for a transaction that is sent.
tl::unexpected<Trouble> not_taken(Error why) {
  if (why.code != ErrorCode::kDenied) return trouble(TroubleKind::kUnreachable, std::move(why));
  why.message = "transaction not taken: " + why.message;
  return trouble(TroubleKind::kRefused, std::move(why));
}

}  // namespace

Flight::Flight(Chain& chain, Wallet wallet, const SubmitterOptions& options)
    : chain_(chain), wallet_(std::move(wallet)), options_(options) {}

net::Task<Progress> Flight::look() {
  const auto head = co_await chain_.block_number();
  if (!head) co_return trouble(TroubleKind::kUnreachable, head.error());
  const auto mined = co_await chain_.nonce(account(), BlockTag::kLatest);
  if (!mined) co_return trouble(TroubleKind::kUnreachable, mined.error());
  const auto pending = co_await chain_.nonce(account(), BlockTag::kPending);
  if (!pending) co_return trouble(TroubleKind::kUnreachable, pending.error());
  const auto fees = co_await chain_.fees();
  if (!fees) co_return trouble(TroubleKind::kUnreachable, fees.error());
  const auto balance = co_await chain_.balance(account());
  if (!balance) co_return trouble(TroubleKind::kUnreachable, balance.error());
  head_ = *head;
  mined_ = *mined;
  pending_ = *pending;
  fees_ = *fees;
  balance_ = *balance;
  co_return Progress{};
}

net::Task<Result<std::optional<Receipt>>> Flight::find(const Sent& sent) {
  for (const Hash& hash : std::views::reverse(sent.hashes)) {
    auto receipt = co_await chain_.receipt(hash);
    if (!receipt || *receipt) co_return receipt;
  }
  co_return std::optional<Receipt>{};
}

net::Task<Flight::Followed> Flight::follow() {
  Followed followed;
  for (auto next = sent_.begin(); next != sent_.end();) {
    const auto place = next++;
    if (place->nonce >= mined_) {
      if (place->block) {
        ++counts_.withdrawn;
        place->block.reset();
        place->accepted = false;
      }
      place->missing_since.reset();
      continue;
    }
    // Nothing new to learn of it before it is due: it is in some block, as its nonce is used up.
    if (place->block && *place->block + options_.confirmations > head_ + 1) continue;
    followed.progress = co_await follow_used(place, followed);
    if (!followed.progress) break;
  }
  co_return followed;
}

// Precondition: the nonce is used up, by this or something else.
net::Task<Progress> Flight::follow_used(Place place, Followed& followed) {
  const auto receipt = co_await find(*place);
  if (!receipt) co_return trouble(TroubleKind::kUnreachable, receipt.error());
  if (!*receipt) {
    place->block.reset();
    if (!place->missing_since) place->missing_since = head_;
    if (head_ >= *place->missing_since + kLateBlocks) {
      ++counts_.lost;
      followed.lost.push_back(std::move(*place));
      sent_.erase(place);
    }
    co_return Progress{};
  }
  place->missing_since.reset();
  place->block = (**receipt).block;
  if (*place->block + options_.confirmations > head_ + 1) co_return Progress{};
  Flight::Landed landed{.sent = {}, .succeeded = (**receipt).succeeded, .outcomes = {}};
  if (place->call && landed.succeeded) {
    auto outcomes = read_outcomes(place->call->objects(), options_.registry, **receipt);
    if (!outcomes) co_return trouble(TroubleKind::kUnreachable, outcomes.error());
    landed.outcomes = *std::move(outcomes);
  }
  landed.sent = std::move(*place);
  followed.landed.push_back(std::move(landed));
  sent_.erase(place);
  co_return Progress{};
}

net::Task<Progress> Flight::keep_going() {
  auto filled = co_await fill_gap();
  if (!filled) co_return filled;
  Progress progress;
  for (Sent& sent : sent_) {
    if (!is_unmined(sent) || sent.nonce < mined_) continue;
    auto pushed = co_await push(sent, sent.nonce == mined_);
    if (!pushed && progress) progress = std::move(pushed);
    if (!sent.accepted) break;  // what comes after it would only wait for it
  }
  co_return progress;
}

net::Task<Progress> Flight::push(Sent& sent, bool is_next) {
  if (!sent.accepted) {
    const auto wanted = price();
    if (!wanted) co_return trouble(TroubleKind::kFees, wanted.error());
    if (wanted->max_fee > sent.price.max_fee) try_to_raise(sent);
    co_return co_await hand_in(sent);
  }
  Progress obstacle;
  if (is_next && fees_.base_fee > sent.price.max_fee) {
    if (auto dearer = better_price(sent); !dearer) obstacle = tl::unexpected(dearer.error());
  }
  sent.sent_at = std::min(sent.sent_at, head_);
  if (head_ < sent.sent_at + options_.stuck_blocks) co_return obstacle;
  // What is not next waits for the one before it, whatever it offers; but it may have been dropped.
  if (is_next) try_to_raise(sent);
  ++counts_.resent;
  if (auto handed_in = co_await hand_in(sent); !handed_in) co_return handed_in;
  co_return obstacle;
}

Result<Price, Trouble> Flight::better_price(const Sent& sent) const {
  const auto price = raised(sent.price, fees_, options_.max_fee);
  if (!price) return trouble(TroubleKind::kFees, price.error());
  const Wei more = (price->max_fee - sent.price.max_fee) * sent.gas;
  if (reserved() + more <= balance_) return *price;
  return trouble(TroubleKind::kBalance,
                 {ErrorCode::kLimited,
                  fmt::format("balance: {} has {}, and a stuck transaction needs {} more to be "
                              "replaced; fund the account",
                              evm::to_text(account()), in_coins(balance_), in_coins(more))});
}

void Flight::try_to_raise(Sent& sent) {
  const auto price = better_price(sent);
  if (!price || sent.hashes.size() >= kMostVersions) return;
  sign(sent, *price);
  ++counts_.replaced;
}

void Flight::sign(Sent& sent, const Price& price) {
  sent.price = price;
  auto made = wallet_.sign({.to = sent.call ? options_.registry : account(),
                            .nonce = sent.nonce,
                            .gas = sent.gas,
                            .price = price,
                            .input = sent.call ? sent.call->input() : Bytes{}});
  sent.bytes = std::move(made.bytes);
  sent.hashes.push_back(made.hash);
}

net::Task<Progress> Flight::hand_in(Sent& sent) {
  const auto taken = co_await chain_.send_raw(sent.bytes);
  // A conflict: it is known, or the nonce is used, by this or something else, which shows later.
  if (!taken && taken.error().code != ErrorCode::kConflict) co_return not_taken(taken.error());
  sent.accepted = true;
  sent.sent_at = head_;
  co_return Progress{};
}

// A nonce before ours that somebody else with this key took, a former run of this program, say, and
// whose transaction went lost or is stuck, holds up all that follow.
net::Task<Progress> Flight::fill_gap() {
  const auto first = std::ranges::find_if(
      sent_, [this](const Sent& one) { return is_unmined(one) && one.nonce >= mined_; });
  if (first == sent_.end() || first->nonce == mined_) {
    gap_.reset();
    co_return Progress{};
  }
  if (!gap_ || gap_->nonce != mined_) gap_ = Gap{.nonce = mined_, .since = head_};
  gap_->since = std::min(gap_->since, head_);
  if (head_ < gap_->since + options_.stuck_blocks) co_return Progress{};
  const auto offer = price();
  if (!offer) co_return trouble(TroubleKind::kFees, offer.error());
  const auto place = sent_.emplace(first);
  place->nonce = mined_;
  place->gas = kTransferGas;
  sign(*place, *offer);
  ++counts_.calls;
  gap_.reset();
  co_return Progress{};
}

bool Flight::has_room() const {
  return unmined() < kUnminedCalls && sent_.size() < kUnconfirmedCalls &&
         (sent_.empty() || sent_.back().accepted);
}

Result<Price> Flight::price() const {
  return price_for(fees_, options_.max_fee);
}

Wei Flight::reserved() const {
  Wei sum = 0;
  for (const Sent& sent : sent_) {
    if (is_unmined(sent)) sum += sent.price.max_fee * sent.gas;
  }
  return sum;
}

std::uint64_t Flight::affordable_gas(const Price& price) const {
  const Wei taken = reserved();
  const Wei left = balance_ > taken ? balance_ - taken : 0;
  if (price.max_fee == 0) return kCallGas;
  return static_cast<std::uint64_t>(std::min<Wei>(left / price.max_fee, kCallGas));
}

std::uint64_t Flight::next_nonce() const {
  const std::uint64_t after = std::max(mined_, sent_.empty() ? 0 : sent_.back().nonce + 1);
  // Others with this key are kept clear of as long as nothing of ours waits behind them.
  return unmined() == 0 ? std::max(after, pending_) : after;
}

net::Task<Progress> Flight::send(std::unique_ptr<RegistryCall> call, std::vector<Carried> carried,
                                 std::uint64_t gas, Price price) {
  const std::uint64_t nonce = next_nonce();
  Sent& sent = sent_.emplace_back();
  sent.nonce = nonce;
  sent.gas = gas;
  sent.call = std::move(call);
  sent.carried = std::move(carried);
  sign(sent, price);
  ++counts_.calls;
  co_return co_await hand_in(sent);
}

std::optional<Sent> Flight::take_refused() {
  if (sent_.empty() || sent_.back().accepted) return std::nullopt;
  const auto wanted = [](const Carried& one) { return SubmissionQueue::is_wanted(*one.item); };
  if (std::ranges::any_of(sent_.back().carried, wanted)) return std::nullopt;
  std::optional<Sent> refused(std::move(sent_.back()));
  sent_.pop_back();
  return refused;
}

std::size_t Flight::unmined() const {
  return static_cast<std::size_t>(std::ranges::count_if(sent_, is_unmined));
}

}  // namespace bw::ledger_ethereum
