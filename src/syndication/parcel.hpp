// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "syndication/inbound.hpp"

namespace bw::syndication {

using SessionId = std::uint64_t;

struct Stream;  // router_state.hpp

// A batch that was verified.
struct Incoming {
  ByteView bytes;  // into `kept`, or into the frame itself
  Bytes kept;
  Stream* stream = nullptr;  // the core's
  VerifiedBatch batch;
};

// What an intake makes of frames that arrived together on one session, for the core, in order.
// Moves from thread to thread whole; its buffers are used again.
struct Parcel {
  struct Attached {
    EntityKey entity;
    std::uint64_t stream = 0;
    Time expires;  // the entity, by the ledger
  };
  struct Refused {  // a batch that needs nothing more but to be acknowledged
    EntityKey entity;
    std::uint64_t stream = 0;
    std::uint64_t sequence = 0;
  };
  // The messages of a batch at positions [from, to). Parts of a batch come in order.
  struct Part {
    Incoming* incoming = nullptr;
    std::size_t from = 0;
    std::size_t to = 0;
  };
  using Step = std::variant<Part, Attached, Refused, Detach, Ping>;
  struct Strike {
    EntityKey entity;
    double count = 0;
  };
  struct Counts {
    std::uint64_t batches = 0;
    std::uint64_t messages = 0;
    std::uint64_t values = 0;  // of the messages; in batches that hold nothing else
    std::uint64_t refused = 0;
    std::uint64_t bad_signatures = 0;
    std::uint64_t replayed = 0;
    std::uint64_t wasted_us = 0;  // of verification that came to nothing
  };

  // Empties it for frames of another call.
  void begin(SessionId whose);
  // Holds until begin().
  Incoming& add_batch();
  // Moves the batch that was added last to where it can outlive the parcel.
  std::shared_ptr<Incoming> take_out_batch();
  // Nothing for the core.
  [[nodiscard]] bool empty() const;
  // Messages that hold up in every way.
  [[nodiscard]] bool brings_messages() const;
  // Something was refused, or came to nothing after it had cost work.
  [[nodiscard]] bool has_faults() const;

  SessionId session = 0;
  std::vector<Step> steps;
  Bytes answers;  // refusals, ahead of what the core answers
  std::vector<Strike> strikes;
  std::optional<Error> breach;  // of the protocol, by the last frame: the session is to be closed
  Counts counts;
  std::size_t held_bytes = 0;  // of batches that are kept

  std::vector<std::shared_ptr<Incoming>> shared;  // batches that come in parts
  std::deque<Incoming> batches;
  std::size_t used = 0;
};

}  // namespace bw::syndication
