// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "base/bytes.hpp"

namespace CLI {
class App;
}

// What every load program has in common, whatever system it drives: one publisher process, one
// subscriber process, 128-byte payloads that carry a number and a time.
namespace bw::bench {

inline constexpr std::size_t kPayloadBytes = 128;
// As a payload object of Bosswave: text, 64.0.1.0.
inline constexpr std::uint32_t kPayloadType = 0x40000100;

// CLOCK_MONOTONIC, the same for every process of the machine.
using Nanos = std::int64_t;
Nanos now_ns();

struct LoadOptions {
  bool publish = false;
  std::size_t connections = 1;  // of the subscriber process
  double warm_up = 0.3;         // seconds at the beginning that do not count
  double seconds = 1;           // that count
  // Messages per second at fixed times, whatever became of the ones before; 0: as many as the
  // window lets through.
  double rate = 0;
  std::uint64_t window = 32768;  // messages published and not yet with the slowest connection
  std::size_t chunk = 1024;      // messages handed to the client in one go, at most
  int progress_fd = -1;          // a pipe: the subscriber writes, the publisher reads
};

// Adds the subcommands `publish` and `subscribe` and their options to a CLI11 app.
void add_load_options(CLI::App& app, LoadOptions& options);

// A payload: number u64 | time i64 | filling, in the machine's own byte order.
struct Stamp {
  std::uint64_t number;
  Nanos time;
};
void write_stamp(const Stamp& stamp, std::uint8_t* payload);
Stamp read_stamp(ByteView payload);

// Says when which message may leave.
class Pacer {
 public:
  explicit Pacer(const LoadOptions& options);

  // The first message is due `now`.
  void start(Nanos now);
  // How many messages may leave now, at most `chunk`.
  [[nodiscard]] std::size_t allowance(Nanos now) const;
  // When allowance() may grow or over() become true, if the subscriber says nothing.
  [[nodiscard]] Nanos next_due() const;
  [[nodiscard]] bool over(Nanos now) const;
  // The next message. At a fixed rate it carries the time it was due, so that a sender that was
  // held up does not hide how long its messages waited.
  void next(std::uint8_t* payload, Nanos now);
  // Takes what the subscriber wrote to the pipe.
  void read_progress();

  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] int progress_fd() const { return options_.progress_fd; }

 private:
  [[nodiscard]] Nanos due(std::uint64_t number) const;

  LoadOptions options_;
  Nanos begin_ = 0;
  Nanos end_ = 0;
  std::uint64_t total_ = 0;  // at a fixed rate
  std::uint64_t sent_ = 0;
  std::uint64_t arrived_ = 0;
};

// The publisher's loop for clients that block: `send(count)` takes so many payloads from the pacer.
// Never spins: between messages the process sleeps until the time or the subscriber wakes it.
void run_paced(Pacer& pacer, const std::function<void(std::size_t count)>& send);

}  // namespace bw::bench
