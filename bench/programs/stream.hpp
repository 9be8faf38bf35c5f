// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>

#include <openssl/ssl.h>

#include "base/bytes.hpp"

namespace bw::bench {

// A non-blocking TCP connection to a broker of this machine, with TLS 1.3 when asked. Throws
// std::runtime_error when the peer goes.
class Stream {
 public:
  // "127.0.0.1:port"
  explicit Stream(const std::string& address);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Blocks until the handshake is done. The certificate is not checked: this measures work, and the
  // peer was started by the same hand.
  void start_tls();

  // Blocks until all of it is with the system.
  void write(ByteView bytes);
  // What has come, up to `into`; 0 when nothing has.
  std::size_t read(std::span<std::uint8_t> into);
  void wait_readable() const { wait(true); }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  void wait(bool to_read) const;
  // Waits for what OpenSSL waits for; throws when it failed.
  void after(int result);

  struct SslFree {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  int fd_ = -1;
  std::unique_ptr<SSL, SslFree> ssl_;
};

}  // namespace bw::bench
