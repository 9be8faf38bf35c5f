// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/time.hpp"

// What a participant's access to the Internet is like. Pure.
namespace bw::link {

// One direction of a link, as it is emulated.
struct Quality {
  double bits_per_s = 0;  // of IP packets; above 0
  Duration delay{};       // one way, at least
  Duration jitter{};      // up to so much more, evenly distributed; packets keep their order
  double loss = 0;        // share of the packets, each by itself; below 1
  Duration queue =
      200ms;  // the longest that a packet waits for those before it; else it is dropped
};

struct Access {
  std::string_view name;
  Quality up;  // from the participant
  Quality down;
};

// A kind of access as measurements report it.
struct AccessKind {
  std::string_view name;
  double down_mbit_s;
  double up_mbit_s;
  double rtt_ms;     // median
  double jitter_ms;  // span of one way's delay
  double loss_percent;
  unsigned weight;  // of a hundred participants
};
std::span<const AccessKind> access_kinds();

// Half of the round trip in each direction.
Access access_of(const AccessKind& kind);

// `count` of them: as many of each kind as its weight says, in an order drawn from the seed.
std::vector<Access> draw_accesses(std::size_t count, std::uint64_t seed);

}  // namespace bw::link
