// SPDX-License-Identifier: Apache-2.0
#include "net/repeat_timer.hpp"

#include <utility>

#include <boost/asio/steady_timer.hpp>

namespace bw::net {

struct RepeatTimer::Impl : std::enable_shared_from_this<Impl> {
  Impl(asio::io_context& context, Duration interval, std::function<bool()> callback)
      : timer(context), every(interval), look(std::move(callback)) {}

  void start() {
    if (std::exchange(running, true)) return;
    timer.expires_after(every);
    timer.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
      const auto impl = weak.lock();
      if (error || !impl || !std::exchange(impl->running, false)) return;
      if (impl->look()) impl->start();
    });
  }

  void stop() {
    running = false;
    timer.cancel();
  }

  asio::steady_timer timer;
  Duration every;
  std::function<bool()> look;
  bool running = false;
};

RepeatTimer::RepeatTimer(asio::io_context& context, Duration every, std::function<bool()> look)
    : impl_(std::make_shared<Impl>(context, every, std::move(look))) {}

RepeatTimer::~RepeatTimer() {
  impl_->stop();
}

void RepeatTimer::start() {
  impl_->start();
}

void RepeatTimer::stop() {
  impl_->stop();
}

}  // namespace bw::net
