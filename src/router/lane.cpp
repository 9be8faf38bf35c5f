// SPDX-License-Identifier: Apache-2.0
#include "router/lane.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "net/thread_priority.hpp"

namespace bw::router {
namespace {

using syndication::Parcel;

constexpr auto kAwait = net::asio::as_tuple(net::asio::use_awaitable);
constexpr Duration kTellLost = 1s;
// A session verifies its next parcel while the core routes the one before; no session may fill the
// lane.
constexpr std::size_t kParcelsPerSession = 2;
constexpr std::size_t kParcelsPerLane = 64;
constexpr std::size_t kBytesPerLane = 16 * 1024 * 1024;
constexpr std::size_t kSpareParcels = 16;
// A closing channel has a second for its last frames.
constexpr Duration kLastFrames = 2s;
// How long after the last fault a session is in the background: longer than it takes to move, so
// that nobody makes sessions move all the time.
constexpr Duration kProbation = 1s;

// Until somebody calls changed.cancel().
net::Task<void> wait(net::asio::steady_timer& changed) {
  changed.expires_at(std::chrono::steady_clock::time_point::max());
  co_await changed.async_wait(kAwait);
}

Error shutting_down() {
  return {ErrorCode::kUnavailable, "the router is shutting down"};
}

// Who sent values that were taken is worth much attention, and whoever else has to wait between a
// little and a little: it could be at the beginning of something large that is refused.
net::Channel::Appetite appetite_for(const Parcel& parcel) {
  using Appetite = net::Channel::Appetite;
  return parcel.counts.values > 0 && !parcel.has_faults() ? Appetite::kMuch : Appetite::kLittle;
}

}  // namespace

struct Lane::End {
  explicit End(net::asio::io_context& core) : timer(core) {}
  net::asio::steady_timer timer;
  bool over = false;
};

Lane::Lane(Desk& desk, const Clock& clock, telemetry::Log& log, Kind kind, Elsewhere elsewhere)
    : desk_(desk),
      clock_(clock),
      log_(log),
      kind_(kind),
      elsewhere_(std::move(elsewhere)),
      owned_(local() ? nullptr : std::make_shared<net::asio::io_context>(1)),
      context_(local() ? desk.context() : *owned_),
      tasks_(context_.get_executor()),
      own_spare_time_(),
      spare_time_(local() ? desk.spare_time() : own_spare_time_.emplace(context_, desk.values())) {
  tasks_.on_failure([this](std::exception_ptr failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      log_.write(telemetry::Level::kError, "router", "a session failed", {{"why", error.what()}});
    }
  });
}

Lane::~Lane() = default;

void Lane::start() {
  if (!local()) {
    work_.emplace(context_.get_executor());
    end_ = std::make_shared<End>(desk_.context());
    thread_ = std::thread([this, end = end_, &core = desk_.context()] {
      net::set_thread_priority(kind_ == Kind::kBackground ? net::ThreadPriority::kBackground
                                                          : net::ThreadPriority::kPrompt);
      context_.run();
      net::asio::post(core, [end] {
        end->over = true;
        end->timer.cancel();
      });
    });
  }
  net::asio::post(context_, [this] { tasks_.spawn(tell_lost()); });
}

net::Task<void> Lane::stop() {
  if (local()) co_return co_await end_sessions();
  if (!thread_.joinable()) co_return;
  co_await net::asio::co_spawn(context_, end_sessions(), net::asio::use_awaitable);
  work_.reset();
  end_->timer.expires_after(kLastFrames);
  if (!end_->over) co_await end_->timer.async_wait(kAwait);
  context_.stop();
  thread_.join();
}

net::Task<void> Lane::end_sessions() {
  spare_time_.hurry();
  for (Connection* connection : connections_) {
    session::close_with(*connection->channel, shutting_down());
  }
  co_await tasks_.join();
}

net::Task<void> Lane::serve(net::ChannelPtr channel, EntityKey peer) {
  expect();
  const syndication::SessionId id = desk_.next_session();
  auto intake = desk_.core().intake(id, peer, channel->exporter(), clock_.now());
  channel->set_appetite(net::Channel::Appetite::kLittle);
  return stay({id, peer, std::move(channel), std::move(intake)}, Inward::Kind::kOpened);
}

net::Task<void> Lane::stay(Session session, Inward::Kind begins) {
  const std::shared_ptr<void> counted(nullptr, [this](void*) { --sessions_; });
  Connection connection{{std::move(session)}, *this, net::asio::steady_timer(context_)};
  connection.intake.keep_bytes(!local());
  connections_.insert(&connection);
  submit(begins, connection);
  session::TakeFrames take_frames = [this, &connection](std::span<const ByteView> frames) {
    return take(connection, frames);
  };
  const auto ended = co_await session::serve(connection.channel, std::move(take_frames));
  if (!ended && co_await leave(connection)) co_return;
  connections_.erase(&connection);
  submit(Inward::Kind::kClosed, connection);
  while (!connection.let_go) co_await wait(connection.changed);
  co_await clear_up(connection);
  log_.limited(
      telemetry::Level::kDebug, "router", "session ended",
      {{"entity", connection.peer.text()}, {"reason", ended ? ended->message : "closed here"}});
}

// The core lets go of it here first, so that all that it sent before is in the channel.
net::Task<bool> Lane::leave(Connection& connection) {
  // Nothing more is said of it from here: the core could read it when it is gone.
  connections_.erase(&connection);
  submit(Inward::Kind::kLeaving, connection);
  while (!std::exchange(connection.let_go, false)) co_await wait(connection.changed);
  if (desk_.is_closing()) session::close_with(*connection.channel, shutting_down());
  if (!connection.channel->is_open()) {
    submit(Inward::Kind::kArrived, connection);
    co_return false;
  }
  Lane& there = elsewhere_(kind_);
  there.expect();
  connection.channel = connection.channel->move_to(there.context(), owned_);
  net::asio::post(there.context(), [&there, session = Session(std::move(connection))]() mutable {
    there.spawn(there.stay(std::move(session), Inward::Kind::kArrived));
  });
  co_return true;
}

net::Task<bool> Lane::take(Connection& connection, std::span<const ByteView> frames) {
  bool wants_spare_time = false;
  while ((!frames.empty() || connection.intake.unfinished()) && connection.channel->is_open()) {
    if (!local()) co_await room(connection);
    std::optional<SpareTime::Piece> piece;
    if (wants_spare_time) co_await piece.emplace(spare_time_, connection.peer).turn();
    auto parcel = fresh_parcel();
    const auto taken = connection.intake.take(frames, clock_.now(), *parcel, wants_spare_time);
    frames = frames.subspan(taken.frames);
    if (parcel->counts.values > 0) desk_.took_values(parcel->counts.values);
    connection.channel->set_appetite(appetite_for(*parcel));
    judge(connection, *parcel);
    if (parcel->empty()) {
      keep(std::move(parcel));
    } else {
      submit(
          {.kind = Inward::Kind::kParcel, .connection = &connection, .parcel = std::move(parcel)});
    }
    piece.reset();
    if (taken.pause > Duration{}) {
      co_await net::sleep_for(taken.pause);
    } else if (wants_spare_time || (!frames.empty() && !taken.wants_spare_time)) {
      co_await net::asio::post(kAwait);  // others have their turn
    }
    wants_spare_time = taken.wants_spare_time;
  }
  co_return !connection.wants_to_leave || !connection.channel->is_open() || desk_.is_closing();
}

void Lane::judge(Connection& connection, const Parcel& parcel) {
  const auto now = std::chrono::steady_clock::now();
  if (parcel.has_faults()) {
    connection.fault = now;
    connection.wants_to_leave = kind_ != Kind::kBackground;
  } else if (kind_ == Kind::kBackground && parcel.brings_messages()) {
    connection.wants_to_leave = !connection.fault || now - *connection.fault >= kProbation;
  }
}

std::unique_ptr<Parcel> Lane::fresh_parcel() {
  if (spare_.empty()) return std::make_unique<Parcel>();
  auto parcel = std::move(spare_.back());
  spare_.pop_back();
  return parcel;
}

void Lane::keep(std::unique_ptr<Parcel> parcel) {
  parcel->shared.clear();
  if (spare_.size() < kSpareParcels) spare_.push_back(std::move(parcel));
}

net::Task<void> Lane::clear_up(Connection& connection) {
  connection.intake.over();
  for (bool more = true; more;) {
    SpareTime::Piece piece(spare_time_, connection.peer);
    co_await piece.turn();
    more = connection.intake.forget_some();
    if (more) co_await net::asio::post(kAwait);
  }
}

bool Lane::full() const {
  return parcels_under_way_ >= kParcelsPerLane || bytes_under_way_ >= kBytesPerLane;
}

net::Task<void> Lane::room(Connection& connection) {
  while (connection.under_way >= kParcelsPerSession || full()) {
    if (full() && !std::exchange(connection.in_line, true)) {
      waiting_for_room_.push_back(&connection);
    }
    co_await wait(connection.changed);
  }
  if (std::exchange(connection.in_line, false)) std::erase(waiting_for_room_, &connection);
}

net::Task<void> Lane::tell_lost() {
  while (co_await net::sleep_for(kTellLost)) {
    for (Connection* connection : connections_) {
      const std::uint64_t lost = connection->channel->take_lost();
      if (lost == 0) continue;
      submit(
          {.kind = Inward::Kind::kLost, .connection = connection, .parcel = nullptr, .lost = lost});
    }
  }
}

void Lane::submit(Inward::Kind kind, Connection& connection) {
  submit({.kind = kind, .connection = &connection, .parcel = nullptr});
}

void Lane::submit(Inward inward) {
  if (local()) {
    desk_.take_here(inward);
    if (inward.parcel) keep(std::move(inward.parcel));
    return;
  }
  if (inward.parcel) {
    ++inward.connection->under_way;
    ++parcels_under_way_;
    bytes_under_way_ += inward.parcel->held_bytes;
  }
  bool called = false;
  {
    const std::scoped_lock lock(mutex_);
    gathered_.push_back(std::move(inward));
    called = std::exchange(fetch_coming_, true);
  }
  if (!called) desk_.fetch_soon(*this);
}

std::deque<Inward>& Lane::fetched() {
  if (fetched_.empty()) {
    std::vector<Inward> gathered;
    {
      const std::scoped_lock lock(mutex_);
      gathered.swap(gathered_);
    }
    std::ranges::move(gathered, std::back_inserter(fetched_));
  }
  return fetched_;
}

bool Lane::has_more() {
  if (!fetched_.empty()) return true;
  const std::scoped_lock lock(mutex_);
  fetch_coming_ = !gathered_.empty();
  return fetch_coming_;
}

void Lane::post_mail() {
  net::asio::post(context_, [this, mail = std::exchange(mail_, {})]() mutable { open_mail(mail); });
}

void Lane::open_mail(Mail& mail) {
  for (Inward& done : mail.done) {
    --done.connection->under_way;
    --parcels_under_way_;
    bytes_under_way_ -= done.parcel->held_bytes;
    done.connection->changed.cancel();
    keep(std::move(done.parcel));
  }
  for (std::size_t i = 0; i < mail.done.size() && !waiting_for_room_.empty() && !full(); ++i) {
    Connection& next = *waiting_for_room_.front();
    waiting_for_room_.pop_front();
    next.in_line = false;
    next.changed.cancel();
  }
  for (Outward& news : mail.news) take_news(news, sending_);
  for (const net::ChannelPtr& channel : sending_) channel->send_now();
  sending_.clear();
}

void Lane::take_news(Outward& news, std::vector<net::ChannelPtr>& sending) {
  Connection& to = *news.connection;
  if (auto* send = std::get_if<Outward::Send>(&news.what)) {
    to.channel->send(std::move(send->frames), send->droppable);
    if (sending.empty() || sending.back() != to.channel) sending.push_back(to.channel);
  } else if (const auto* ended = std::get_if<Outward::Ended>(&news.what)) {
    to.intake.ended(ended->entity, ended->stream);
  } else if (const auto* reason = std::get_if<Error>(&news.what)) {
    session::close_with(*to.channel, *reason);
  } else {
    to.let_go = true;
    to.changed.cancel();
  }
}

}  // namespace bw::router
