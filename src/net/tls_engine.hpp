// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>

#include "base/bytes.hpp"
#include "base/id.hpp"
#include "base/result.hpp"
#include "net/tls_context.hpp"

namespace bw::net {

// One end of a TLS connection without a socket: ciphertext in, ciphertext out. OpenSSL reads
// straight from the caller's bytes and appends straight to the caller's, so that the caller decides
// how much goes into a system call. After an error nothing but its destructor may be called; `out`
// then ends with an alert that is worth sending.
class TlsEngine {
 public:
  // Plaintext of a full record (RFC 8446 5.1).
  static constexpr std::size_t kRecordBytes = 16384;

  static Result<std::unique_ptr<TlsEngine>> make(TlsSide side);
  ~TlsEngine();
  TlsEngine(const TlsEngine&) = delete;
  TlsEngine& operator=(const TlsEngine&) = delete;

  // What the peer sent; must outlive the calls that follow, until one of them says it is used up.
  void feed(ByteView ciphertext) { wire_.in = ciphertext; }

  // Goes on with the handshake. True when it is done; false when more of the peer is needed.
  Result<bool> shake(Bytes& out);
  // Fills `room` (not empty) with plaintext. 0 when what was fed is used up.
  Result<std::size_t> open(std::span<std::uint8_t> room, Bytes& out);
  // Appends one record; at most kRecordBytes of plaintext, not empty.
  Result<void> seal(ByteView plaintext, Bytes& out);
  // Appends the notice that no more will be sent.
  void seal_end(Bytes& out);
  // New keys for what is sent from here on. seal() does it in time by itself.
  Result<void> renew_key(Bytes& out);

  // The peer has said that it will send no more.
  [[nodiscard]] bool peer_ended() const;
  // Precondition: the handshake is done. RFC 9266, "tls-exporter".
  [[nodiscard]] Result<Hash> exporter() const;

 private:
  struct Wire {
    ByteView in;
    Bytes* out = nullptr;
    std::size_t opened = 0;       // plaintext bytes
    std::size_t key_changes = 0;  // by the peer
  };
  struct Callbacks;

  explicit TlsEngine(SSL* ssl) : ssl_(ssl) {}
  tl::unexpected<Error> failed(std::string_view what) const;

  SSL* ssl_;
  Wire wire_;
  std::size_t records_ = 0;  // under the present sending key
};

}  // namespace bw::net
