// SPDX-License-Identifier: Apache-2.0
#include "router/router.hpp"

#include <algorithm>
#include <ranges>

#include <boost/asio/post.hpp>

#include "router/lane.hpp"

namespace bw::router {
namespace {

constexpr Duration kTick = 1s;

// What a session on the routing thread counts against one elsewhere, so that no thread has more to
// do than another: routing takes about a third of what verifying does (docs/performance.md).
constexpr std::size_t weight_of_routing_thread(std::size_t threads) {
  return threads == 2 ? 2 : 4;
}

}  // namespace

// Kept by shared_ptr so that news from other threads can find it gone.
struct Router::Impl final : std::enable_shared_from_this<Router::Impl> {
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
        desk(std::make_shared<Desk>(
            io, node, [this](const EntityKey& ns) { return carries(ns); }, store, clock, log,
            options.limits)),
        tasks(io.get_executor()) {
    const Lane::Elsewhere elsewhere = [this](Lane::Kind from) -> Lane& {
      return from == Lane::Kind::kBackground ? least_busy() : *background;
    };
    for (std::size_t i = 0; i < std::max<std::size_t>(options.threads, 1); ++i) {
      const auto kind = i == 0 ? Lane::Kind::kCore : Lane::Kind::kForeground;
      foreground.push_back(std::make_unique<Lane>(*desk, clock, log, kind, elsewhere));
    }
    background = std::make_unique<Lane>(*desk, clock, log, Lane::Kind::kBackground, elsewhere);
  }

  // Asked for each namespace when the ledger changes, not per message. Any thread.
  bool carries(const EntityKey& ns) const {
    const auto designated = replica.store().designated_router(ns, clock.now());
    return designated && *designated && (*designated)->router == key.public_key();
  }

  // Whoever connects must be a registered, live entity: fresh identities cost a ledger entry. Any
  // thread.
  Result<void> welcome(const session::Peer& peer) const {
    if (peer.role != syndication::Role::kAgent) {
      return fail(ErrorCode::kInvalidArgument, "this is a router: only agents connect to it");
    }
    // First, because whoever was shown another history may be registered in that one only.
    if (!peer.head.empty() && heads.compare) BW_CHECK(heads.compare(peer.head));
    return desk->core().admit(peer.key, clock.now());
  }

  Lane& least_busy() {
    if (foreground.size() == 1) return *foreground[0];
    const auto load = [&](const std::unique_ptr<Lane>& lane) {
      return lane->sessions() * (lane->local() ? weight_of_routing_thread(foreground.size()) : 1);
    };
    return **std::ranges::min_element(foreground, {}, load);
  }

  // Handshakes can be asked for by anybody, so they happen in the background.
  net::Task<void> receive(net::ChannelPtr channel) {
    session::Self self{&key, syndication::Role::kRouter, heads.latest ? heads.latest() : Bytes{}};
    session::Welcome check = [this](const session::Peer& peer) { return welcome(peer); };
    const auto peer = co_await session::accept(channel, std::move(self), std::move(check));
    if (!peer) {
      log.limited(telemetry::Level::kInfo, "router", "refused a connection",
                  {{"from", channel->peer_address()}, {"reason", peer.error().message}});
      co_return;
    }
    co_await background->serve(std::move(channel), peer->key);
  }

  net::Task<void> tick_for_ever() {
    while (co_await net::sleep_for(kTick)) desk->tick();
  }

  void start_listening() {
    net::asio::post(background->context(), [this] {
      background->spawn(listener->run(
          [this](net::ChannelPtr channel) { background->spawn(receive(std::move(channel))); }));
    });
  }

  void stop_listening() {
    if (listener == nullptr) return;
    net::asio::post(background->context(), [this] { listener->stop(); });
  }

  net::asio::io_context& context;
  replica::Replica& replica;
  const crypto::SigningKey& key;
  const Clock& clock;
  telemetry::Log& log;
  HeadExchange heads;
  Options options;
  std::shared_ptr<Desk> desk;
  std::vector<std::unique_ptr<Lane>> foreground;  // the first is the context's
  std::unique_ptr<Lane> background;
  net::TaskGroup tasks;
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
  BW_TRY(impl_->listener, net::Listener::bind(impl_->background->context(), impl_->options.listen,
                                              impl_->options.connections));
  for (const auto& lane : impl_->foreground) lane->start();
  impl_->background->start();
  impl_->start_listening();
  impl_->tasks.spawn(impl_->tick_for_ever());
  impl_->news =
      impl_->replica.listen([weak = std::weak_ptr(impl_)](const ledger::Effects& effects) {
        const auto impl = weak.lock();
        if (!impl) return;
        net::asio::post(impl->context, [impl, effects] {
          impl->desk->authority_changed(effects.entities, effects.revoked_dots, effects.affinity);
        });
      });
  impl_->log.write(telemetry::Level::kInfo, "router", "listening",
                   {{"address", address()},
                    {"key", key().text()},
                    {"threads", std::to_string(impl_->foreground.size())}});
  return {};
}

net::Task<void> Router::stop() {
  impl_->replica.forget(impl_->news);
  impl_->stop_listening();
  impl_->desk->close();
  // The background first: after it no session comes to the others.
  co_await impl_->background->stop();
  for (const auto& lane : impl_->foreground | std::views::reverse) co_await lane->stop();
  co_await impl_->tasks.join();
}

const EntityKey& Router::key() const {
  return impl_->key.public_key();
}
std::string Router::address() const {
  return impl_->listener ? impl_->listener->address() : "";
}
syndication::RouterStats Router::stats() const {
  return impl_->desk->core().stats();
}
std::size_t Router::background_sessions() const {
  return impl_->background->sessions();
}
std::vector<syndication::BlacklistEntry> Router::blacklist() const {
  return impl_->desk->core().blacklist(impl_->clock.now());
}

}  // namespace bw::router
