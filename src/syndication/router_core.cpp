// SPDX-License-Identifier: Apache-2.0
#include "syndication/router_core.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "syndication/router_impl.hpp"
#include "wave/link.hpp"

namespace bw::syndication {
namespace {

// Buffers of batches kept from call to call.
constexpr std::size_t kSpareBatches = 64;
constexpr Duration kPurgeInterval = 10s;

}  // namespace

RouterCore::RouterCore(const wave::AuthorityView& authority, Carries carries, MessageStore& store,
                       RouterOutput& output, RouterLimits limits)
    : impl_(std::make_unique<Impl>(authority, std::move(carries), store, output, limits)) {}
RouterCore::~RouterCore() = default;

RouterCore::Impl::Impl(const wave::AuthorityView& view, Carries serves, MessageStore& messages,
                       RouterOutput& out, RouterLimits bounds)
    : authority(view),
      carries(std::move(serves)),
      store(messages),
      limits(bounds),
      outbox(out),
      grants(view, bounds.grants_remembered),
      blacklist(bounds.strikes_to_blacklist, bounds.blacklist_for),
      fan_out(subscriptions, outbox) {}

void RouterCore::open(SessionId session, const EntityKey& peer, const Hash& exporter, Time now) {
  impl_->open(session, peer, exporter, now);
}

void RouterCore::receive(SessionId session, std::span<const ByteView> frames, Time now) {
  const auto found = impl_->sessions.find(session);
  if (found != impl_->sessions.end()) impl_->receive(*found->second, frames, now);
}

void RouterCore::closed(SessionId session) {
  const auto found = impl_->sessions.find(session);
  if (found == impl_->sessions.end()) return;
  impl_->drop(*found->second);
  impl_->outbox.flush();
}

void RouterCore::authority_changed(std::span<const EntityKey> entities,
                                   std::span<const ObjectId> dots,
                                   std::span<const EntityKey> affinity, Time now) {
  impl_->authority_changed(entities, dots, affinity, now);
  impl_->outbox.flush();
}

void RouterCore::tick(Time now) {
  impl_->tick(now);
  impl_->outbox.flush();
}

void RouterCore::lost(SessionId session, std::uint64_t count) {
  const auto found = impl_->sessions.find(session);
  if (found == impl_->sessions.end()) return;
  encode_frame(Lost{count}, impl_->outbox.answers(*found->second));
  impl_->outbox.flush();
}

RouterStats RouterCore::stats() const {
  RouterStats stats = impl_->stats;
  stats.sessions = impl_->sessions.size();
  for (const auto& [id, session] : impl_->sessions) stats.streams += session->streams.size();
  stats.subscriptions = impl_->subscriptions.size();
  return stats;
}

std::vector<BlacklistEntry> RouterCore::blacklist(Time now) const {
  return impl_->blacklist.entries(now);
}

Result<Time> RouterCore::Impl::admit(const EntityKey& key, Time now) const {
  if (const auto until = blacklist.banned_until(key, now)) return banned(key, *until);
  BW_TRY(const std::optional<wave::EntityStatus> status, authority.entity(key));
  if (const auto obstacle = wave::entity_obstacle(status, now)) {
    return fail(*obstacle, "{}", wave::entity_words(*obstacle, key));
  }
  return status->expires;
}

tl::unexpected<Error> RouterCore::Impl::banned(const EntityKey& key, Time until) {
  return fail(ErrorCode::kBlacklisted, "entity {} is refused until {} for earlier misbehaviour",
              key.text(), to_text(until));
}

void RouterCore::Impl::open(SessionId id, const EntityKey& peer, const Hash& exporter, Time now) {
  const auto expires = admit(peer, now);
  if (!expires) return outbox.refuse(id, expires.error());
  auto session = std::make_unique<Session>(Inbound(Inbound::Side::kRouter, grants, carries));
  session->id = id;
  session->peer = &hold(peer, *expires, now);
  session->exporter = exporter;
  BW_ASSERT(sessions.try_emplace(id, std::move(session)).second);
}

Entity& RouterCore::Impl::hold(const EntityKey& key, Time expires, Time now) {
  const double rate = limits.messages_per_second_per_entity;
  Entity& entity =
      entities
          .try_emplace(
              key, Entity{.key = key, .messages = TokenBucket(rate, rate, now), .expires = expires})
          .first->second;
  ++entity.holders;
  return entity;
}

void RouterCore::Impl::release(Entity& entity) {
  if (--entity.holders == 0) entities.erase(EntityKey(entity.key));
}

void RouterCore::Impl::receive(Session& session, std::span<const ByteView> frames, Time now) {
  std::optional<Error> breach;
  for (const ByteView frame : frames) {
    if (auto taken = take(session, frame, now); !taken) {
      breach = std::move(taken).error();
      break;
    }
  }
  commit(now);
  acknowledge(session);
  outbox.flush();
  batches_used = 0;
  if (batches.size() > kSpareBatches) batches.resize(kSpareBatches);
  if (!breach) return;
  close(session, *breach);
  outbox.flush();
}

void RouterCore::Impl::close(Session& session, const Error& reason) {
  outbox.close(session, reason);
  drop(session);
}

void RouterCore::Impl::drop(Session& session) {
  static const Error kGone{ErrorCode::kUnavailable, "the session that carried the stream is over"};
  while (!session.streams.empty()) end_stream(session, *session.streams.begin()->second, kGone);
  for (auto& [stream, topics] : session.told_topics) stream->told.erase(session.id);
  outbox.forget(session);
  release(*session.peer);
  sessions.erase(session.id);
}

void RouterCore::Impl::tick(Time now) {
  std::vector<EntityKey> expired;
  for (const auto& [key, entity] : entities) {
    if (now >= entity.expires) expired.push_back(key);
  }
  for (const EntityKey& key : expired) recheck(key, now);
  recheck_carried(now);
  for (Subscription* subscription : subscriptions.due(now)) recheck(*subscription, now);
  blacklist.tick(now);
  publish_limits.tick(now);
  if (now - last_purge < kPurgeInterval) return;
  last_purge = now;
  // What could not be purged now is purged next time; reading skips it anyway.
  (void)store.purge(now);
}

}  // namespace bw::syndication
