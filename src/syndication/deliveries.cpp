// SPDX-License-Identifier: Apache-2.0
#include "syndication/deliveries.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "syndication/client_session.hpp"
#include "syndication/message_store.hpp"
#include "syndication/standing_message.hpp"

namespace bw::syndication {

Deliveries::Deliveries(GrantCache& grants, std::shared_ptr<ReplayWindow> heard)
    : inbound_(Inbound::Side::kAgent, grants, {}, std::move(heard)) {}

void Deliveries::add(const ClientRequestPtr& subscription) {
  tree_.add(subscription->topic.ns, subscription->topic.uri, subscription->handle);
  standing_.emplace(subscription->handle, subscription);
  ++generation_;
}

void Deliveries::remove(const ClientRequest& subscription) {
  tree_.remove(subscription.topic.ns, subscription.topic.uri, subscription.handle);
  standing_.erase(subscription.handle);
  direct_seen_.erase(subscription.handle);
  ++generation_;
}

void Deliveries::proof(const ProofFrame& frame) {
  if (auto taken = inbound_.proof(frame.proof); !taken) drop_unverified(std::move(taken).error());
}

void Deliveries::topic(const TopicFrame& frame) {
  if (auto taken = inbound_.topic(frame); !taken) drop_unverified(std::move(taken).error());
}

void Deliveries::batch(const BatchFrame& frame, Time now) {
  if (auto verified = inbound_.batch(frame.batch, now, verified_); !verified) {
    return drop_unverified(std::move(verified).error());
  }
  for (std::size_t i = 0; i < verified_.view.messages.size(); ++i) {
    if (admitted(i)) {
      deliver(i, now);
    } else {
      lose_if_stale(i);
    }
  }
}

void Deliveries::lose_if_stale(std::size_t position) {
  if (verified_.refusals[position].code != ErrorCode::kStale) return;
  for (const ClientRequestPtr& request : matches_of(verified_.topics[position]).subscriptions) {
    if (request->state != ClientRequest::State::kStanding) continue;
    if (request->consumer.on_lost) request->consumer.on_lost(1);
  }
}

void Deliveries::deliver(std::size_t position, Time now) {
  const TopicPtr& topic = verified_.topics[position];
  const bool taps_only = verified_.view.messages[position].message.consumers > 0;
  bool wanted = false;
  // The list cannot change under this loop: it is brought up to date by matches_of() alone.
  for (const ClientRequestPtr& request : matches_of(topic).subscriptions) {
    if (request->state != ClientRequest::State::kStanding) continue;
    if (taps_only && !request->is_tap()) continue;
    wanted = true;
    if (replayed(*request, position, now)) continue;
    hand_over(*request, position, topic->topic, false);
  }
  if (wanted) {
    ++delivered_;
  } else {
    drop_unasked("live message");
  }
}

void Deliveries::direct(const Direct& frame, ClientRequest* subscription, Time now) {
  if (subscription == nullptr || subscription->type != MessageType::kSubscribe ||
      subscription->state != ClientRequest::State::kStanding) {
    return drop_unasked("direct delivery");
  }
  const auto verified =
      inbound_.direct(frame.batch, direct_seen_[subscription->handle], now, verified_);
  if (!verified) return drop_unverified(verified.error());
  for (std::size_t i = 0; i < verified_.view.messages.size(); ++i) {
    if (!admitted(i)) {
      const bool stale = verified_.refusals[i].code == ErrorCode::kStale;
      if (stale && subscription->consumer.on_lost) subscription->consumer.on_lost(1);
      continue;
    }
    const Topic& topic = verified_.topics[i]->topic;
    // Messages for all come in a BATCH: here they would come a second time.
    const bool limited = verified_.view.messages[i].message.consumers > 0;
    if (!limited || subscription->state != ClientRequest::State::kStanding ||
        !subscription->wants(topic)) {
      drop_unasked("direct delivery");
      continue;
    }
    if (replayed(*subscription, i, now)) continue;
    ++delivered_;
    hand_over(*subscription, i, topic, false);
  }
}

void Deliveries::stored(const Stored& frame, ClientRequest* request, Time now) {
  if (request == nullptr || !request->awaits_stored() || !request->wants(frame.topic) ||
      cell_order(frame.topic.uri.text()) <= request->last_stored) {
    return drop_unasked("stored message");
  }
  if (auto verified = inbound_.stored(frame, now, verified_); !verified) {
    return drop_unverified(std::move(verified).error());
  }
  if (verified_.view.messages.front().message.type != MessageType::kPersist) {
    return drop_unverified({ErrorCode::kMalformed, "stored message: was not persisted"});
  }
  if (!admitted(0)) return;
  request->last_stored = cell_order(frame.topic.uri.text());
  const Time live_until = verified_.view.header.created + limits::kReplayWindow;
  if (request->is_subscription() && live_until >= now) {
    request->replayed.insert(id_of(0));
    request->replayed_until = std::max(request->replayed_until, live_until);
  }
  ++delivered_;
  hand_over(*request, 0, frame.topic, true);
}

bool Deliveries::admitted(std::size_t position) {
  if (verified_.accepted[position]) return true;
  drop_unverified(verified_.refusals[position].to_error());
  return false;
}

MessageId Deliveries::id_of(std::size_t position) const {
  const BatchHeader& header = verified_.view.header;
  return {header.origin, header.stream, header.sequence, verified_.view.indices[position]};
}

bool Deliveries::replayed(ClientRequest& subscription, std::size_t position, Time now) const {
  if (subscription.replayed.empty()) return false;
  if (now > subscription.replayed_until) subscription.replayed.clear();
  return subscription.replayed.contains(id_of(position));
}

void Deliveries::hand_over(ClientRequest& request, std::size_t position, const Topic& topic,
                           bool stored) {
  if (!request.consumer.on_message) return;
  const BatchView& view = verified_.view;
  const Message& message = view.messages[position].message;
  const MessageId id = id_of(position);
  request.consumer.on_message(Delivery{id, topic, message.type, view.header.created,
                                       message.expires, message.payload, stored, verified_,
                                       position});
}

Result<Bytes> standing_message(const Delivery& delivery) {
  const VerifiedBatch& verified = delivery.batch;
  const auto position = static_cast<std::uint16_t>(delivery.position);
  StandingMessage message{delivery.topic, *verified.topics[position]->proof, {}};
  BW_CHECK(select(verified.view, verified.leaves, {&position, 1}, message.batch));
  BW_CHECK(forget_topic_number(message.batch));
  return encode(message);
}

const Deliveries::Matches& Deliveries::matches_of(const TopicPtr& topic) {
  Matches& matches = matches_[topic.get()];
  if (matches.generation == generation_) return matches;
  handles_.clear();
  tree_.match(topic->topic.ns, topic->topic.uri, handles_);
  std::ranges::sort(handles_);
  matches.topic = topic;
  matches.generation = generation_;
  matches.subscriptions.clear();
  for (const SubscriptionTree::Handle handle : handles_) {
    matches.subscriptions.push_back(standing_.at(handle));
  }
  return matches;
}

void Deliveries::drop_unverified(Error why) {
  ++dropped_unverified_;
  last_drop_ = std::move(why);
}

void Deliveries::drop_unasked(std::string_view what) {
  ++dropped_unasked_;
  last_drop_ = Error{ErrorCode::kNotFound, fmt::format("{}: nothing here asked for it", what)};
}

void Deliveries::tick(Time now) {
  inbound_.tick(now);
  for (auto& [handle, seen] : direct_seen_) seen.forget_old(now);
  std::erase_if(direct_seen_, [](const auto& entry) { return entry.second.streams() == 0; });
  // Topics that only this cache still holds, and lists that name ended subscriptions.
  std::erase_if(matches_, [&](const auto& entry) {
    return entry.second.topic.use_count() == 1 || entry.second.generation != generation_;
  });
}

}  // namespace bw::syndication
