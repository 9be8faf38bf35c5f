// SPDX-License-Identifier: Apache-2.0
#include "syndication/subscriptions.hpp"

#include <algorithm>

namespace bw::syndication {

Subscription& Subscriptions::add(Subscription value) {
  const std::uint64_t handle = ++last_handle_;
  Subscription& subscription = all_.emplace(handle, std::move(value)).first->second;
  subscription.handle = handle;
  ++subscription.session->subscriptions;
  ++subscription.entity->subscriptions;
  tree_.add(subscription.topic.ns, subscription.topic.uri, handle);
  ++of(subscription.topic.ns).generation;
  rest_on(subscription, subscription.grant);
  return subscription;
}

void Subscriptions::remove(Subscription& subscription) {
  --subscription.session->subscriptions;
  --subscription.entity->subscriptions;
  tree_.remove(subscription.topic.ns, subscription.topic.uri, subscription.handle);
  ++of(subscription.topic.ns).generation;
  leave_grant(subscription);
  by_recheck_.erase({subscription.recheck_at, subscription.handle});
  all_.erase(subscription.handle);
}

void Subscriptions::match(const Topic& topic, std::vector<Subscription*>& out) {
  handles_.clear();
  tree_.match(topic.ns, topic.uri, handles_);
  std::ranges::sort(handles_);
  for (const SubscriptionTree::Handle handle : handles_) out.push_back(&all_.at(handle));
}

std::vector<Subscription*> Subscriptions::resting_on(const LiveGrant& grant) {
  std::vector<Subscription*> found;
  const auto handles = by_grant_.find(&grant);
  if (handles == by_grant_.end()) return found;
  for (const std::uint64_t handle : handles->second) {
    found.push_back(&all_.at(handle));
  }
  return found;
}

void Subscriptions::renew(Subscription& subscription, GrantPtr grant) {
  leave_grant(subscription);
  rest_on(subscription, std::move(grant));
}

void Subscriptions::doubt(Subscription& subscription) {
  set_recheck(subscription, Time{});
}

std::vector<Subscription*> Subscriptions::due(Time now) {
  std::vector<Subscription*> found;
  for (const auto& [at, handle] : by_recheck_) {
    if (at > now) break;
    found.push_back(&all_.at(handle));
  }
  return found;
}

void Subscriptions::rest_on(Subscription& subscription, GrantPtr grant) {
  by_grant_[grant.get()].insert(subscription.handle);
  const Time expires = grant->grant.expires;
  subscription.grant = std::move(grant);
  set_recheck(subscription, expires);
}

void Subscriptions::leave_grant(Subscription& subscription) {
  const auto found = by_grant_.find(subscription.grant.get());
  found->second.erase(subscription.handle);
  if (found->second.empty()) by_grant_.erase(found);
}

void Subscriptions::set_recheck(Subscription& subscription, Time at) {
  by_recheck_.erase({subscription.recheck_at, subscription.handle});
  subscription.recheck_at = at;
  by_recheck_.insert({at, subscription.handle});
}

}  // namespace bw::syndication
