// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/follower.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include "ledger_ethereum/follower_round.hpp"

namespace bw::ledger_ethereum {
namespace {

constexpr Duration kRetryMost = 60s;

}  // namespace

struct Follower::Impl {
  Impl(Endpoints& all, HeadSource& source, ledger::RewindableSink& entries, const Clock& wall_clock,
       telemetry::Log& logger, FollowerOptions chosen)
      : endpoints(all),
        heads(source),
        clock(wall_clock),
        log(logger),
        options(std::move(chosen)),
        holding(entries, wall_clock, logger, options.marks, options.registry,
                options.deployment_block),
        backoff(std::min<Duration>(options.poll, 1s), kRetryMost, to_micros(wall_clock.now())) {}

  net::Task<Result<void>> look() {
    if (!loaded) {
      const auto done = holding.load();
      if (!done) co_return done;
      loaded = true;
    }
    Round round(endpoints, heads, holding, options);
    const auto done = co_await round.run();
    const Time at = std::min(clock.now(), round.found().latest.time);
    if (done) holding.sink().heard(at);
    note(round.found(), done, at);
    co_return done;
  }

  void note(const Round::Found& found, const Result<void>& done, Time at) {
    const std::uint64_t size = holding.sink().size();
    const auto tree = holding.sink().tree(size);
    const std::scoped_lock lock(mutex);
    state.size = size;
    if (tree) state.root = tree->root();
    if (found.head) state.head = *found.head;
    if (!done) return;
    state.latest_block = found.latest.number;
    state.confirmed_block = found.confirmed.number;
    state.heard_at = at;
  }

  void trouble(std::optional<Error> why) {
    if (why) log.limited(telemetry::Level::kWarning, "ledger", why->message);
    const std::scoped_lock lock(mutex);
    state.trouble = std::move(why);
  }

  net::Task<void> wait_for_news() {
    if (!std::exchange(news, false)) {
      timer.emplace(co_await net::asio::this_coro::executor);
      timer->expires_after(options.poll);
      co_await timer->async_wait(net::asio::as_tuple(net::asio::use_awaitable));
      timer.reset();
    }
    news = false;
  }

  Endpoints& endpoints;
  HeadSource& heads;
  const Clock& clock;
  telemetry::Log& log;
  FollowerOptions options;
  Holding holding;
  net::Backoff backoff;
  bool loaded = false;
  bool news = false;
  std::optional<net::asio::steady_timer> timer;
  mutable std::mutex mutex;
  FollowerStatus state;  // guarded
};

Follower::Follower(Endpoints& endpoints, HeadSource& heads, ledger::RewindableSink& sink,
                   const Clock& clock, telemetry::Log& log, FollowerOptions options)
    : impl_(std::make_unique<Impl>(endpoints, heads, sink, clock, log, std::move(options))) {}

Follower::~Follower() = default;

net::Task<void> Follower::run() {
  while (!co_await net::is_cancelled()) {
    const auto done = co_await impl_->look();
    if (co_await net::is_cancelled()) co_return;
    impl_->trouble(done ? std::nullopt : std::optional(done.error()));
    if (done) {
      impl_->backoff.reset();
      co_await impl_->wait_for_news();
    } else {
      co_await net::sleep_for(impl_->backoff.next());
    }
  }
}

void Follower::wake() {
  impl_->news = true;
  if (impl_->timer) impl_->timer->cancel();
}

FollowerStatus Follower::status() const {
  const std::scoped_lock lock(impl_->mutex);
  FollowerStatus status = impl_->state;
  status.lag = impl_->clock.now() - status.heard_at;
  return status;
}

}  // namespace bw::ledger_ethereum
