// SPDX-License-Identifier: Apache-2.0
#include "syndication/accounts.hpp"

#include <algorithm>

namespace bw::syndication {
namespace {

// Saved up by whoever wastes nothing: a few mistakes delay nobody.
constexpr Duration kWasteForgiven = 5ms;
// A pause is not longer, since the peer would take the router for dead. Whoever goes on after it is
// sent away again after one turn.
constexpr Duration kLongestPause = 2s;

}  // namespace

Duration Debt::charge(Duration work, Time now) {
  if (now > at_) {
    owed_us_ = std::max(0.0, owed_us_ - static_cast<double>((now - at_).count()) * share_);
  }
  at_ = now;
  owed_us_ += static_cast<double>(work.count());
  const double beyond = owed_us_ - static_cast<double>(forgiven_.count());
  if (beyond <= 0) return {};
  const double pause = std::min(beyond / share_, static_cast<double>(kLongestPause.count()));
  return Duration{static_cast<Duration::rep>(pause)};
}

bool Debt::settled(Time now) const {
  return owed_us_ <= static_cast<double>((now - at_).count()) * share_;
}

Account::Account(const Allowance& allowance, Time now)
    : messages_(allowance.messages_per_second, allowance.messages_per_second, now),
      wasted_(allowance.wasted_share, kWasteForgiven, now) {}

bool Account::take(double messages, Time now) {
  const std::scoped_lock lock(mutex_);
  return messages_.take(messages, now);
}

Duration Account::charge_waste(Duration work, Time now) {
  const std::scoped_lock lock(mutex_);
  return wasted_.charge(work, now);
}

bool Account::settled(Time now) const {
  const std::scoped_lock lock(mutex_);
  return messages_.full(now) && wasted_.settled(now);
}

std::shared_ptr<Account> Accounts::of(const EntityKey& entity, Time now) {
  const std::scoped_lock lock(mutex_);
  std::shared_ptr<Account>& account = accounts_[entity];
  if (account == nullptr) account = std::make_shared<Account>(allowance_, now);
  return account;
}

void Accounts::tick(Time now) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(accounts_, [&](const auto& entry) {
    return entry.second.use_count() == 1 && entry.second->settled(now);
  });
}

std::size_t Accounts::size() const {
  const std::scoped_lock lock(mutex_);
  return accounts_.size();
}

}  // namespace bw::syndication
