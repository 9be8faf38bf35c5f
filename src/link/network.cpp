// SPDX-License-Identifier: Apache-2.0
#include "link/network.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <queue>
#include <thread>

#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "link/line.hpp"

namespace bw::link {
namespace {

constexpr std::uint32_t kHubAddress = 10U << 24U | 77U << 16U | 1U;
constexpr std::uint32_t kFirstAddress = kHubAddress + 1;
constexpr unsigned kPrefix = 16;
constexpr std::size_t kMostPacket = 65'536;
constexpr int kAtOnce = 64;     // packets from one device before others get their turn
constexpr int kNiceness = -15;  // the network is not to wait for those that use it
constexpr std::size_t kHeader = 20;
constexpr std::size_t kSourceOffset = 12;
constexpr std::size_t kDestinationOffset = 16;

Line::Instant now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

std::uint32_t address_at(const std::vector<std::uint8_t>& packet, std::size_t offset) {
  std::uint32_t out = 0;
  for (std::size_t i = 0; i < 4; ++i) out = out << 8U | packet[offset + i];
  return out;
}

bool is_ipv4(const std::vector<std::uint8_t>& packet) {
  return packet.size() >= kHeader && packet[0] >> 4U == 4;
}

struct Counters {
  std::atomic<std::uint64_t> up_bytes = 0;
  std::atomic<std::uint64_t> down_bytes = 0;
  std::atomic<std::uint64_t> up_packets = 0;
  std::atomic<std::uint64_t> down_packets = 0;
};

// A participant's end.
struct Port {
  Port(NetSpace there, Descriptor tun, const Access& access, std::uint64_t seed)
      : space(std::move(there)),
        device(std::move(tun)),
        up(access.up, 2 * seed),
        down(access.down, 2 * seed + 1) {}
  NetSpace space;
  Descriptor device;
  Line up;
  Line down;
  Counters counters;
};

// A packet under way. How many there are is bounded by the rates, delays and queues of the lines.
struct Flight {
  Line::Instant due;
  std::uint64_t number;  // breaks ties, so that packets keep their order
  std::size_t port;
  bool up;
  std::vector<std::uint8_t> packet;
};
struct Later {
  bool operator()(const Flight& a, const Flight& b) const {
    return std::pair(a.due, a.number) > std::pair(b.due, b.number);
  }
};

}  // namespace

struct Network::Impl {
  Impl(NetSpace there, Descriptor tun, std::vector<Access> all)
      : accesses(std::move(all)), hub(std::move(there)), hub_device(std::move(tun)) {}

  Result<void> start() {
    poll = Descriptor(::epoll_create1(EPOLL_CLOEXEC));
    wake = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    bool watched =
        poll.is_open() && wake.is_open() && watch(wake, kWake) && watch(hub_device, kHub);
    for (std::size_t i = 0; i < ports.size(); ++i) watched = watched && watch(ports[i]->device, i);
    if (!watched) {
      return fail(ErrorCode::kIo, "cannot watch the devices of the emulated network: {}",
                  std::strerror(errno));
    }
    thread = std::jthread([this] { run(); });
    return {};
  }

  bool watch(const Descriptor& what, std::uint64_t name) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = name;
    return ::epoll_ctl(poll.number(), EPOLL_CTL_ADD, what.number(), &event) == 0;
  }

  void stop() {
    stopping = true;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake.number(), &one, sizeof one);
    if (thread.joinable()) thread.join();
  }

  void run() {
    // Without the right to it, the emulator is as quick as the rest.
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNiceness);
    std::array<epoll_event, 64> events{};
    while (!stopping) {
      const timespec wait = until_next();
      const int ready = ::epoll_pwait2(poll.number(), events.data(), events.size(),
                                       flights.empty() ? nullptr : &wait, nullptr);
      for (int i = 0; i < ready; ++i) take(events[static_cast<std::size_t>(i)].data.u64);
      deliver();
    }
  }

  [[nodiscard]] timespec until_next() const {
    if (flights.empty()) return {};
    const auto left = std::max(Line::Instant{}, flights.top().due - now());
    const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
    return {seconds.count(), (left - seconds).count()};
  }

  void take(std::uint64_t name) {
    if (name == kWake) return;
    const Descriptor& device = name == kHub ? hub_device : ports[name]->device;
    for (int i = 0; i < kAtOnce; ++i) {
      const auto size = ::read(device.number(), buffer.data(), buffer.size());
      if (size <= 0) return;
      std::vector<std::uint8_t> packet(buffer.begin(), buffer.begin() + size);
      // Neighbours that IPv6 looks for are nobody here.
      if (!is_ipv4(packet)) continue;
      if (name == kHub) {
        from_hub(std::move(packet));
      } else {
        from_port(name, std::move(packet));
      }
    }
  }

  void from_hub(std::vector<std::uint8_t> packet) {
    const std::size_t port = address_at(packet, kDestinationOffset) - kFirstAddress;
    if (port >= ports.size()) return;
    const auto due = ports[port]->down.pass(now(), packet.size());
    if (due) flights.push({*due, ++number, port, false, std::move(packet)});
  }

  void from_port(std::size_t port, std::vector<std::uint8_t> packet) {
    Port& from = *ports[port];
    ++from.counters.up_packets;
    from.counters.up_bytes += packet.size();
    // Nobody sends in another's name, and participants reach the hub alone.
    if (address_at(packet, kSourceOffset) != kFirstAddress + port ||
        address_at(packet, kDestinationOffset) != kHubAddress) {
      return;
    }
    const auto due = from.up.pass(now(), packet.size());
    if (due) flights.push({*due, ++number, port, true, std::move(packet)});
  }

  void deliver() {
    const Line::Instant at = now();
    while (!flights.empty() && flights.top().due <= at) {
      const Flight& flight = flights.top();
      Port& port = *ports[flight.port];
      const Descriptor& device = flight.up ? hub_device : port.device;
      const auto written = ::write(device.number(), flight.packet.data(), flight.packet.size());
      if (!flight.up && written > 0) {
        ++port.counters.down_packets;
        port.counters.down_bytes += flight.packet.size();
      }
      flights.pop();
    }
  }

  static constexpr std::uint64_t kHub = kMost;
  static constexpr std::uint64_t kWake = kMost + 1;

  const std::vector<Access> accesses;
  NetSpace hub;
  Descriptor hub_device;
  std::vector<std::unique_ptr<Port>> ports;
  Descriptor poll;
  Descriptor wake;
  std::priority_queue<Flight, std::vector<Flight>, Later> flights;
  std::uint64_t number = 0;
  std::vector<std::uint8_t> buffer = std::vector<std::uint8_t>(kMostPacket);
  std::atomic<bool> stopping = false;
  std::jthread thread;
};

Network::Network(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Network::~Network() {
  impl_->stop();
}

Result<std::unique_ptr<Network>> Network::make(std::vector<Access> accesses, std::uint64_t seed) {
  if (accesses.size() > kMost) {
    return fail(ErrorCode::kInvalidArgument, "{} participants: at most {}", accesses.size(), kMost);
  }
  BW_TRY(NetSpace hub, NetSpace::make());
  BW_TRY(Descriptor device, hub.open_tun(kHubAddress, kPrefix));
  auto impl = std::make_unique<Impl>(std::move(hub), std::move(device), std::move(accesses));
  for (std::size_t i = 0; i < impl->accesses.size(); ++i) {
    BW_TRY(NetSpace space, NetSpace::make());
    BW_TRY(Descriptor tun, space.open_tun(kFirstAddress + static_cast<std::uint32_t>(i), kPrefix));
    impl->ports.push_back(std::make_unique<Port>(std::move(space), std::move(tun),
                                                 impl->accesses[i], seed * kMost + i));
  }
  BW_CHECK(impl->start());
  return std::unique_ptr<Network>(new Network(std::move(impl)));
}

const std::vector<Access>& Network::accesses() const {
  return impl_->accesses;
}
const NetSpace& Network::hub() const {
  return impl_->hub;
}
const NetSpace& Network::at(std::size_t participant) const {
  return impl_->ports[participant]->space;
}

std::string Network::hub_address() {
  return address_text(kHubAddress);
}
std::string Network::address_of(std::size_t participant) {
  return address_text(kFirstAddress + static_cast<std::uint32_t>(participant));
}

Network::Traffic Network::traffic(std::size_t participant) const {
  const Counters& counters = impl_->ports[participant]->counters;
  return {counters.up_bytes, counters.down_bytes, counters.up_packets, counters.down_packets};
}

void Network::bind_to_core(int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(static_cast<std::size_t>(core), &cores);
  ::pthread_setaffinity_np(impl_->thread.native_handle(), sizeof cores, &cores);
}

}  // namespace bw::link
