// SPDX-License-Identifier: Apache-2.0
#include "syndication/fan_out.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace bw::syndication {

std::uint64_t FanOut::forward(const Incoming& incoming, std::size_t from, std::size_t to,
                              Time now) {
  deliveries_ = 0;
  for (std::size_t i = from; i < to; ++i) {
    if (incoming.batch.accepted[i]) forward_one(incoming, static_cast<std::uint16_t>(i), now);
  }
  send_picked(incoming);
  send_direct(incoming);
  selections_.clear();
  return deliveries_;
}

void FanOut::forward_one(const Incoming& incoming, std::uint16_t position, Time now) {
  TopicState& topic = *incoming.batch.topics[position];
  Route& route = route_of(topic);
  const bool for_all = incoming.batch.view.messages[position].message.consumers == 0;
  for (Route::Target& target : route.targets) {
    for (std::uint32_t i = target.first; i < target.end; ++i) {
      const Subscription& subscription = *route.subscriptions[i];
      if (!(for_all || subscription.tap) || !subscription.live(now)) continue;
      pick(incoming, target, topic, position);
      break;
    }
  }
  if (!for_all) serve_longest_waiting(incoming, route, topic, position, now);
}

Route& FanOut::route_of(TopicState& topic) {
  if (topic.route == nullptr) {
    topic.route = std::make_shared<Route>();
    topic.route->ns = &subscriptions_.of(topic.topic.ns);
  }
  Route& route = *topic.route;
  if (route.generation != route.ns->generation) build(route, topic);
  return route;
}

void FanOut::build(Route& route, const TopicState& topic) {
  route.generation = route.ns->generation;
  route.subscriptions.clear();
  route.targets.clear();
  subscriptions_.match(topic.topic, route.subscriptions);
  std::ranges::sort(route.subscriptions, {}, [](const Subscription* subscription) {
    return std::pair(subscription->session->id, subscription->handle);
  });
  for (std::uint32_t i = 0; i < route.subscriptions.size(); ++i) {
    Session* session = route.subscriptions[i]->session;
    if (route.targets.empty() || route.targets.back().session != session) {
      route.targets.push_back({.session = session, .first = i, .end = i, .told = false});
    }
    route.targets.back().end = i + 1;
  }
}

void FanOut::pick(const Incoming& incoming, Route::Target& target, const TopicState& topic,
                  std::uint16_t position) {
  Session& session = *target.session;
  if (!std::exchange(target.told, true)) tell(session, *incoming.stream, topic);
  if (session.picked.empty()) touched_.push_back(&session);
  session.picked.push_back(position);
}

void FanOut::tell(Session& session, Stream& stream, const TopicState& topic) {
  if (!session.told_topics[&stream].insert(topic.number).second) return;
  stream.told.emplace(session.id, &session);
  outbox_.tell_proof(session, topic.topic.proof, [&] { return wave::encode(*topic.proof); });
  encode_frame(TopicFrame{topic.origin, topic.stream, topic.number, topic.topic},
               outbox_.answers(session));
}

void FanOut::serve_longest_waiting(const Incoming& incoming, Route& route, const TopicState& topic,
                                   std::uint16_t position, Time now) {
  candidates_.clear();
  for (Subscription* subscription : route.subscriptions) {
    if (!subscription->tap && subscription->live(now)) candidates_.push_back(subscription);
  }
  const std::size_t most = incoming.batch.view.messages[position].message.consumers;
  if (candidates_.size() > most) {
    const auto nth = candidates_.begin() + static_cast<std::ptrdiff_t>(most);
    std::ranges::nth_element(candidates_, nth, {},
                             [](const Subscription* s) { return std::pair(s->served, s->handle); });
    candidates_.resize(most);
  }
  for (Subscription* subscription : candidates_) {
    subscription->served = ++served_;
    tell(*subscription->session, *incoming.stream, topic);
    direct_.emplace_back(subscription, position);
  }
}

void FanOut::send_picked(const Incoming& incoming) {
  for (Session* session : touched_) {
    deliveries_ += session->picked.size();
    outbox_.deliver(*session, piece_for(incoming, session->picked));
    session->picked.clear();
  }
  touched_.clear();
}

Outbox::Piece FanOut::piece_for(const Incoming& incoming, const Positions& positions) {
  const auto known = selections_.find(positions);
  if (known != selections_.end()) return known->second;
  const VerifiedBatch& batch = incoming.batch;
  Outbox::Piece piece = 0;
  if (positions.size() == batch.view.messages.size()) {
    piece = outbox_.share(incoming.bytes);
  } else {
    Bytes frame;
    const std::size_t begin = begin_frame(FrameType::kBatch, frame);
    const auto selected = select(batch.view, batch.leaves, positions, frame);
    BW_ASSERT(selected.has_value());
    finish_frame(begin, frame);
    piece = outbox_.keep(std::move(frame));
  }
  selections_.emplace(positions, piece);
  return piece;
}

void FanOut::send_direct(const Incoming& incoming) {
  if (direct_.empty()) return;
  std::ranges::sort(direct_, {},
                    [](const auto& entry) { return std::pair(entry.first->handle, entry.second); });
  const VerifiedBatch& batch = incoming.batch;
  Positions positions;
  Bytes selection;
  for (std::size_t i = 0; i < direct_.size();) {
    const Subscription& subscription = *direct_[i].first;
    positions.clear();
    for (; i < direct_.size() && direct_[i].first == &subscription; ++i) {
      positions.push_back(direct_[i].second);
    }
    selection.clear();
    const auto selected = select(batch.view, batch.leaves, positions, selection);
    BW_ASSERT(selected.has_value());
    Bytes frame;
    encode_frame(Direct{subscription.request, selection}, frame);
    outbox_.deliver(*subscription.session, outbox_.keep(std::move(frame)));
    deliveries_ += positions.size();
  }
  direct_.clear();
}

}  // namespace bw::syndication
