// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "programs/load.hpp"

namespace bw::bench {

// Counts what the connections of a subscriber process receive, and tells the publisher how far the
// slowest of them is. For one thread at a time.
class Tally {
 public:
  explicit Tally(const LoadOptions& options);

  void message(std::size_t connection, ByteView payload);
  // After the messages that came together: the time they count at.
  void end_of_chunk();

  // How many the publisher sent, once it knows.
  void sent(std::uint64_t messages);
  // Everything came, or nothing has for so long that the rest is lost.
  [[nodiscard]] bool complete() const;

  // One JSON object: received and lost (of all connections together), disordered, seconds and
  // per_second after the warm-up; at a fixed rate the one-way p50_us, p99_us, p999_us of the first
  // connection, from when a message was due.
  [[nodiscard]] std::string report();

 private:
  struct Connection {
    std::uint64_t next = 0;  // number of the message to come
    std::uint64_t received = 0;
    std::uint64_t disordered = 0;
  };
  [[nodiscard]] std::uint64_t received() const;
  void tell_progress();
  [[nodiscard]] double percentile_us(double share);

  LoadOptions options_;
  std::uint64_t first_sampled_ = 0;
  std::vector<Connection> connections_;
  std::vector<Nanos> latencies_;
  Nanos began_ = 0;  // of the first chunk
  Nanos warm_ = 0;   // of the first chunk after the warm-up
  Nanos last_ = 0;   // of the last chunk
  std::uint64_t received_warm_ = 0;
  std::uint64_t told_ = 0;
  std::optional<std::uint64_t> sent_;
  Nanos sent_known_ = 0;
};

}  // namespace bw::bench
