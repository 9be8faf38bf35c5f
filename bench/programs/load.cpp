// SPDX-License-Identifier: Apache-2.0
#include "programs/load.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <system_error>

#include <CLI/CLI.hpp>
#include <poll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

namespace bw::bench {
namespace {

constexpr Nanos kSecond = 1'000'000'000;

Nanos nanos(double seconds) {
  return static_cast<Nanos>(seconds * static_cast<double>(kSecond));
}

// Wakes at a time or when a descriptor is readable. A timerfd, because poll's own timeout is in
// milliseconds.
class Sleeper {
 public:
  Sleeper() : timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)) {
    if (timer_ < 0) throw std::system_error(errno, std::generic_category(), "timerfd_create");
  }
  ~Sleeper() { ::close(timer_); }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  // True when `fd` is readable.
  bool sleep(Nanos until, int fd) {
    itimerspec when{};
    when.it_value = {.tv_sec = until / kSecond, .tv_nsec = until % kSecond};
    ::timerfd_settime(timer_, TFD_TIMER_ABSTIME, &when, nullptr);
    std::array<pollfd, 2> waits{pollfd{timer_, POLLIN, 0}, pollfd{fd, POLLIN, 0}};
    ::poll(waits.data(), waits.size(), -1);
    return (waits[1].revents & POLLIN) != 0;
  }

 private:
  int timer_;
};

}  // namespace

Nanos now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

void add_load_options(CLI::App& app, LoadOptions& options) {
  app.require_subcommand(1);
  app.fallthrough();
  app.add_subcommand("publish")->callback([&] { options.publish = true; });
  app.add_subcommand("subscribe");
  app.add_option("--connections", options.connections);
  app.add_option("--warm-up", options.warm_up);
  app.add_option("--seconds", options.seconds);
  app.add_option("--rate", options.rate);
  app.add_option("--window", options.window);
  app.add_option("--chunk", options.chunk);
  app.add_option("--progress-fd", options.progress_fd);
}

void write_stamp(const Stamp& stamp, std::uint8_t* payload) {
  std::memcpy(payload, &stamp, sizeof stamp);
}

Stamp read_stamp(ByteView payload) {
  Stamp stamp{};
  std::memcpy(&stamp, payload.data(), sizeof stamp);
  return stamp;
}

Pacer::Pacer(const LoadOptions& options) : options_(options) {
  const double counted = (options.warm_up + options.seconds) * options.rate;
  total_ = options.rate > 0 ? static_cast<std::uint64_t>(counted)
                            : std::numeric_limits<std::uint64_t>::max();
}

void Pacer::start(Nanos now) {
  begin_ = now;
  end_ = begin_ + nanos(options_.warm_up + options_.seconds);
}

Nanos Pacer::due(std::uint64_t number) const {
  return begin_ + nanos(static_cast<double>(number) / options_.rate);
}

std::size_t Pacer::allowance(Nanos now) const {
  std::uint64_t open = 0;
  if (options_.rate > 0) {
    while (open < options_.chunk && sent_ + open < total_ && due(sent_ + open) <= now) ++open;
  } else {
    open = options_.window - std::min(options_.window, sent_ - arrived_);
  }
  return std::min<std::uint64_t>(open, options_.chunk);
}

Nanos Pacer::next_due() const {
  return options_.rate > 0 ? due(sent_) : end_;
}

bool Pacer::over(Nanos now) const {
  return options_.rate > 0 ? sent_ >= total_ : now >= end_;
}

void Pacer::next(std::uint8_t* payload, Nanos now) {
  write_stamp({sent_, options_.rate > 0 ? due(sent_) : now}, payload);
  ++sent_;
}

void Pacer::read_progress() {
  std::array<std::uint64_t, 512> told{};
  const ssize_t got = ::read(options_.progress_fd, told.data(), sizeof told);
  for (std::size_t i = 0; got > 0 && i < static_cast<std::size_t>(got) / sizeof told[0]; ++i) {
    arrived_ = std::max(arrived_, told[i]);
  }
}

void run_paced(Pacer& pacer, const std::function<void(std::size_t count)>& send) {
  Sleeper sleeper;
  pacer.start(now_ns());
  for (Nanos now = now_ns(); !pacer.over(now); now = now_ns()) {
    if (const std::size_t count = pacer.allowance(now); count > 0) {
      send(count);
    } else if (sleeper.sleep(pacer.next_due(), pacer.progress_fd())) {
      pacer.read_progress();
    }
  }
}

}  // namespace bw::bench
