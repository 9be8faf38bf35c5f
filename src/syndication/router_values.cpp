// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "syndication/router_impl.hpp"

namespace bw::syndication {
namespace {

MessageId id_of(const BatchView& batch, std::size_t position) {
  return {batch.header.origin, batch.header.stream, batch.header.sequence, batch.indices[position]};
}

StoredMessage stored_message(const Incoming& incoming, std::size_t position) {
  const VerifiedBatch& batch = incoming.batch;
  const TopicState& topic = *batch.topics[position];
  const Message& message = batch.view.messages[position].message;
  StoredMessage stored{.topic = topic.topic,
                       .proof = wave::encode(*topic.proof),
                       .batch = {},
                       .id = id_of(batch.view, position),
                       .created = batch.view.header.created,
                       .expires = message.expires,
                       .accounted_bytes = 0,
                       .deletion = message.payload.empty(),
                       .limits = batch.grants[position]->grant.limits};
  const auto kept = static_cast<std::uint16_t>(position);
  const auto selected = select(batch.view, batch.leaves, {&kept, 1}, stored.batch);
  BW_ASSERT(selected.has_value());
  stored.accounted_bytes = static_cast<std::uint32_t>(stored.batch.size() + stored.proof.size() +
                                                      stored.topic.uri.text().size());
  return stored;
}

}  // namespace

Stream* RouterCore::Impl::stream_of(Session& session, const EntityKey& entity,
                                    std::uint64_t stream) {
  const auto found = session.streams.find(stream);
  const bool theirs = found != session.streams.end() && found->second->entity->key == entity;
  return theirs ? found->second.get() : nullptr;
}

void RouterCore::Impl::step(Session& session, const Parcel::Attached& step, Time now) {
  // Banned or revoked since it was let in.
  const auto expires = shared.admit(step.entity, now);
  if (!expires) {
    output.ended(session.id, step.entity, step.stream);
    encode_frame(Detach{step.entity, step.stream, expires.error()}, outbox.answers(session));
    return;
  }
  auto stream = std::make_unique<Stream>();
  stream->id = step.stream;
  stream->session = &session;
  stream->entity = &hold(step.entity, *expires);
  session.streams.emplace(step.stream, std::move(stream));
}

void RouterCore::Impl::step(Session& session, const Parcel::Refused& step, Time) {
  Stream* stream = stream_of(session, step.entity, step.stream);
  if (stream != nullptr) handled(*stream, step.sequence);
}

void RouterCore::Impl::step(Session& session, const Detach& step, Time now) {
  Stream* stream = stream_of(session, step.origin, step.stream);
  if (stream == nullptr) return;
  // Deliveries and acknowledgements of the stream go before the news of its end.
  flush(now);
  end_stream(session, *stream, step.reason);
}

// The answer says that all that came before was dealt with.
void RouterCore::Impl::step(Session& session, const Ping& step, Time now) {
  flush(now);
  encode_frame(Pong{step.nonce}, outbox.answers(session));
}

void RouterCore::Impl::end_stream(Session& session, Stream& stream, const Error& reason) {
  output.ended(session.id, stream.entity->key, stream.id);
  stream.told.emplace(session.id, &session);
  tell_end(stream, reason);
  remove_subscriptions(stream, kRemovedAtOnce);
  bury(session, stream);
}

// Whoever heard of the stream.
void RouterCore::Impl::tell_end(Stream& stream, const Error& reason, const Session* but) {
  const Detach frame{stream.entity->key, stream.id, reason};
  for (const auto& [id, listener] : stream.told) {
    listener->told_topics.erase(&stream);
    if (listener != but) encode_frame(frame, outbox.answers(*listener));
  }
  stream.told.clear();
}

void RouterCore::Impl::bury(Session& session, Stream& stream) {
  std::erase(acks_due, &stream);
  const auto found = session.streams.find(stream.id);
  if (stream.subscriptions.empty()) {
    release(*stream.entity);
  } else {
    stream.over = true;
    dying.push_back({sessions.at(session.id), std::move(found->second)});
  }
  session.streams.erase(found);
}

std::size_t RouterCore::Impl::remove_subscriptions(Stream& stream, std::size_t most) {
  std::size_t removed = 0;
  for (; removed < most && !stream.subscriptions.empty(); ++removed) {
    Subscription& next = **stream.subscriptions.begin();
    stream.subscriptions.erase(stream.subscriptions.begin());
    subscriptions.remove(next);
  }
  return removed;
}

void RouterCore::Impl::strike(const Parcel::Strike& strike, Time now) {
  if (!shared.blacklist.strike(strike.entity, strike.count, now)) return;
  ++stats.bans;
  flush(now);
  const auto until = shared.blacklist.banned_until(strike.entity, now);
  shut_out(strike.entity, banned_words(strike.entity, until.value_or(now)));
}

void RouterCore::Impl::step(Session& session, const Parcel::Part& part, Time now) {
  Incoming& incoming = *part.incoming;
  const BatchView& view = incoming.batch.view;
  incoming.stream = stream_of(session, view.header.origin, view.header.stream);
  if (incoming.stream == nullptr) return;  // it ended while this was on its way
  std::size_t from = part.from;
  for (std::size_t i = part.from; i < part.to; ++i) {
    if (!incoming.batch.accepted[i] || !holds(session, incoming, i, now)) continue;
    if (is_value(view.messages[i].message.type)) {
      take_value(session, incoming, i, now);
    } else {
      // It must find the effect of whatever came before it, and not be affected by what comes
      // after.
      waiting.push_back({&incoming, from, i});
      commit(now);
      request(session, incoming, i, now);
      from = i + 1;
    }
  }
  waiting.push_back({&incoming, from, part.to});
  if (part.to == view.messages.size()) handled(*incoming.stream, view.header.sequence);
}

bool RouterCore::Impl::holds(Session& session, Incoming& incoming, std::size_t position, Time now) {
  GrantPtr& grant = incoming.batch.grants[position];
  if (grant == nullptr || grant->valid.load(std::memory_order_relaxed)) return true;
  const TopicState& topic = *incoming.batch.topics[position];
  std::optional<Error> no;
  if (!carries(topic.topic.ns)) {
    no = Error{ErrorCode::kUnavailable, "the namespace is no longer carried by this router"};
  } else if (auto asked = grants.authorize(grant->request, topic.topic.proof, *topic.proof, now)) {
    grant = *std::move(asked);
  } else {
    no = asked.error().to_error();
  }
  if (!no) return true;
  incoming.batch.accepted[position] = false;
  refuse(session, incoming.batch.view, position, *no);
  return false;
}

void RouterCore::Impl::take_value(Session& session, Incoming& incoming, std::size_t position,
                                  Time now) {
  const auto& bounds = incoming.batch.grants[position]->grant.limits;
  if (!bounds.empty()) {
    if (auto within = publish_limits.take(bounds, now); !within) {
      incoming.batch.accepted[position] = false;
      return refuse(session, incoming.batch.view, position, within.error());
    }
  }
  if (incoming.batch.view.messages[position].message.type != MessageType::kPersist) return;
  persists.push_back(stored_message(incoming, position));
  persist_places.push_back({&session, &incoming, position});
}

void RouterCore::Impl::refuse(Session& session, const BatchView& batch, std::size_t position,
                              const Error& reason) {
  ++stats.refused;
  answer(session, {batch.header.stream, batch.header.sequence, batch.indices[position]}, reason);
}

void RouterCore::Impl::handled(Stream& stream, std::uint64_t sequence) {
  stream.handled = std::max(stream.handled, sequence);
  if (!std::exchange(stream.ack_due, true)) acks_due.push_back(&stream);
}

void RouterCore::Impl::acknowledge() {
  for (Stream* stream : acks_due) {
    stream->ack_due = false;
    encode_frame(Ack{stream->id, stream->handled}, outbox.answers(*stream->session));
  }
  acks_due.clear();
}

void RouterCore::Impl::answer(Session& session, const RequestId& request,
                              std::optional<Error> error) {
  encode_frame(ResultFrame{request, std::move(error)}, outbox.answers(session));
}

void RouterCore::Impl::commit(Time now) {
  if (!persists.empty()) store_waiting();
  for (const Waiting& part : waiting) {
    stats.messages_out += fan_out.forward(*part.incoming, part.from, part.to, now);
  }
  waiting.clear();
}

void RouterCore::Impl::store_waiting() {
  const auto outcomes = store.put(persists);
  BW_ASSERT(!outcomes || outcomes->size() == persists.size());
  for (std::size_t i = 0; i < persists.size(); ++i) {
    const Error* error = nullptr;
    if (!outcomes) {
      error = &outcomes.error();
    } else if (!(*outcomes)[i]) {
      error = &(*outcomes)[i].error();
    }
    if (error == nullptr) {
      ++stats.persisted;
      continue;
    }
    const auto& [session, incoming, position] = persist_places[i];
    incoming->batch.accepted[position] = false;
    refuse(*session, incoming->batch.view, position, *error);
  }
  persists.clear();
  persist_places.clear();
}

}  // namespace bw::syndication
