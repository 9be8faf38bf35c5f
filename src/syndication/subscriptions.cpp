// SPDX-License-Identifier: Apache-2.0
#include "syndication/subscriptions.hpp"

#include <algorithm>

namespace bw::syndication {

void Subscriptions::enter(Kept*& any, Kept& kept, Ring ring) {
  if (any == nullptr) any = &kept;
  Links& links = kept.*ring;
  links.next = any;
  links.previous = any == &kept ? &kept : (any->*ring).previous;
  (links.previous->*ring).next = &kept;
  (links.next->*ring).previous = &kept;
}

bool Subscriptions::leave(Kept*& any, Kept& kept, Ring ring) {
  Links& links = kept.*ring;
  any = links.next;
  (links.previous->*ring).next = links.next;
  (links.next->*ring).previous = links.previous;
  links = {};
  return any != &kept;
}

void Subscriptions::append(Kept* any, Ring ring, std::vector<Subscription*>& out) {
  const auto first = static_cast<std::ptrdiff_t>(out.size());
  Kept* kept = any;
  do {
    out.push_back(&kept->subscription);
    kept = (kept->*ring).next;
  } while (kept != any);
  std::ranges::sort(out.begin() + first, out.end(), {}, &Subscription::handle);
}

Subscriptions::Kept& Subscriptions::kept(const Subscription& subscription) {
  return all_.at(subscription.handle);
}

Subscription& Subscriptions::add(Subscription value) {
  const std::uint64_t handle = ++last_handle_;
  Kept& kept = all_.try_emplace(handle, Kept{std::move(value), {}, {}}).first->second;
  Subscription& subscription = kept.subscription;
  subscription.handle = handle;
  ++subscription.session->subscriptions;
  ++subscription.entity->subscriptions;
  const Topic& topic = subscription.topic->topic;
  tree_.add(topic.ns, topic.uri, handle);
  ++of(topic.ns).generation;
  rest_on(kept, subscription.grant);
  return subscription;
}

void Subscriptions::remove(Subscription& subscription) {
  --subscription.session->subscriptions;
  --subscription.entity->subscriptions;
  const Topic& topic = subscription.topic->topic;
  tree_.remove(topic.ns, topic.uri, subscription.handle);
  ++of(topic.ns).generation;
  const auto place = all_.find(subscription.handle);
  leave_grant(place->second);
  leave_recheck(place->second);
  all_.erase(place);
}

void Subscriptions::match(const Topic& topic, std::vector<Subscription*>& out) {
  handles_.clear();
  tree_.match(topic.ns, topic.uri, handles_);
  std::ranges::sort(handles_);
  for (const SubscriptionTree::Handle handle : handles_) {
    out.push_back(&all_.at(handle).subscription);
  }
}

std::vector<Subscription*> Subscriptions::resting_on(const LiveGrant& grant) {
  std::vector<Subscription*> found;
  const auto any = by_grant_.find(&grant);
  if (any != by_grant_.end()) append(any->second, &Kept::on_grant, found);
  return found;
}

void Subscriptions::renew(Subscription& subscription, GrantPtr grant) {
  Kept& changed = kept(subscription);
  leave_grant(changed);
  leave_recheck(changed);
  rest_on(changed, std::move(grant));
}

void Subscriptions::doubt(Subscription& subscription) {
  Kept& doubted = kept(subscription);
  leave_recheck(doubted);
  set_recheck(doubted, Time{});
}

std::vector<Subscription*> Subscriptions::due(Time now) {
  std::vector<Subscription*> found;
  for (const auto& [at, any] : by_recheck_) {
    if (at > now) break;
    append(any, &Kept::at_recheck, found);
  }
  return found;
}

void Subscriptions::rest_on(Kept& kept, GrantPtr grant) {
  enter(by_grant_[grant.get()], kept, &Kept::on_grant);
  const Time expires = std::min(grant->grant.expires, kept.subscription.expires);
  kept.subscription.grant = std::move(grant);
  set_recheck(kept, expires);
}

void Subscriptions::leave_grant(Kept& kept) {
  const auto any = by_grant_.find(kept.subscription.grant.get());
  if (!leave(any->second, kept, &Kept::on_grant)) by_grant_.erase(any);
}

void Subscriptions::set_recheck(Kept& kept, Time at) {
  kept.subscription.recheck_at = at;
  enter(by_recheck_[at], kept, &Kept::at_recheck);
}

void Subscriptions::leave_recheck(Kept& kept) {
  const auto any = by_recheck_.find(kept.subscription.recheck_at);
  if (!leave(any->second, kept, &Kept::at_recheck)) by_recheck_.erase(any);
}

}  // namespace bw::syndication
