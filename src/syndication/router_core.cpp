// SPDX-License-Identifier: Apache-2.0
#include "syndication/router_core.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "syndication/router_impl.hpp"

namespace bw::syndication {
namespace {

constexpr Duration kPurgeInterval = 10s;

}  // namespace

RouterCore::RouterCore(const wave::AuthorityView& authority, Carries carries, MessageStore& store,
                       RouterOutput& output, RouterLimits limits)
    : impl_(std::make_unique<Impl>(authority, std::move(carries), store, output, limits)) {}
RouterCore::~RouterCore() = default;

RouterCore::Impl::Impl(const wave::AuthorityView& view, Carries serves, MessageStore& messages,
                       RouterOutput& out, RouterLimits bounds)
    : authority(view),
      store(messages),
      output(out),
      shared{.authority = view,
             .carries = std::move(serves),
             .limits = bounds,
             .grants{view, bounds.grants_remembered},
             .blacklist{bounds.strikes_to_blacklist, bounds.blacklist_for},
             .accounts{Allowance{bounds.messages_per_second_per_entity, bounds.wasted_share}}},
      outbox(out),
      fan_out(subscriptions, outbox) {}

Intake RouterCore::intake(SessionId session, const EntityKey& peer, const Hash& exporter,
                          Time now) {
  return {impl_->shared, session, peer, exporter, now};
}

Result<void> RouterCore::admit(const EntityKey& entity, Time now) const {
  BW_CHECK(impl_->shared.admit(entity, now));
  return {};
}

void RouterCore::open(SessionId session, const EntityKey& peer, Time now) {
  impl_->open(session, peer, now);
}

void RouterCore::take(std::span<Parcel* const> parcels, Time now) {
  impl_->take(parcels, now);
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

bool RouterCore::has_to_sweep() const {
  return !impl_->dying.empty();
}

bool RouterCore::sweep() {
  return impl_->sweep();
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
  return impl_->shared.blacklist.entries(now);
}

void RouterCore::Impl::open(SessionId id, const EntityKey& peer, Time now) {
  const auto expires = shared.admit(peer, now);
  if (!expires) return outbox.refuse(id, expires.error());
  const auto known = entities.find(peer);
  if (known != entities.end() && known->second.sessions >= limits.sessions_per_entity) {
    return outbox.refuse(
        id, {ErrorCode::kLimited, fmt::format("entity {} has {} sessions here; close some",
                                              peer.text(), known->second.sessions)});
  }
  auto session = std::make_shared<Session>();
  session->id = id;
  session->peer = &hold(peer, *expires);
  ++session->peer->sessions;
  BW_ASSERT(sessions.try_emplace(id, std::move(session)).second);
}

Entity& RouterCore::Impl::hold(const EntityKey& key, Time expires) {
  Entity& entity = entities.try_emplace(key, Entity{.key = key, .expires = expires}).first->second;
  ++entity.holders;
  return entity;
}

void RouterCore::Impl::release(Entity& entity) {
  if (--entity.holders == 0) entities.erase(EntityKey(entity.key));
}

void RouterCore::Impl::take(std::span<Parcel* const> parcels, Time now) {
  for (Parcel* parcel : parcels) take(*parcel, now);
  flush(now);
}

void RouterCore::Impl::take(Parcel& parcel, Time now) {
  const auto found = sessions.find(parcel.session);
  if (found == sessions.end()) return;
  Session& session = *found->second;
  stats.batches_in += parcel.counts.batches;
  stats.messages_in += parcel.counts.messages;
  stats.refused += parcel.counts.refused;
  stats.bad_signatures += parcel.counts.bad_signatures;
  stats.replayed += parcel.counts.replayed;
  stats.wasted_us += parcel.counts.wasted_us;
  if (!parcel.answers.empty()) append(outbox.answers(session), parcel.answers);
  for (const Parcel::Step& next : parcel.steps) {
    std::visit([&](const auto& one) { step(session, one, now); }, next);
  }
  if (parcel.breach) {
    flush(now);
    close(session, *parcel.breach);
  }
  for (const Parcel::Strike& one : parcel.strikes) strike(one, now);
}

void RouterCore::Impl::flush(Time now) {
  commit(now);
  acknowledge();
  outbox.flush();
}

void RouterCore::Impl::close(Session& session, const Error& reason) {
  outbox.close(session, reason);
  drop(session);
}

void RouterCore::Impl::drop(Session& session) {
  static const Error kGone{ErrorCode::kUnavailable, "the session that carried the stream is over"};
  std::size_t most = kRemovedAtOnce;
  while (!session.streams.empty()) {
    Stream& stream = *session.streams.begin()->second;
    tell_end(stream, kGone, &session);
    most -= remove_subscriptions(stream, most);
    bury(session, stream);
  }
  for (auto& [stream, topics] : session.told_topics) stream->told.erase(session.id);
  outbox.forget(session);
  --session.peer->sessions;
  release(*session.peer);
  sessions.erase(session.id);
}

bool RouterCore::Impl::sweep() {
  if (dying.empty()) return false;
  Stream& stream = *dying.front().stream;
  remove_subscriptions(stream, kRemovedAtOnce);
  if (stream.subscriptions.empty()) {
    release(*stream.entity);
    dying.pop_front();
  }
  return !dying.empty();
}

void RouterCore::Impl::tick(Time now) {
  std::vector<EntityKey> expired;
  for (const auto& [key, entity] : entities) {
    if (now >= entity.expires) expired.push_back(key);
  }
  for (const EntityKey& key : expired) recheck(key, now);
  recheck_carried(now);
  for (Subscription* subscription : subscriptions.due(now)) recheck(*subscription, now);
  shared.blacklist.tick(now);
  shared.accounts.tick(now);
  publish_limits.tick(now);
  if (now - last_purge < kPurgeInterval) return;
  last_purge = now;
  // What could not be purged now is purged next time; reading skips it anyway.
  (void)store.purge(now);
}

}  // namespace bw::syndication
