// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>

#include "net/channel.hpp"

namespace bw::net {

// Owns coroutines whose number is not known in advance. Nothing is detached: join() cancels and waits
// for all of them, and a group must be joined before what its tasks refer to goes. Lives on one
// io_context thread.
class TaskGroup {
 public:
  explicit TaskGroup(asio::any_io_executor executor);
  ~TaskGroup();  // asserts that it was joined or is empty

  // An exception that leaves a task is passed to `on_failure` (logged there); it never escapes.
  void spawn(Task<void> task);
  void on_failure(std::function<void(std::exception_ptr)> handler);
  [[nodiscard]] std::size_t size() const;
  void cancel();
  Task<void> join();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// Waits, or returns early when cancelled (false).
Task<bool> sleep_for(Duration duration);

// Retry delays: doubling from `first` to `most`, each drawn at random from the upper half, so that
// clients that lost one server do not come back in step.
class Backoff {
 public:
  Backoff(Duration first, Duration most, std::uint64_t seed);
  Duration next();
  void reset();

 private:
  Duration first_;
  Duration most_;
  Duration current_;
  std::uint64_t state_;
};

}  // namespace bw::net
