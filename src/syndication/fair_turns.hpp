// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <unordered_map>

#include "base/id.hpp"
#include "base/time.hpp"

namespace bw::syndication {

// Whose piece of work is done next, so that entities get equal shares of time whatever each of them
// asks for: start-time fair queueing (Goyal, Vin and Cheng, 1996). Whoever asked for little lately
// is served next, as long as that is no more than kAhead: what it waits for is one piece of
// somebody else's work, not all that others ask for. For one thread.
class FairTurns {
 public:
  using Ticket = std::uint64_t;
  // Some tens of subscriptions.
  static constexpr std::chrono::nanoseconds kAhead = std::chrono::microseconds(200);

  Ticket enter(const EntityKey& entity);
  // A ticket that waits gives up its place.
  void leave(Ticket ticket);
  // The ticket whose turn it is; it is then being served, until charge().
  std::optional<Ticket> next();
  // What serving it took.
  void charge(std::chrono::nanoseconds work);

  [[nodiscard]] std::size_t waiting() const { return entity_of_.size(); }
  [[nodiscard]] bool serving() const { return serving_.has_value(); }
  // Entities that are remembered: those that wait, and who was served beyond the others.
  [[nodiscard]] std::size_t remembered() const { return lines_.size(); }

 private:
  // Tags are nanoseconds of service.
  struct Line {
    std::deque<Ticket> tickets;
    std::int64_t start = 0;  // of its first ticket; without one, where it stopped
  };
  using Place = std::pair<std::int64_t, Ticket>;  // start, first ticket

  void forget_settled();

  std::unordered_map<EntityKey, Line> lines_;
  std::unordered_map<Ticket, EntityKey> entity_of_;
  std::set<Place> order_;  // of lines with tickets
  std::optional<EntityKey> serving_;
  std::int64_t now_ = 0;  // the highest start of what was served
  Ticket last_ticket_ = 0;
};

}  // namespace bw::syndication
