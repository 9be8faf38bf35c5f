// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <unordered_map>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "syndication/router_state.hpp"
#include "syndication/subscription_tree.hpp"

namespace bw::syndication {

// Every subscription of a router, found by URI, by the grant it rests on, and by when it must be
// asked again. Counts those of sessions and entities. Made for a million of them: an index costs a
// subscription two pointers, and allocates only for what no other subscription shares.
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
  struct Kept;
  // A place in one of the lists below: rings of subscriptions, of which an index holds any one.
  struct Links {
    Kept* previous = nullptr;
    Kept* next = nullptr;
  };
  struct Kept {
    Subscription subscription;
    Links on_grant;
    Links at_recheck;
  };
  using Ring = Links Kept::*;
  static void enter(Kept*& any, Kept& kept, Ring ring);
  // False when the ring is gone with it.
  static bool leave(Kept*& any, Kept& kept, Ring ring);
  // In order of subscribing.
  static void append(Kept* any, Ring ring, std::vector<Subscription*>& out);

  Kept& kept(const Subscription& subscription);
  void rest_on(Kept& kept, GrantPtr grant);
  void leave_grant(Kept& kept);
  void set_recheck(Kept& kept, Time at);
  void leave_recheck(Kept& kept);

  SubscriptionTree tree_;
  std::unordered_map<std::uint64_t, Kept> all_;
  boost::unordered_flat_map<const LiveGrant*, Kept*> by_grant_;
  // Few different times, since grants expire with the DoTs and entities they rest on.
  std::map<Time, Kept*> by_recheck_;
  std::unordered_map<EntityKey, Namespace> namespaces_;
  std::uint64_t last_handle_ = 0;
  std::vector<SubscriptionTree::Handle> handles_;  // buffer of match()
};

}  // namespace bw::syndication
