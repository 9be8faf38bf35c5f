// SPDX-License-Identifier: Apache-2.0
#include "router/desk.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "base/limits.hpp"
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
    if (inward.kind == Inward::Kind::kParcel) {
      parcels_.push_back(inward.parcel.get());
      continue;
    }
    take_parcels();
    take_step(inward);
  }
  take_parcels();
  sweep_soon();
}

void Desk::take_step(const Inward& inward) {
  Connection& connection = *inward.connection;
  switch (inward.kind) {
    case Inward::Kind::kOpened:
      places_.emplace(connection.id, Place{connection.peer, &connection});
      return core_.open(connection.id, connection.peer, clock_.now());
    case Inward::Kind::kLost:
      return core_.lost(connection.id, inward.lost);
    case Inward::Kind::kLeaving:
      return leaves(connection);
    case Inward::Kind::kArrived:
      return arrives(connection);
    default:
      core_.closed(connection.id);
      places_.erase(connection.id);
      tell(connection, Outward::LetGo{});
  }
}

void Desk::leaves(Connection& connection) {
  places_.at(connection.id).connection = nullptr;
  tell(connection, Outward::LetGo{});
}

void Desk::arrives(Connection& connection) {
  Place& place = places_.at(connection.id);
  place.connection = &connection;
  place.waiting_bytes = 0;
  for (Outward::What& what : std::exchange(place.waiting, {})) tell(connection, std::move(what));
  if (const auto lost = std::exchange(place.lost, 0)) core_.lost(connection.id, lost);
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
  tell(session, Outward::Send{std::move(frames), droppable});
}

void Desk::close(syndication::SessionId session, const Error& reason) {
  const auto found = places_.find(session);
  if (found == places_.end()) return;
  log_.limited(telemetry::Level::kWarning, "router", "closing a session",
               {{"entity", found->second.peer.text()}, {"reason", reason.message}});
  tell(session, reason);
}

void Desk::ended(syndication::SessionId session, const EntityKey& entity, std::uint64_t stream) {
  tell(session, Outward::Ended{entity, stream});
}

void Desk::tell(syndication::SessionId session, Outward::What what) {
  const auto found = places_.find(session);
  if (found == places_.end()) return;
  Place& place = found->second;
  place.connection != nullptr ? tell(*place.connection, std::move(what))
                              : hold(place, std::move(what));
}

void Desk::hold(Place& place, Outward::What what) {
  if (const auto* send = std::get_if<Outward::Send>(&what); send != nullptr && send->droppable) {
    if (place.waiting_bytes >= limits::kSessionQueueBytes) {
      ++place.lost;
      return;
    }
    place.waiting_bytes += send->frames->size();
  }
  place.waiting.push_back(std::move(what));
}

void Desk::tell(Connection& connection, Outward::What what) {
  Outward news{&connection, std::move(what)};
  if (connection.lane.local()) return Lane::take_news(news, sending_);
  mail_for(connection.lane).news.push_back(std::move(news));
}

Mail& Desk::mail_for(Lane& lane) {
  Mail& mail = lane.mail();
  if (mail.empty()) with_mail_.push_back(&lane);
  return mail;
}

void Desk::post_mail() {
  for (const net::ChannelPtr& channel : sending_) channel->send_now();
  sending_.clear();
  for (Lane* lane : with_mail_) lane->post_mail();
  with_mail_.clear();
}

}  // namespace bw::router
