// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "syndication/router_impl.hpp"
#include "wave/link.hpp"

namespace bw::syndication {
namespace {

// A no that speaks of this node, not of the subscription: it stays, without deliveries, and is
// asked again.
bool is_undecided(ErrorCode code) {
  return code == ErrorCode::kStale || code == ErrorCode::kIo || code == ErrorCode::kCorrupt;
}

}  // namespace

void RouterCore::Impl::authority_changed(std::span<const EntityKey> changed_entities,
                                         std::span<const ObjectId> dots,
                                         std::span<const EntityKey> affinity, Time now) {
  // Grants in a namespace rest on its entity, so this also asks anew who carries it.
  std::vector<EntityKey> touched(changed_entities.begin(), changed_entities.end());
  touched.insert(touched.end(), affinity.begin(), affinity.end());
  recheck(grants.changed(touched, dots), now);
  for (const EntityKey& entity : changed_entities) recheck(entity, now);
}

void RouterCore::Impl::recheck(const std::vector<GrantPtr>& invalid, Time now) {
  std::vector<Subscription*> resting;
  for (const GrantPtr& grant : invalid) {
    for (Subscription* subscription : subscriptions.resting_on(*grant)) {
      resting.push_back(subscription);
    }
  }
  std::ranges::sort(resting, {}, &Subscription::handle);
  for (Subscription* subscription : resting) recheck(*subscription, now);
}

void RouterCore::Impl::recheck(Subscription& subscription, Time now) {
  if (subscription.stream->over) return;
  if (now >= subscription.expires) {
    return end(subscription,
               {ErrorCode::kExpired, "the subscription expired " + to_text(subscription.expires)});
  }
  const wave::Request& request = subscription.grant->request;
  if (!carries(request.ns)) {
    return end(subscription,
               {ErrorCode::kUnavailable,
                fmt::format("namespace {} is no longer carried by this router; look up its "
                            "designated router",
                            request.ns.text())});
  }
  const TopicState& topic = *subscription.topic;
  auto grant = grants.authorize(request, topic.topic.proof, *topic.proof, now);
  if (grant) {
    subscriptions.renew(subscription, *std::move(grant));
  } else if (is_undecided(grant.error().code)) {
    subscriptions.doubt(subscription);
  } else {
    end(subscription, grant.error().to_error());
  }
}

void RouterCore::Impl::end(Subscription& subscription, const Error& reason) {
  ++stats.subscriptions_ended;
  Session& session = *subscription.session;
  const RequestId id = subscription.request;
  answer(session, id, reason);
  session.streams.at(id.stream)->subscriptions.erase(&subscription);
  subscriptions.remove(subscription);
}

void RouterCore::Impl::recheck(const EntityKey& key, Time now) {
  const auto found = entities.find(key);
  if (found == entities.end()) return;
  const auto status = authority.entity(key);
  if (!status) return;  // asked again when it expires
  const auto obstacle = wave::entity_obstacle(*status, now);
  if (!obstacle) {
    found->second.expires = (*status)->expires;
    return;
  }
  shut_out(key, {*obstacle, wave::entity_words(*obstacle, key)});
}

void RouterCore::Impl::shut_out(const EntityKey& key, const Error& reason) {
  for (auto next = sessions.begin(); next != sessions.end();) {
    Session& session = *(next++)->second;
    if (session.peer->key == key) {
      close(session, reason);
    } else {
      end_streams(session, key, reason);
    }
  }
}

void RouterCore::Impl::end_streams(Session& session, const EntityKey& entity, const Error& reason) {
  for (auto next = session.streams.begin(); next != session.streams.end();) {
    Stream& stream = *(next++)->second;
    if (stream.entity->key == entity) end_stream(session, stream, reason);
  }
}

void RouterCore::Impl::recheck_carried(Time now) {
  std::vector<EntityKey> lapsed;
  for (auto& [ns, state] : subscriptions.namespaces()) {
    const bool carried = carries(ns);
    if (state.carried && !carried) lapsed.push_back(ns);
    state.carried = carried;
  }
  if (!lapsed.empty()) recheck(grants.changed(lapsed, {}), now);
}

}  // namespace bw::syndication
