// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include "base/result.hpp"
#include "net/channel.hpp"
#include "net/thread_priority.hpp"

namespace bw::net {

// An io_context and the one thread that runs it, from start() to join(). What lives on it is used
// from that thread only, once it runs. Its own methods are for other threads.
class IoThread {
 public:
  IoThread() : work_(context_.get_executor()) {}
  explicit IoThread(ThreadPriority priority) : IoThread() { priority_ = priority; }
  // Joins a thread that still runs; what is left over afterwards is dropped.
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  [[nodiscard]] asio::io_context& context() { return context_; }
  void start();
  // There, and return when it is done. The thread runs, or starts now.
  Result<void> call(std::function<Result<void>()> action);
  template <class T>
  T run(Task<T> task) {
    start();
    return asio::co_spawn(context_, std::move(task), asio::use_future).get();
  }
  // Returns when nothing is left to do there. Once.
  void join();

 private:
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::optional<ThreadPriority> priority_;
  std::thread thread_;
};

}  // namespace bw::net
