// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/any_io_executor.hpp>

#include "net/channel.hpp"

namespace bw::net {

// Owns coroutines whose number is not known in advance. Nothing is detached: join() cancels and
// waits for all of them, and a group must be joined before what its tasks refer to goes. Lives on
// one io_context thread.
//
// Cancelling a task makes what it waits for fail, and every later sleep_for(), Channel::read() and
// connect() too; awaiting anything else still works, so that a cancelled task can clean up (join
// its own group, say). Other operations begun after the cancellation are cancelled again by join().
// A task cancelled before its first step is dropped.
class TaskGroup {
 public:
  explicit TaskGroup(asio::any_io_executor executor);
  ~TaskGroup();  // asserts that it was joined or is empty

  // An exception that leaves a task is passed to `on_failure` (logged there); it never escapes.
  // While join() waits, a new task is dropped at once.
  void spawn(Task<void> task);
  void on_failure(std::function<void(std::exception_ptr)> handler);
  [[nodiscard]] std::size_t size() const;
  void cancel();
  // Once at a time, and not from a task of this group. The group can be used again afterwards.
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
