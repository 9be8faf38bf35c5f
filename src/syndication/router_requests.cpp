// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/limits.hpp"
#include "codec/reader.hpp"
#include "syndication/router_impl.hpp"

namespace bw::syndication {
namespace {

constexpr std::size_t kNamesPerFrame = 4096;  // of a cell each: well within kFrameBytes

tl::unexpected<Error> too_many(const Topic& topic) {
  return fail(ErrorCode::kTooLarge,
              "more than {} results or {} bytes match '{}'; narrow the pattern",
              limits::kQueryResults, limits::kQueryBytes, topic.uri.text());
}

}  // namespace

void RouterCore::Impl::request(Session& session, const Incoming& incoming, std::size_t position,
                               Time now) {
  const BatchView& view = incoming.batch.view;
  const Message& message = view.messages[position].message;
  const Topic& topic = incoming.batch.topics[position]->topic;
  const RequestId id{view.header.stream, view.header.sequence, view.indices[position]};
  Result<void> outcome;
  switch (message.type) {
    case MessageType::kSubscribe:
    case MessageType::kTap:
      outcome = subscribe(session, incoming, position, now);
      break;
    case MessageType::kQuery:
    case MessageType::kTapQuery:
      outcome = send_stored(session, id, topic, now);
      break;
    case MessageType::kList:
      outcome = list(session, id, topic, now);
      break;
    default:
      outcome = unsubscribe(session, *incoming.stream, message.payload);
  }
  if (outcome) return answer(session, id, std::nullopt);
  refuse(session, view, position, outcome.error());
}

Result<void> RouterCore::Impl::subscribe(Session& session, const Incoming& incoming,
                                         std::size_t position, Time now) {
  const BatchView& view = incoming.batch.view;
  const Message& message = view.messages[position].message;
  const TopicPtr& topic = incoming.batch.topics[position];
  const RequestId id{view.header.stream, view.header.sequence, view.indices[position]};
  if (session.subscriptions >= limits::kSubscriptionsPerSession) {
    return fail(ErrorCode::kLimited, "this session has {} subscriptions; end some, or open another",
                session.subscriptions);
  }
  Entity& entity = *incoming.stream->entity;
  if (entity.subscriptions >= limits.subscriptions_per_entity) {
    return fail(ErrorCode::kLimited, "entity {} has {} subscriptions; end some", entity.key.text(),
                entity.subscriptions);
  }
  if (message.replay) BW_CHECK(send_stored(session, id, topic->topic, now));
  Subscription& subscription = subscriptions.add({.session = &session,
                                                  .entity = &entity,
                                                  .stream = incoming.stream,
                                                  .request = id,
                                                  .tap = message.type == MessageType::kTap,
                                                  .expires = message.expires.value_or(kNever),
                                                  .topic = topic,
                                                  .grant = incoming.batch.grants[position]});
  incoming.stream->subscriptions.insert(&subscription);
  return {};
}

Result<void> RouterCore::Impl::send_stored(Session& session, const RequestId& request,
                                           const Topic& topic, Time now) {
  Bytes& out = outbox.answers(session);
  std::size_t found = 0;
  bool all = true;
  BW_CHECK(store.query(topic.ns, topic.uri, now, [&](const StoredMessage& message) {
    all = ++found <= limits::kQueryResults && out.size() <= limits::kQueryBytes;
    if (!all) return false;
    outbox.tell_proof(session, message.topic.proof,
                      [&]() -> const Bytes& { return message.proof; });
    encode_frame(Stored{request, message.topic, message.batch}, out);
    return true;
  }));
  if (!all) return too_many(topic);
  return {};
}

Result<void> RouterCore::Impl::list(Session& session, const RequestId& request, const Topic& topic,
                                    Time now) {
  BW_TRY(std::vector<std::string> names,
         store.children(topic.ns, topic.uri, now, limits::kQueryResults + 1));
  Bytes& out = outbox.answers(session);
  if (names.size() > limits::kQueryResults || out.size() > limits::kQueryBytes) {
    return too_many(topic);
  }
  for (auto from = names.begin(); from != names.end();) {
    const auto left = static_cast<std::size_t>(names.end() - from);
    const auto to = from + static_cast<std::ptrdiff_t>(std::min(left, kNamesPerFrame));
    encode_frame(Children{request, {from, to}}, out);
    from = to;
  }
  return {};
}

Result<void> RouterCore::Impl::unsubscribe(Session& session, const Stream& stream,
                                           ByteView payload) {
  codec::Reader reader(payload);
  const RequestId id{reader.u64(), reader.u64(), reader.u16()};
  BW_CHECK(reader.finish("unsubscribe"));
  const auto owner = session.streams.find(id.stream);
  if (owner != session.streams.end()) {
    const auto found = owner->second->subscriptions.find(id);
    if (found != owner->second->subscriptions.end()) {
      if (owner->second->entity != stream.entity) {
        return fail(ErrorCode::kDenied, "the subscription is entity {}'s, who alone can end it",
                    owner->second->entity->key.text());
      }
      Subscription& ended = **found;
      owner->second->subscriptions.erase(found);
      subscriptions.remove(ended);
      return {};
    }
  }
  return fail(ErrorCode::kNotFound, "no such subscription stands on this session");
}

}  // namespace bw::syndication
