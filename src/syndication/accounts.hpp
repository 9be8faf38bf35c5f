// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>

#include "base/id.hpp"
#include "syndication/token_bucket.hpp"

namespace bw::syndication {

// How much an entity may ask of a router.
struct Allowance {
  double messages_per_second = 0;
  // Verification that comes to nothing (bad signatures, refusals, replays), as a share of one
  // thread's time.
  double wasted_share = 0;
};

// Work done for somebody, who may have so much of it in the long run.
class Debt {
 public:
  Debt(double share, Duration forgiven, Time now) : share_(share), forgiven_(forgiven), at_(now) {}

  // Returns for how long to wait before more, so that the share holds: nothing while what was saved
  // up suffices.
  [[nodiscard]] Duration charge(Duration work, Time now);
  [[nodiscard]] bool settled(Time now) const;

 private:
  double share_;
  Duration forgiven_;
  double owed_us_ = 0;  // as of at_
  Time at_;
};

// What an entity uses up, over all its sessions and streams, whatever threads they are on.
// Thread-safe; shared by that entity's sessions alone.
class Account {
 public:
  Account(const Allowance& allowance, Time now);

  // Whether it may send so many messages now.
  [[nodiscard]] bool take(double messages, Time now);
  // Charges work that came to nothing. Returns for how long whoever sent it is not to be listened
  // to.
  [[nodiscard]] Duration charge_waste(Duration work, Time now);
  // Nothing is held against it: a new account would be the same.
  [[nodiscard]] bool settled(Time now) const;

 private:
  mutable std::mutex mutex_;
  TokenBucket messages_;
  Debt wasted_;
};

// The accounts of a router. Thread-safe; asked when a session opens or a stream is attached.
class Accounts {
 public:
  explicit Accounts(const Allowance& allowance) : allowance_(allowance) {}

  std::shared_ptr<Account> of(const EntityKey& entity, Time now);
  // Forgets those that nobody uses and nothing is held against.
  void tick(Time now);
  [[nodiscard]] std::size_t size() const;

 private:
  const Allowance allowance_;
  mutable std::mutex mutex_;
  std::unordered_map<EntityKey, std::shared_ptr<Account>> accounts_;
};

}  // namespace bw::syndication
