// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "base/limits.hpp"
#include "syndication/handshake.hpp"
#include "syndication/router_impl.hpp"

namespace bw::syndication {
namespace {

constexpr double kStrikesForBadSignature = 5;
constexpr double kStrikesForReplay = 1;

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

Result<void> RouterCore::Impl::take(Session& session, ByteView frame, Time now) {
  BW_TRY(const ParsedFrame parsed, parse_frame(frame));
  switch (parsed.type) {
    case FrameType::kBatch:
      return batch(session, std::get<BatchFrame>(parsed.frame).batch, now);
    case FrameType::kTopic:
      return topic(session, std::get<TopicFrame>(parsed.frame));
    case FrameType::kProof:
      return session.inbound.proof(std::get<ProofFrame>(parsed.frame).proof);
    case FrameType::kAttach:
      return attach(session, std::get<Attach>(parsed.frame), now);
    case FrameType::kDetach:
      detach(session, std::get<Detach>(parsed.frame), now);
      return {};
    case FrameType::kPing:
      encode_frame(Pong{std::get<Ping>(parsed.frame).nonce}, outbox.answers(session));
      return {};
    case FrameType::kPong:
      return {};
    case FrameType::kError:
      return fail(std::get<ErrorFrame>(parsed.frame).error);
    default:
      return fail(ErrorCode::kMalformed, "frame type {}: not from an agent to a router",
                  static_cast<int>(parsed.type));
  }
}

Result<void> RouterCore::Impl::attach(Session& session, const Attach& frame, Time now) {
  if (session.inbound.entity_of(frame.stream) != nullptr) {
    return fail(ErrorCode::kConflict, "stream {}: attached on this session already", frame.stream);
  }
  const auto expires = try_attach(session, frame, now);
  if (!expires) {
    encode_frame(Detach{frame.entity, frame.stream, expires.error()}, outbox.answers(session));
    return {};
  }
  auto stream = std::make_unique<Stream>();
  stream->id = frame.stream;
  stream->entity = &hold(frame.entity, *expires, now);
  session.streams.emplace(frame.stream, std::move(stream));
  return {};
}

Result<Time> RouterCore::Impl::try_attach(Session& session, const Attach& frame, Time now) {
  BW_TRY(const Time expires, admit(frame.entity, now));
  if (auto proven = check_attach(frame, session.exporter); !proven) {
    // The entity has nothing to do with it.
    blacklist.strike(session.peer->key, kStrikesForBadSignature, now);
    return fail(std::move(proven).error());
  }
  BW_CHECK(session.inbound.attach(frame));
  return expires;
}

void RouterCore::Impl::detach(Session& session, const Detach& frame, Time now) {
  const auto found = session.streams.find(frame.stream);
  if (found == session.streams.end() || found->second->entity->key != frame.origin) return;
  // Deliveries and acknowledgements of the stream go before the news of its end.
  commit(now);
  acknowledge(session);
  outbox.flush();
  end_stream(session, *found->second, frame.reason);
}

void RouterCore::Impl::end_stream(Session& session, Stream& stream, const Error& reason) {
  for (const auto& [request, subscription] : stream.subscriptions) {
    subscriptions.remove(*subscription);
  }
  const Detach frame{stream.entity->key, stream.id, reason};
  stream.told.emplace(session.id, &session);
  for (const auto& [id, listener] : stream.told) {
    encode_frame(frame, outbox.answers(*listener));
    listener->told_topics.erase(&stream);
  }
  session.inbound.detach(frame.origin, frame.stream);
  std::erase(acks_due, &stream);
  release(*stream.entity);
  session.streams.erase(frame.stream);
}

Result<void> RouterCore::Impl::topic(Session& session, const TopicFrame& frame) {
  auto named = session.inbound.topic(frame);
  // On its way while the stream was refused or ended: the DETACH says so.
  if (!named && named.error().code == ErrorCode::kNotFound) return {};
  return named;
}

Result<void> RouterCore::Impl::batch(Session& session, ByteView bytes, Time now) {
  Incoming& incoming = next_incoming();
  incoming.bytes = bytes;
  incoming.stream = nullptr;
  ++stats.batches_in;
  if (auto opened = session.inbound.open(bytes, incoming.batch); !opened) {
    return misfit(session, incoming, opened.error(), now);
  }
  const BatchHeader& header = incoming.batch.view.header;
  incoming.stream = session.streams.at(header.stream).get();
  const std::size_t messages = incoming.batch.view.messages.size();
  stats.messages_in += messages;
  if (auto possible = admissible(session, *incoming.stream, messages, now); !possible) {
    refuse_all(session, incoming, possible.error());
    return {};
  }
  if (auto verified = session.inbound.verify(incoming.batch, now); !verified) {
    return misfit(session, incoming, verified.error(), now);
  }
  if (incoming.batch.unauthorised > 0) {
    blacklist.strike(header.origin, static_cast<double>(incoming.batch.unauthorised), now);
  }
  take_messages(session, incoming, now);
  return {};
}

Result<void> RouterCore::Impl::admissible(const Session& session, Stream& stream,
                                          std::size_t messages, Time now) {
  for (const EntityKey* key : {&stream.entity->key, &session.peer->key}) {
    if (const auto until = blacklist.banned_until(*key, now)) return banned(*key, *until);
  }
  if (!stream.entity->messages.take(static_cast<double>(messages), now)) {
    return fail(ErrorCode::kLimited, "entity {} may send {:.0f} messages a second; send fewer",
                stream.entity->key.text(), limits.messages_per_second_per_entity);
  }
  return {};
}

Result<void> RouterCore::Impl::misfit(Session& session, Incoming& incoming, const Error& error,
                                      Time now) {
  const BatchHeader& header = incoming.batch.view.header;
  switch (error.code) {
    case ErrorCode::kNotFound:
      encode_frame(Detach{header.origin, header.stream, error}, outbox.answers(session));
      return {};
    case ErrorCode::kReplayed:
      // No answer: the outcome of these messages was told, or will be.
      ++stats.replayed;
      blacklist.strike(header.origin, kStrikesForReplay, now);
      return {};
    case ErrorCode::kBadSignature:
      ++stats.bad_signatures;
      blacklist.strike(header.origin, kStrikesForBadSignature, now);
      // The agent signs for those it serves.
      if (session.peer != incoming.stream->entity) {
        blacklist.strike(session.peer->key, kStrikesForBadSignature, now);
      }
      refuse_all(session, incoming, error);
      return {};
    case ErrorCode::kExpired:
      refuse_all(session, incoming, error);
      return {};
    default:
      return fail(error);
  }
}

void RouterCore::Impl::take_messages(Session& session, Incoming& incoming, Time now) {
  const BatchView& view = incoming.batch.view;
  const std::size_t count = view.messages.size();
  std::size_t from = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!incoming.batch.accepted[i]) {
      refuse(session, view, i, incoming.batch.refusals[i].to_error());
    } else if (is_value(view.messages[i].message.type)) {
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
  waiting.push_back({&incoming, from, count});
  handled(*incoming.stream, view.header.sequence);
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

void RouterCore::Impl::refuse_all(Session& session, Incoming& incoming, const Error& reason) {
  const BatchView& view = incoming.batch.view;
  for (std::size_t i = 0; i < view.messages.size(); ++i) refuse(session, view, i, reason);
  handled(*incoming.stream, view.header.sequence);
}

void RouterCore::Impl::handled(Stream& stream, std::uint64_t sequence) {
  stream.handled = std::max(stream.handled, sequence);
  if (!std::exchange(stream.ack_due, true)) acks_due.push_back(&stream);
}

void RouterCore::Impl::acknowledge(Session& session) {
  for (Stream* stream : acks_due) {
    stream->ack_due = false;
    encode_frame(Ack{stream->id, stream->handled}, outbox.answers(session));
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

Incoming& RouterCore::Impl::next_incoming() {
  if (batches_used == batches.size()) batches.emplace_back();
  return batches[batches_used++];
}

}  // namespace bw::syndication
