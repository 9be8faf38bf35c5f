// SPDX-License-Identifier: Apache-2.0
#include "link/measure.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

namespace bw::link {
namespace {

using Timer = std::chrono::steady_clock;
using Instant = Timer::time_point;

constexpr std::size_t kHeaders = 28;  // IP and UDP
constexpr std::size_t kSmall = 16;    // bytes of payload
constexpr std::size_t kLarge = 1372;
constexpr Duration kBetween = 4ms;
constexpr double kPressure = 1.3;
constexpr Duration kLook = 200us;
constexpr int kBuffer = 8 << 20;

tl::unexpected<Error> socket_failed(const std::string& where) {
  return fail(ErrorCode::kIo, "{}: cannot open a socket: {}", where, std::strerror(errno));
}

sockaddr_in endpoint(const std::string& address, in_port_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = port;
  ::inet_pton(AF_INET, address.c_str(), &out.sin_addr);
  return out;
}

Result<Descriptor> bound(const NetSpace& space, const std::string& address) {
  BW_CHECK(space.enter());
  Descriptor out(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const sockaddr_in here = endpoint(address, 0);
  ::setsockopt(out.number(), SOL_SOCKET, SO_RCVBUFFORCE, &kBuffer, sizeof kBuffer);
  if (!out.is_open() ||
      ::bind(out.number(), reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0) {
    return socket_failed(address);
  }
  return out;
}

Result<void> join(const Descriptor& one, const Descriptor& other, const std::string& address) {
  sockaddr_in there{};
  socklen_t size = sizeof there;
  if (::getsockname(other.number(), reinterpret_cast<sockaddr*>(&there), &size) == 0 &&
      ::connect(one.number(), reinterpret_cast<const sockaddr*>(&there), size) == 0) {
    return {};
  }
  return socket_failed(address);
}

// One direction: what goes in and comes out.
struct Way {
  int from;
  int to;
  Quality told;
  Measured* measured;
  std::vector<Duration> delays;
};

void send(const Way& way, std::size_t bytes) {
  std::array<std::uint8_t, kLarge> packet{};
  const auto at = Timer::now().time_since_epoch().count();
  std::memcpy(packet.data(), &at, sizeof at);
  ::send(way.from, packet.data(), bytes, 0);
}

// What is there now; calls on_packet(bytes, delay) for each.
template <class F>
void drain(const Way& way, F on_packet) {
  std::array<std::uint8_t, kLarge> packet{};
  for (;;) {
    const auto size = ::recv(way.to, packet.data(), packet.size(), 0);
    if (size < static_cast<ssize_t>(kSmall)) return;
    Timer::rep at = 0;
    std::memcpy(&at, packet.data(), sizeof at);
    const auto delay = Timer::now().time_since_epoch() - Timer::duration(at);
    on_packet(static_cast<std::size_t>(size), std::chrono::floor<Duration>(delay));
  }
}

void wait(const std::vector<Way>& ways, Duration most) {
  std::vector<pollfd> all;
  for (const Way& way : ways) all.push_back({way.to, POLLIN, 0});
  const timespec time{0, std::chrono::nanoseconds(most).count()};
  ::ppoll(all.data(), all.size(), &time, nullptr);
}

Duration longest(const Way& way) {
  return way.told.delay + way.told.jitter + way.told.queue + 200ms;
}

void watch(std::vector<Way>& ways, Duration watching) {
  const auto take = [&] {
    for (Way& way : ways) {
      drain(way, [&way](std::size_t, Duration delay) { way.delays.push_back(delay); });
    }
  };
  Duration after{};
  for (const Way& way : ways) after = std::max(after, longest(way));
  const Instant began = Timer::now();
  Instant next = began;
  while (Timer::now() < began + watching + after) {
    if (const Instant now = Timer::now(); now >= next && now < began + watching) {
      for (Way& way : ways) {
        send(way, kSmall);
        ++way.measured->sent;
      }
      next += kBetween;
    }
    wait(ways, kLook);
    take();
  }
  for (Way& way : ways) {
    std::ranges::sort(way.delays);
    Measured& out = *way.measured;
    out.loss = 1 - static_cast<double>(way.delays.size()) / static_cast<double>(out.sent);
    if (way.delays.empty()) continue;
    out.least = way.delays.front();
    out.median = way.delays[way.delays.size() / 2];
    out.p99 = way.delays[way.delays.size() * 99 / 100];
  }
}

void press(Way& way, Duration pressing) {
  const double packets_per_s =
      way.told.bits_per_s * kPressure / (8 * static_cast<double>(kLarge + kHeaders));
  const Instant began = Timer::now();
  Instant first{};
  Instant last{};
  double bits = 0;
  double sent = 0;
  while (Timer::now() < began + pressing + longest(way)) {
    const std::chrono::duration<double> passed = std::min<std::chrono::duration<double>>(
        Timer::now() - began, std::chrono::duration<double>(pressing));
    for (; sent < passed.count() * packets_per_s; ++sent) send(way, kLarge);
    wait({way}, kLook);
    drain(way, [&](std::size_t bytes, Duration) {
      last = Timer::now();
      // The time of the first is where its successors begin.
      if (first == Instant{}) return void(first = last);
      bits += 8 * static_cast<double>(bytes + kHeaders);
    });
  }
  if (last > first) {
    way.measured->bits_per_s = bits / std::chrono::duration<double>(last - first).count();
  }
}

}  // namespace

Result<std::vector<AccessMeasured>> measure(const Network& network, Duration watching,
                                            Duration pressing) {
  const std::vector<Access>& accesses = network.accesses();
  std::vector<AccessMeasured> out(accesses.size());
  std::vector<Descriptor> sockets;
  std::vector<Way> ways;
  for (std::size_t i = 0; i < accesses.size(); ++i) {
    const std::string address = Network::address_of(i);
    BW_TRY(Descriptor there, bound(network.at(i), address));
    BW_TRY(Descriptor here, bound(network.hub(), Network::hub_address()));
    BW_CHECK(join(here, there, address));
    BW_CHECK(join(there, here, address));
    ways.push_back({there.number(), here.number(), accesses[i].up, &out[i].up, {}});
    ways.push_back({here.number(), there.number(), accesses[i].down, &out[i].down, {}});
    sockets.push_back(std::move(here));
    sockets.push_back(std::move(there));
  }
  watch(ways, watching);
  for (Way& way : ways) press(way, pressing);
  return out;
}

}  // namespace bw::link
