// SPDX-License-Identifier: Apache-2.0
#include "programs/stream.hpp"

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bw::bench {
namespace {

// Several records with each system call: a client must not be slower than its broker.
constexpr std::size_t kReadAhead = 256 * 1024;

std::system_error system_failure(const std::string& what) {
  return {errno, std::generic_category(), what};
}

SSL_CTX* tls_context() {
  static SSL_CTX* const context = [] {
    SSL_CTX* made = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(made, TLS1_3_VERSION);
    SSL_CTX_set_mode(made, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(made, 1);
    SSL_CTX_set_default_read_buffer_len(made, kReadAhead);
    return made;
  }();
  return context;
}

}  // namespace

Stream::Stream(const std::string& address) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const std::size_t colon = address.rfind(':');
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
  ::inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    throw system_failure("connect to " + address);
  }
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_NONBLOCK);
}

Stream::~Stream() {
  ::close(fd_);
}

void Stream::start_tls() {
  ssl_.reset(SSL_new(tls_context()));
  SSL_set_fd(ssl_.get(), fd_);
  for (int result = 0; (result = SSL_connect(ssl_.get())) != 1;) after(result);
}

void Stream::wait(bool to_read) const {
  pollfd waiting{fd_, static_cast<short>(to_read ? POLLIN : POLLOUT), 0};
  ::poll(&waiting, 1, -1);
}

void Stream::after(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return wait(true);
    case SSL_ERROR_WANT_WRITE:
      return wait(false);
    default:
      throw std::runtime_error("TLS failed");
  }
}

void Stream::write(ByteView bytes) {
  while (!bytes.empty()) {
    std::size_t written = 0;
    if (ssl_) {
      const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written);
      if (result != 1) after(result);
    } else {
      const ssize_t result = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (result < 0 && errno != EAGAIN && errno != EINTR) throw system_failure("send");
      if (result < 0) wait(false);
      written = result < 0 ? 0 : static_cast<std::size_t>(result);
    }
    bytes = bytes.subspan(written);
  }
}

std::size_t Stream::read(std::span<std::uint8_t> into) {
  if (!ssl_) {
    const ssize_t got = ::recv(fd_, into.data(), into.size(), 0);
    if (got == 0) throw std::runtime_error("the broker closed the connection");
    if (got < 0 && errno != EAGAIN && errno != EINTR) throw system_failure("recv");
    return got < 0 ? 0 : static_cast<std::size_t>(got);
  }
  std::size_t got = 0;
  const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &got);
  if (result == 1) return got;
  if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_READ) return 0;
  throw std::runtime_error("the broker closed the connection");
}

}  // namespace bw::bench
