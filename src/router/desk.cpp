// SPDX-License-Identifier: Apache-2.0
#include "router/desk.hpp"

#include <algorithm>

#include <boost/asio/post.hpp>

#include "router/lane.hpp"

namespace bw::router {
namespace {

// Parcels of one lane that are routed together: enough to share a commit and a hand-over of
// deliveries, few enough that the other lanes and the core's own sessions do not wait long.
constexpr std::size_t kParcelsAtOnce = 8;

}  // namespace

Desk::Desk(net::asio::io_context& context, const wave::AuthorityView& authority,
           syndication::RouterCore::Carries carries, syndication::MessageStore& store,
           const Clock& clock, telemetry::Log& log, const syndication::RouterLimits& limits)
    : context_(context),
      clock_(clock),
      log_(log),
      core_(authority, std::move(carries), store, *this, limits),
      spare_time_(context, values_) {}

void Desk::take_here(Inward& inward) {
  take({&inward, 1});
  post_mail();
}

void Desk::fetch_soon(Lane& lane) {
  net::asio::post(context_, [self = shared_from_this(), &lane] { self->fetch(lane); });
}

void Desk::fetch(Lane& lane) {
  std::deque<Inward>& backlog = lane.fetched();
  std::vector<Inward> chunk;
  while (!backlog.empty() && chunk.size() < kParcelsAtOnce) {
    chunk.push_back(std::move(backlog.front()));
    backlog.pop_front();
  }
  take(chunk);
  for (Inward& done : chunk) {
    if (done.parcel) mail_for(lane).done.push_back(std::move(done));
  }
  post_mail();
  if (lane.has_more()) fetch_soon(lane);
}

void Desk::take(std::span<Inward> inwards) {
  for (Inward& inward : inwards) {
    Connection& connection = *inward.connection;
    if (inward.kind == Inward::Kind::kParcel) {
      parcels_.push_back(inward.parcel.get());
      continue;
    }
    take_parcels();
    switch (inward.kind) {
      case Inward::Kind::kOpened:
        connections_.emplace(connection.id, &connection);
        core_.open(connection.id, connection.peer, clock_.now());
        break;
      case Inward::Kind::kLost:
        core_.lost(connection.id, inward.lost);
        break;
      default:
        core_.closed(connection.id);
        connections_.erase(connection.id);
        tell(connection, Outward::LetGo{});
    }
  }
  take_parcels();
  sweep_soon();
}

void Desk::sweep_soon() {
  if (sweep_ || !core_.has_to_sweep()) return;
  sweep_.emplace(spare_time_, EntityKey{});
  sweep_->when_its_turn([this] {
    // Whatever is ready has its turn first.
    net::asio::post(context_, [self = shared_from_this()] {
      self->sweep_->begins();
      self->core_.sweep();
      self->post_mail();
      self->sweep_.reset();
      self->sweep_soon();
    });
  });
}

void Desk::take_parcels() {
  if (parcels_.empty()) return;
  core_.take(parcels_, clock_.now());
  parcels_.clear();
}

void Desk::authority_changed(std::span<const EntityKey> entities, std::span<const ObjectId> dots,
                             std::span<const EntityKey> affinity) {
  core_.authority_changed(entities, dots, affinity, clock_.now());
  post_mail();
}

void Desk::tick() {
  core_.tick(clock_.now());
  post_mail();
  sweep_soon();
}

void Desk::send(syndication::SessionId session, syndication::SharedFrames frames, bool droppable) {
  const auto found = connections_.find(session);
  if (found != connections_.end()) {
    tell(*found->second, Outward::Send{std::move(frames), droppable});
  }
}

void Desk::close(syndication::SessionId session, const Error& reason) {
  const auto found = connections_.find(session);
  if (found == connections_.end()) return;
  log_.limited(telemetry::Level::kWarning, "router", "closing a session",
               {{"entity", found->second->peer.text()}, {"reason", reason.message}});
  tell(*found->second, reason);
}

void Desk::ended(syndication::SessionId session, const EntityKey& entity, std::uint64_t stream) {
  const auto found = connections_.find(session);
  if (found != connections_.end()) tell(*found->second, Outward::Ended{entity, stream});
}

void Desk::tell(Connection& connection, Outward::What what) {
  Outward news{&connection, std::move(what)};
  if (connection.lane.local()) return Lane::take_news(news);
  mail_for(connection.lane).news.push_back(std::move(news));
}

Mail& Desk::mail_for(Lane& lane) {
  Mail& mail = lane.mail();
  if (mail.empty()) with_mail_.push_back(&lane);
  return mail;
}

void Desk::post_mail() {
  for (Lane* lane : with_mail_) lane->post_mail();
  with_mail_.clear();
}

}  // namespace bw::router
