// SPDX-License-Identifier: Apache-2.0
#include "agent/router_link.hpp"

#include <boost/asio/post.hpp>

#include "session/session.hpp"

namespace bw::agent {
namespace {

using syndication::ClientSession;

constexpr Duration kConnectDeadline = 5s;
constexpr Duration kRetryFirst = 50ms;
constexpr Duration kRetryMost = 10s;
// A session that stood this long was a good one: the next retry starts afresh.
constexpr Duration kStable = 5s;

void add(ClientSession::Stats& sum, const ClientSession::Stats& more) {
  sum.messages_out += more.messages_out;
  sum.batches_out += more.batches_out;
  sum.messages_in += more.messages_in;
  sum.dropped_unverified += more.dropped_unverified;
  sum.dropped_unasked += more.dropped_unasked;
}

}  // namespace

RouterLink::RouterLink(Context context, EntityKey router, std::string address, Events events)
    : context_(std::move(context)),
      router_(router),
      address_(std::move(address)),
      events_(std::move(events)),
      tasks_(context_.io.get_executor()) {}

void RouterLink::start() {
  tasks_.spawn(run());
}

net::Task<void> RouterLink::stop() {
  stopping_ = true;
  if (channel_) channel_->close();
  tasks_.cancel();
  co_await tasks_.join();
  *alive_ = false;
  give_up_waiting(context_.clock.now(), true);
}

void RouterLink::move_to(std::string address) {
  if (address == address_) return;
  address_ = std::move(address);
  if (channel_) channel_->abort();
}

net::Task<void> RouterLink::run() {
  net::Backoff backoff(kRetryFirst, kRetryMost, crypto::system_random().u64());
  std::string tried;
  do {
    const Time began = context_.clock.now();
    tried = address_;
    const Error why = co_await run_once();
    channel_.reset();
    trouble_ = why;
    if (session_) {
      // Out of reach before anybody is told, so that nobody queues on a session that is over.
      const std::unique_ptr<ClientSession> over = std::move(session_);
      over->end(why);
      add(past_, over->stats());
      if (events_.on_down) events_.on_down();
    }
    if (stopping_) break;
    context_.log.limited(telemetry::Level::kWarning, "agent", "no session with router",
                         {{"router", router_.text()}, {"address", tried}, {"reason", why.message}});
    if (context_.clock.now() - began > kStable || tried != address_) backoff.reset();
  } while (co_await pause(backoff.next(), tried));
}

net::Task<bool> RouterLink::pause(Duration delay, std::string tried) {
  constexpr Duration kLook = 50ms;
  for (Duration waited{}; waited < delay && address_ == tried; waited += kLook) {
    if (!co_await net::sleep_for(std::min(kLook, delay - waited))) co_return false;
  }
  co_return true;
}

net::Task<Error> RouterLink::run_once() {
  const auto connected = co_await net::connect(address_, kConnectDeadline);
  if (!connected) co_return connected.error();
  channel_ = *connected;
  session::Self self{context_.self.get(), syndication::Role::kAgent,
                     context_.heads.latest ? context_.heads.latest() : Bytes{}};
  const auto peer =
      co_await session::open(channel_, std::move(self), router_, syndication::Role::kRouter);
  if (!peer) co_return peer.error();
  if (!peer->head.empty() && context_.heads.compare) {
    if (const auto same = context_.heads.compare(peer->head); !same) {
      session::close_with(*channel_, same.error());
      co_return same.error();
    }
  }
  session_ = std::make_unique<ClientSession>(channel_->exporter(), context_.grants,
                                             crypto::system_random(), context_.heard);
  trouble_.reset();
  std::deque<Waiter> ready = std::exchange(waiting_, {});
  for (Waiter& waiter : ready) waiter.use(session_.get());
  if (events_.on_up) events_.on_up();
  flush_soon();
  session::OnFrames on_frames = [this](std::span<const ByteView> frames) -> Result<void> {
    auto received = session_->receive(frames, context_.clock.now());
    if (received) flush_soon();  // answers to what came in, queued by callbacks
    return received;
  };
  co_return co_await session::run(channel_, std::move(on_frames));
}

void RouterLink::when_up(Duration patience, Use use) {
  if (session_) return use(session());
  waiting_.push_back({context_.clock.now() + patience, std::move(use)});
}

ClientSession* RouterLink::session() {
  if (session_) flush_soon();
  return session_.get();
}

void RouterLink::flush_soon() {
  if (std::exchange(flush_coming_, true)) return;
  net::asio::post(context_.io, [this, alive = alive_] {
    if (*alive) flush();
  });
}

void RouterLink::flush() {
  flush_coming_ = false;
  if (!session_ || !session_->has_waiting()) return;
  Bytes out;
  session_->flush(context_.clock.now(), out);
  if (out.empty()) return;
  channel_->send(std::move(out));
  channel_->send_now();  // all that this turn brought
}

void RouterLink::send_dated(const syndication::Outgoing& message, Time created,
                            syndication::Done done) {
  if (!session_) {
    return done(fail(ErrorCode::kUnavailable, "no session with router {}", router_.text()));
  }
  flush();  // what waits keeps its time
  session_->send_value(message, std::move(done));
  Bytes out;
  session_->flush(created, out);
  if (!out.empty()) channel_->send(std::move(out));
}

void RouterLink::tick(Time now) {
  give_up_waiting(now, false);
  if (!session_) return;
  session_->tick(now);
  keep_alive_.tick(*channel_, now);
}

ClientSession::Stats RouterLink::stats() const {
  ClientSession::Stats sum = past_;
  if (session_) add(sum, session_->stats());
  return sum;
}

void RouterLink::give_up_waiting(Time now, bool all) {
  std::deque<Waiter> kept;
  for (Waiter& waiter : std::exchange(waiting_, {})) {
    if (!all && now < waiter.deadline) {
      kept.push_back(std::move(waiter));
      continue;
    }
    waiter.use(fail(ErrorCode::kUnavailable, "no session with router {} at {}: {}", router_.text(),
                    address_,
                    all        ? "this agent is shutting down"
                    : trouble_ ? trouble_->message
                               : "it does not answer"));
  }
  // Callbacks may have queued more meanwhile.
  for (Waiter& waiter : waiting_) kept.push_back(std::move(waiter));
  waiting_ = std::move(kept);
}

}  // namespace bw::agent
