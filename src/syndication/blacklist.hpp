// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/id.hpp"
#include "base/time.hpp"

namespace bw::syndication {

struct BlacklistEntry {
  EntityKey entity;
  Time until;
  std::uint64_t strikes = 0;  // since this router remembers the entity
};

// Who misbehaved lately. Strikes fade at the rate of a full count per `first_ban`; a full count
// bans, each time twice as long as the time before, and as much calm as the last ban lasted makes
// up for it. At most kStrikeRecords entities are remembered, so strikes are only for entities that
// are registered. Thread-safe: asked when a session opens or a stream is attached.
class Blacklist {
 public:
  Blacklist(double strikes_to_ban, Duration first_ban);

  // True when this begins a ban.
  bool strike(const EntityKey& entity, double count, Time now);
  // When the ban ends; nothing when there is none.
  [[nodiscard]] std::optional<Time> banned_until(const EntityKey& entity, Time now) const;
  // Those who are banned now, by key.
  [[nodiscard]] std::vector<BlacklistEntry> entries(Time now) const;
  [[nodiscard]] std::size_t remembered() const;
  // Forgets whom nothing is held against any more.
  void tick(Time now);

 private:
  struct Record {
    double strikes = 0;  // as of `at`
    Time at;             // of the last strike
    Time until{};        // end of the last ban
    unsigned bans = 0;   // not made up for yet
    std::uint64_t total = 0;
  };

  void forget_settled(Time now);
  [[nodiscard]] Duration length(unsigned bans) const;
  // What is left of a record by now.
  [[nodiscard]] Record faded(Record record, Time now) const;

  double strikes_to_ban_;
  Duration first_ban_;
  mutable std::mutex mutex_;
  std::unordered_map<EntityKey, Record> records_;
};

}  // namespace bw::syndication
