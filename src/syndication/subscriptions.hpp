// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "syndication/router_state.hpp"
#include "syndication/subscription_tree.hpp"

namespace bw::syndication {

// Every subscription of a router, found by URI, by the grant it rests on, and by when it must be
// asked again. Counts those of sessions and entities.
class Subscriptions {
 public:
  struct Namespace {
    std::uint64_t generation = 1;  // rises whenever a match in it could turn out differently
    bool carried = true;           // as last seen
  };

  // `value` comes without handle and recheck_at.
  Subscription& add(Subscription value);
  // `subscription` is gone afterwards.
  void remove(Subscription& subscription);
  // Appends those whose pattern matches the topic's URI, in order of subscribing.
  void match(const Topic& topic, std::vector<Subscription*>& out);

  [[nodiscard]] std::vector<Subscription*> resting_on(const LiveGrant& grant);
  void renew(Subscription& subscription, GrantPtr grant);
  // Nobody can tell now whether it still holds: due at once.
  void doubt(Subscription& subscription);
  // Those that must be asked again by now.
  [[nodiscard]] std::vector<Subscription*> due(Time now);

  // Stays where it is. As many as are carried by this router, and were, since it started.
  Namespace& of(const EntityKey& ns) { return namespaces_[ns]; }
  std::unordered_map<EntityKey, Namespace>& namespaces() { return namespaces_; }
  [[nodiscard]] std::size_t size() const { return all_.size(); }

 private:
  void rest_on(Subscription& subscription, GrantPtr grant);
  void leave_grant(Subscription& subscription);
  void set_recheck(Subscription& subscription, Time at);

  SubscriptionTree tree_;
  std::unordered_map<std::uint64_t, Subscription> all_;
  std::unordered_map<const LiveGrant*, std::set<std::uint64_t>> by_grant_;
  std::set<std::pair<Time, std::uint64_t>> by_recheck_;
  std::unordered_map<EntityKey, Namespace> namespaces_;
  std::uint64_t last_handle_ = 0;
  std::vector<SubscriptionTree::Handle> handles_;  // buffer of match()
};

}  // namespace bw::syndication
