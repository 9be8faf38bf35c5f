// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "link/network.hpp"

namespace bw::link {

// What one direction of a link gave.
struct Measured {
  double bits_per_s = 0;  // of IP packets, pressed
  Duration least{};       // delays, not pressed
  Duration median{};
  Duration p99{};
  double loss = 0;         // share, not pressed
  std::uint64_t sent = 0;  // packets that the delays and the loss are of
};
struct AccessMeasured {
  Measured up;
  Measured down;
};

// Sends datagrams over every link of the network, both ways: small ones on all at once for
// `watching`, then link by link more than it takes for `pressing`. Moves the calling thread into
// the network's namespaces and leaves it at the hub.
Result<std::vector<AccessMeasured>> measure(const Network& network, Duration watching,
                                            Duration pressing);

}  // namespace bw::link
