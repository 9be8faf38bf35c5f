// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "net/address.hpp"
#include "site.hpp"

namespace bw::e2e {

// A connected stream socket that says nothing by itself.
class RawSocket {
 public:
  static RawSocket tcp(const std::string& address) {
    const auto where = must(net::parse_host_port(address));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(where.port);
    ::inet_pton(AF_INET, where.host.c_str(), &to.sin_addr);
    return RawSocket(AF_INET, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  static RawSocket unix_domain(const std::string& path) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    path.copy(to.sun_path, sizeof to.sun_path - 1);
    return RawSocket(AF_UNIX, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  RawSocket(RawSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  RawSocket& operator=(RawSocket&&) = delete;
  ~RawSocket() {
    if (fd_ >= 0) ::close(fd_);
  }

  // The peer may have hung up: then the bytes are lost, which is no error here.
  void send(ByteView bytes) { (void)::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }

  // Reads what comes until the peer hangs up; false when it does not within `patience`.
  [[nodiscard]] bool waits_for_end(Duration patience) {
    const auto until = std::chrono::steady_clock::now() + patience;
    for (;;) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          until - std::chrono::steady_clock::now());
      if (left.count() <= 0) return false;
      pollfd waiting{fd_, POLLIN, 0};
      if (::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) return false;
      ByteArray<4096> ignored{};
      if (::recv(fd_, ignored.data(), ignored.size(), 0) <= 0) return true;
    }
  }

 private:
  RawSocket(int family, const sockaddr* to, socklen_t size)
      : fd_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (::connect(fd_, to, size) != 0) throw std::runtime_error("cannot connect");
  }

  int fd_;
};

}  // namespace bw::e2e
