// SPDX-License-Identifier: Apache-2.0
#include "net/io_thread.hpp"

#include <future>

#include <boost/asio/post.hpp>

namespace bw::net {

IoThread::~IoThread() {
  if (thread_.joinable()) join();
}

void IoThread::start() {
  if (thread_.joinable()) return;
  thread_ = std::thread([this] {
    if (priority_) set_thread_priority(*priority_);
    context_.run();
  });
}

Result<void> IoThread::call(std::function<Result<void>()> action) {
  start();
  std::promise<Result<void>> done;
  asio::post(context_, [&] { done.set_value(action()); });
  return done.get_future().get();
}

void IoThread::join() {
  work_.reset();
  // What was posted is done even if it never ran before.
  start();
  thread_.join();
}

}  // namespace bw::net
