// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <unordered_map>
#include <vector>

#include "syndication/fan_out.hpp"
#include "syndication/publish_limits.hpp"
#include "syndication/router_core.hpp"

namespace bw::syndication {

// Members by file: router_core.cpp (sessions and time), router_values.cpp (frames and batches),
// router_requests.cpp (subscribe, query, list, unsubscribe), router_changes.cpp (the ledger moved).
struct RouterCore::Impl {
  Impl(const wave::AuthorityView& view, Carries serves, MessageStore& messages, RouterOutput& out,
       RouterLimits bounds);

  static constexpr std::size_t kRemovedAtOnce = 32;  // subscriptions: some tens of microseconds

  // Sessions.
  void open(SessionId id, const EntityKey& peer, Time now);
  // Tells the peer why, and everybody else that its streams ended.
  void close(Session& session, const Error& reason);
  void drop(Session& session);
  Entity& hold(const EntityKey& key, Time expires);
  void release(Entity& entity);

  // Parcels.
  void take(std::span<Parcel* const> parcels, Time now);
  void take(Parcel& parcel, Time now);
  void step(Session& session, const Parcel::Attached& step, Time now);
  void step(Session& session, const Parcel::Refused& step, Time now);
  void step(Session& session, const Detach& step, Time now);
  void step(Session& session, const Ping& step, Time now);
  void step(Session& session, const Parcel::Part& part, Time now);
  // Ends a stream, and tells all who heard of it. Its subscriptions get nothing from now on; where
  // they are many, sweep() removes them.
  void end_stream(Session& session, Stream& stream, const Error& reason);
  void tell_end(Stream& stream, const Error& reason, const Session* but = nullptr);
  void bury(Session& session, Stream& stream);
  static Stream* stream_of(Session& session, const EntityKey& entity, std::uint64_t stream);
  void take_value(Session& session, Incoming& incoming, std::size_t position, Time now);
  // Whether the right that a message was verified by still holds; it is refused otherwise.
  bool holds(Session& session, Incoming& incoming, std::size_t position, Time now);
  void refuse(Session& session, const BatchView& batch, std::size_t position, const Error& reason);
  // Returns how many.
  std::size_t remove_subscriptions(Stream& stream, std::size_t most);
  bool sweep();
  void handled(Stream& stream, std::uint64_t sequence);
  void acknowledge();
  void strike(const Parcel::Strike& strike, Time now);

  // Stores what waits to be stored, then forwards what waits to be forwarded. Called before
  // anything that must see the effect, and at the end of each call.
  void commit(Time now);
  // Everything that waits goes out.
  void flush(Time now);
  void store_waiting();

  // Requests.
  void request(Session& session, const Incoming& incoming, std::size_t position, Time now);
  Result<void> subscribe(Session& session, const Incoming& incoming, std::size_t position,
                         Time now);
  Result<void> send_stored(Session& session, const RequestId& request, const Topic& topic,
                           Time now);
  Result<void> list(Session& session, const RequestId& request, const Topic& topic, Time now);
  Result<void> unsubscribe(Session& session, const Stream& stream, ByteView payload);
  void answer(Session& session, const RequestId& request, std::optional<Error> error);

  // Changes.
  void authority_changed(std::span<const EntityKey> entities, std::span<const ObjectId> dots,
                         std::span<const EntityKey> affinity, Time now);
  // Whatever rested on grants that hold no longer.
  void recheck(const std::vector<GrantPtr>& invalid, Time now);
  void recheck(Subscription& subscription, Time now);
  void end(Subscription& subscription, const Error& reason);
  // Ends sessions and streams of an entity that may not take part any more.
  void recheck(const EntityKey& entity, Time now);
  void shut_out(const EntityKey& entity, const Error& reason);
  void end_streams(Session& session, const EntityKey& entity, const Error& reason);
  // Affinity can lapse by time alone, without a change of the ledger.
  void recheck_carried(Time now);
  void tick(Time now);

  const wave::AuthorityView& authority;
  MessageStore& store;
  RouterOutput& output;
  IntakeShared shared;
  const RouterLimits& limits = shared.limits;
  const Carries& carries = shared.carries;
  GrantCache& grants = shared.grants;
  Outbox outbox;
  PublishLimits publish_limits;
  Subscriptions subscriptions;
  FanOut fan_out;
  std::unordered_map<EntityKey, Entity> entities;
  std::map<SessionId, std::shared_ptr<Session>> sessions;
  // Streams that are over, with what their subscriptions refer to.
  struct Dying {
    std::shared_ptr<Session> session;
    std::unique_ptr<Stream> stream;
  };
  std::deque<Dying> dying;
  RouterStats stats;
  Time last_purge{};

  // Of the call at hand. Batches stay where they are until its end.
  struct Waiting {
    Incoming* incoming;
    std::size_t from;  // positions [from, to) are to be forwarded
    std::size_t to;
  };
  struct WaitingPersist {
    Session* session;
    Incoming* incoming;
    std::size_t position;
  };
  std::vector<Waiting> waiting;
  std::vector<StoredMessage> persists;
  std::vector<WaitingPersist> persist_places;  // as many
  std::vector<Stream*> acks_due;
};

}  // namespace bw::syndication
