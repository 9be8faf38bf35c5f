// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>

#include "base/time.hpp"
#include "net/channel.hpp"

namespace bw::net {

// Looks again every so often while there is something to wait for, so that whoever waits for
// nothing is not woken. Lives on the thread of its io_context; destroying it stops it.
class RepeatTimer {
 public:
  // `look` says whether something still waits. It may call start().
  RepeatTimer(asio::io_context& context, Duration every, std::function<bool()> look);
  ~RepeatTimer();
  RepeatTimer(const RepeatTimer&) = delete;
  RepeatTimer& operator=(const RepeatTimer&) = delete;

  // The first look is after `every`; nothing changes when it runs already.
  void start();
  void stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace bw::net
