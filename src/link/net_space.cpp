// SPDX-License-Identifier: Apache-2.0
#include "link/net_space.hpp"

#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bw::link {
namespace {

constexpr const char* kTunName = "access0";

tl::unexpected<Error> refused(const char* what) {
  const int number = errno;
  switch (number) {
    case EPERM:
    case EACCES:
      return fail(ErrorCode::kDenied,
                  "{}: {}; network namespaces need root: run it as root, in a container with the "
                  "capabilities SYS_ADMIN and NET_ADMIN or, where the system lets users have "
                  "namespaces of their own, under 'unshare --map-root-user --mount-proc --pid "
                  "--fork'",
                  what, std::strerror(number));
    case ENOENT:
    case ENODEV:
    case ENXIO:
      return fail(ErrorCode::kUnsupported,
                  "{}: {}; an emulated network needs TUN devices: load the kernel's module tun, or "
                  "give the container the device /dev/net/tun",
                  what, std::strerror(number));
    default:
      return fail(ErrorCode::kIo, "{}: {}", what, std::strerror(number));
  }
}

// Calls an ioctl on interfaces; false with errno.
bool configure(int socket, const char* device, unsigned long request, ifreq& how) {
  std::strncpy(how.ifr_name, device, IFNAMSIZ - 1);
  return ::ioctl(socket, request, &how) == 0;
}

bool set_address(int socket, const char* device, unsigned long request, std::uint32_t address) {
  ifreq how{};
  sockaddr_in value{};
  value.sin_family = AF_INET;
  value.sin_addr.s_addr = htonl(address);
  std::memcpy(&how.ifr_addr, &value, sizeof value);
  return configure(socket, device, request, how);
}

bool raise(int socket, const char* device) {
  ifreq how{};
  if (!configure(socket, device, SIOCGIFFLAGS, how)) return false;
  how.ifr_flags = static_cast<short>(how.ifr_flags | IFF_UP | IFF_RUNNING);
  return configure(socket, device, SIOCSIFFLAGS, how);
}

// Calls `what` as a thread of `there` and comes back.
template <class F>
auto within(const NetSpace& there, F what) -> decltype(what()) {
  BW_TRY(const NetSpace here, NetSpace::current());
  BW_CHECK(there.enter());
  auto done = what();
  BW_CHECK(here.enter());
  return done;
}

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

Result<NetSpace> NetSpace::current() {
  Descriptor handle(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!handle.is_open()) return refused("cannot look at the network namespace of this thread");
  return NetSpace(std::move(handle));
}

Result<NetSpace> NetSpace::make() {
  BW_TRY(const NetSpace here, current());
  if (::unshare(CLONE_NEWNET) != 0) return refused("cannot make a network namespace");
  auto made = current();
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const bool up = socket.is_open() && raise(socket.number(), "lo");
  const int number = errno;
  BW_CHECK(here.enter());
  errno = number;
  if (made && !up) return refused("cannot raise the loopback of a new network namespace");
  return made;
}

bool NetSpace::enter_raw() const {
  return ::setns(handle_.number(), CLONE_NEWNET) == 0;
}

Result<void> NetSpace::enter() const {
  if (enter_raw()) return {};
  return refused("cannot enter a network namespace");
}

Result<Descriptor> NetSpace::open_tun(std::uint32_t address, unsigned prefix) const {
  return within(*this, [&]() -> Result<Descriptor> {
    Descriptor device(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
    if (!device.is_open()) return refused("cannot open /dev/net/tun");
    ifreq how{};
    how.ifr_flags = IFF_TUN | IFF_NO_PI;
    if (!configure(device.number(), kTunName, TUNSETIFF, how)) {
      return refused("cannot make a TUN device");
    }
    const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const std::uint32_t mask = ~std::uint32_t{0} << (32 - prefix);
    if (!socket.is_open() || !set_address(socket.number(), kTunName, SIOCSIFADDR, address) ||
        !set_address(socket.number(), kTunName, SIOCSIFNETMASK, mask) ||
        !raise(socket.number(), kTunName)) {
      return refused("cannot give a TUN device its address");
    }
    return device;
  });
}

std::string address_text(std::uint32_t address) {
  return fmt::format("{}.{}.{}.{}", address >> 24U, address >> 16U & 0xffU, address >> 8U & 0xffU,
                     address & 0xffU);
}

}  // namespace bw::link
