// SPDX-License-Identifier: Apache-2.0
#include "router/spare_time.hpp"

#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace bw::router {
namespace {

// Values that came so long ago are no reason to wait.
constexpr Duration kValuesMatterFor = 50ms;
// A piece that took long is not held against everybody for longer.
constexpr Duration kLongestPause = 200ms;

}  // namespace

SpareTime::SpareTime(net::asio::io_context& context, const ValuesTaken& values)
    : timer_(context), values_(values) {}

SpareTime::~SpareTime() = default;

SpareTime::Piece::~Piece() {
  if (served_) {
    spare_.finish();
  } else if (ticket_ != 0) {
    spare_.waiting_.erase(ticket_);
    spare_.turns_.leave(ticket_);
  }
}

void SpareTime::Piece::when_its_turn(std::function<void()> then) {
  then_ = std::move(then);
  ticket_ = spare_.turns_.enter(entity_);
  spare_.waiting_.emplace(ticket_, this);
  if (!spare_.timing_ && !spare_.turns_.serving()) spare_.serve_next();
}

net::Task<void> SpareTime::Piece::turn() {
  net::asio::steady_timer wake(co_await net::asio::this_coro::executor,
                               std::chrono::steady_clock::time_point::max());
  when_its_turn([&wake] { wake.cancel(); });
  if (!served_) co_await wake.async_wait(net::asio::as_tuple(net::asio::use_awaitable));
  then_ = nullptr;
  if (served_) begins();
}

void SpareTime::hurry() {
  hurrying_ = true;
  if (!std::exchange(timing_, false)) return;
  timer_.cancel();
  if (!turns_.serving()) serve_next();
}

bool SpareTime::values_come(Clock::time_point now) {
  const std::uint64_t seen = values_.load(std::memory_order_relaxed);
  if (std::exchange(values_seen_, seen) != seen) values_came_ = now;
  return now - values_came_ < kValuesMatterFor;
}

void SpareTime::serve_next() {
  const auto now = Clock::now();
  if (now < next_at_ && !hurrying_ && turns_.waiting() > 0) {
    timing_ = true;
    timer_.expires_at(next_at_);
    timer_.async_wait([this, alive = std::weak_ptr(alive_)](const boost::system::error_code&) {
      if (alive.expired() || !std::exchange(timing_, false)) return;
      serve_next();
    });
    return;
  }
  const auto ticket = turns_.next();
  if (!ticket) return;
  const auto found = waiting_.find(*ticket);
  Piece& piece = *found->second;
  waiting_.erase(found);
  piece.served_ = true;
  began_ = now;
  if (piece.then_) piece.then_();
}

void SpareTime::finish() {
  const auto now = Clock::now();
  const auto took = now - began_;
  turns_.charge(took);
  const auto pause = took * (1 / kShare - 1);
  next_at_ = now;
  if (values_come(now)) {
    next_at_ += std::chrono::duration_cast<Clock::duration>(
        std::min<std::chrono::duration<double, std::nano>>(pause, kLongestPause));
  }
  if (!timing_) serve_next();
}

}  // namespace bw::router
