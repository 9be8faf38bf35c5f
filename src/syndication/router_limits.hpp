// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "base/time.hpp"

namespace bw::syndication {

// What one peer may ask of a router.
struct RouterLimits {
  double messages_per_second_per_entity = 1e7;
  std::size_t subscriptions_per_entity = 100'000;
  std::size_t sessions_per_entity = 12'000;
  std::size_t grants_remembered = 100'000;
  double strikes_to_blacklist = 20;  // bad signatures count 5, unauthorised and replayed messages 1
  Duration blacklist_for = 60s;      // doubles with each repetition, decays with good behaviour
  double messages_per_second_per_session = 1e7;
  // Verification that comes to nothing may take this share of a thread, for each entity; whoever
  // is above it is not read from for a while.
  double wasted_share = 0.02;
  // For how long a session that earned a strike is not read from, for each strike.
  Duration pause_per_strike = 10ms;
  // Work that a session may ask for before others have their turn.
  Duration turn = 500us;
};

}  // namespace bw::syndication
