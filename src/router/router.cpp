// SPDX-License-Identifier: Apache-2.0
#include "router/router.hpp"

#include <unordered_map>

#include <boost/asio/post.hpp>

#include "net/task_group.hpp"
#include "session/session.hpp"

namespace bw::router {
namespace {

using syndication::SessionId;

constexpr Duration kTick = 1s;

}  // namespace

// Kept by shared_ptr so that news from other threads can find it gone.
struct Router::Impl final : syndication::RouterOutput, std::enable_shared_from_this<Router::Impl> {
  Impl(net::asio::io_context& io, replica::Replica& node, syndication::MessageStore& store,
       const crypto::SigningKey& own, const Clock& wall_clock, telemetry::Log& logger,
       HeadExchange head_exchange, Options chosen)
      : context(io),
        replica(node),
        key(own),
        clock(wall_clock),
        log(logger),
        heads(std::move(head_exchange)),
        options(std::move(chosen)),
        tasks(io.get_executor()),
        core(
            node, [this](const EntityKey& ns) { return carries(ns); }, store, *this,
            options.limits) {}

  // Asked by the core for each namespace when the ledger changes, not per message.
  bool carries(const EntityKey& ns) const {
    const auto designated = replica.store().designated_router(ns, clock.now());
    return designated && *designated && (*designated)->router == key.public_key();
  }

  // ---- RouterOutput
  void send(SessionId session, syndication::SharedFrames frames, bool droppable) override {
    const auto found = sessions.find(session);
    if (found != sessions.end()) found->second.channel->send(std::move(frames), droppable);
  }

  void close(SessionId session, const Error& reason) override {
    const auto found = sessions.find(session);
    if (found == sessions.end()) return;
    log.limited(telemetry::Level::kWarning, "router", "closing a session",
                {{"entity", found->second.peer.text()}, {"reason", reason.message}});
    session::close_with(*found->second.channel, reason);
  }

  // ---- sessions
  // Whoever connects must be a registered, live entity: fresh identities cost a ledger entry.
  Result<void> welcome(const session::Peer& peer) const {
    if (peer.role != syndication::Role::kAgent) {
      return fail(ErrorCode::kInvalidArgument, "this is a router: only agents connect to it");
    }
    // First, because whoever was shown another history may be registered in that one only.
    if (!peer.head.empty() && heads.compare) BW_CHECK(heads.compare(peer.head));
    BW_TRY(const auto status, replica.entity(peer.key));
    if (!status) {
      return fail(ErrorCode::kNotFound,
                  "entity {} is not on the ledger as far as this router knows; "
                  "register it, or try again in a moment",
                  peer.key.text());
    }
    if (status->revoked) return fail(ErrorCode::kRevoked, "entity {} is revoked", peer.key.text());
    if (clock.now() >= status->expires) {
      return fail(ErrorCode::kExpired, "entity {} expired; renew it", peer.key.text());
    }
    return {};
  }

  net::Task<void> serve(net::ChannelPtr channel) {
    session::Self self{&key, syndication::Role::kRouter, heads.latest ? heads.latest() : Bytes{}};
    session::Welcome check = [this](const session::Peer& who) { return welcome(who); };
    const auto peer = co_await session::accept(channel, std::move(self), std::move(check));
    if (!peer) {
      log.limited(telemetry::Level::kInfo, "router", "refused a connection",
                  {{"from", channel->peer_address()}, {"reason", peer.error().message}});
      co_return;
    }
    const SessionId id = next_session++;
    sessions.emplace(id, Session{channel, peer->key});
    core.open(id, peer->key, channel->exporter(), clock.now());
    session::OnFrames on_frames = [this, id](std::span<const ByteView> frames) -> Result<void> {
      core.receive(id, frames, clock.now());
      return {};
    };
    const Error ended = co_await session::run(channel, std::move(on_frames));
    core.closed(id);
    sessions.erase(id);
    log.limited(telemetry::Level::kDebug, "router", "session ended",
                {{"entity", peer->key.text()}, {"reason", ended.message}});
  }

  net::Task<void> tick_for_ever() {
    while (co_await net::sleep_for(kTick)) {
      for (const auto& [id, session] : sessions) {
        if (const std::uint64_t lost = session.channel->take_lost(); lost > 0) core.lost(id, lost);
      }
      core.tick(clock.now());
    }
  }

  void authority_changed(const ledger::Effects& effects) {
    core.authority_changed(effects.entities, effects.revoked_dots, effects.affinity, clock.now());
  }

  struct Session {
    net::ChannelPtr channel;
    EntityKey peer;
  };

  net::asio::io_context& context;
  replica::Replica& replica;
  const crypto::SigningKey& key;
  const Clock& clock;
  telemetry::Log& log;
  HeadExchange heads;
  Options options;
  std::unordered_map<SessionId, Session> sessions;
  SessionId next_session = 1;
  net::TaskGroup tasks;
  syndication::RouterCore core;
  std::unique_ptr<net::Listener> listener;
  replica::Replica::ListenerId news = 0;
};

Router::Router(net::asio::io_context& context, replica::Replica& replica,
               syndication::MessageStore& store, const crypto::SigningKey& key, const Clock& clock,
               telemetry::Log& log, HeadExchange heads, Options options)
    : impl_(std::make_shared<Impl>(context, replica, store, key, clock, log, std::move(heads),
                                   std::move(options))) {}

Router::~Router() = default;

Result<void> Router::start() {
  BW_TRY(impl_->listener,
         net::Listener::bind(impl_->context, impl_->options.listen, impl_->options.connections));
  impl_->tasks.on_failure([this](std::exception_ptr failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      impl_->log.write(telemetry::Level::kError, "router", "a session failed",
                       {{"why", error.what()}});
    }
  });
  impl_->tasks.spawn(impl_->listener->run(
      [this](net::ChannelPtr channel) { impl_->tasks.spawn(impl_->serve(std::move(channel))); }));
  impl_->tasks.spawn(impl_->tick_for_ever());
  impl_->news =
      impl_->replica.listen([weak = std::weak_ptr(impl_)](const ledger::Effects& effects) {
        const auto impl = weak.lock();
        if (!impl) return;
        net::asio::post(impl->context, [impl, effects] { impl->authority_changed(effects); });
      });
  impl_->log.write(telemetry::Level::kInfo, "router", "listening",
                   {{"address", address()}, {"key", key().text()}});
  return {};
}

net::Task<void> Router::stop() {
  impl_->replica.forget(impl_->news);
  if (impl_->listener) impl_->listener->stop();
  const Error leaving{ErrorCode::kUnavailable, "the router is shutting down"};
  for (const auto& [id, session] : impl_->sessions) session::close_with(*session.channel, leaving);
  impl_->tasks.cancel();
  co_await impl_->tasks.join();
}

const EntityKey& Router::key() const {
  return impl_->key.public_key();
}
std::string Router::address() const {
  return impl_->listener ? impl_->listener->address() : "";
}
syndication::RouterStats Router::stats() const {
  return impl_->core.stats();
}
std::vector<syndication::BlacklistEntry> Router::blacklist() const {
  return impl_->core.blacklist(impl_->clock.now());
}

}  // namespace bw::router
