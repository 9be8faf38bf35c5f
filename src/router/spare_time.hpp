// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <unordered_map>

#include <boost/asio/steady_timer.hpp>

#include "net/channel.hpp"
#include "syndication/fair_turns.hpp"

namespace bw::router {

// How many messages with values a router took, over all its threads: while it rises they go first.
using ValuesTaken = std::atomic<std::uint64_t>;

// The time of one thread that values leave over, for work that comes in small pieces: entities have
// equal shares of it. While values come, all of them together get kShare of the thread, in pieces
// with pauses between; while none come, all of it. Called on its thread.
class SpareTime {
 public:
  static constexpr double kShare = 0.1;

  SpareTime(net::asio::io_context& context, const ValuesTaken& values);
  ~SpareTime();

  // A piece of work: waits, is done from its turn on, and is over when this goes.
  class Piece {
   public:
    Piece(SpareTime& spare, const EntityKey& entity) : spare_(spare), entity_(entity) {}
    ~Piece();
    Piece(const Piece&) = delete;
    Piece& operator=(const Piece&) = delete;

    // Calls `then` when it is its turn: now, if nothing stands in the way. Once.
    void when_its_turn(std::function<void()> then);
    // Time counts from here, or from its turn if this is not called.
    void begins() { spare_.began_ = std::chrono::steady_clock::now(); }
    // Returns when it is its turn and it begins, at the latest when the task is cancelled.
    net::Task<void> turn();

   private:
    friend class SpareTime;
    SpareTime& spare_;
    const EntityKey entity_;
    syndication::FairTurns::Ticket ticket_ = 0;
    bool served_ = false;
    std::function<void()> then_;
  };

  // From now on nobody waits.
  void hurry();

 private:
  using Clock = std::chrono::steady_clock;

  void serve_next();
  void finish();
  [[nodiscard]] bool values_come(Clock::time_point now);

  net::asio::steady_timer timer_;
  const ValuesTaken& values_;
  syndication::FairTurns turns_;
  std::unordered_map<syndication::FairTurns::Ticket, Piece*> waiting_;
  std::uint64_t values_seen_ = 0;
  Clock::time_point values_came_{};
  Clock::time_point began_{};
  Clock::time_point next_at_{};
  bool timing_ = false;
  bool hurrying_ = false;
  std::shared_ptr<void> alive_ = std::make_shared<int>();
};

}  // namespace bw::router
