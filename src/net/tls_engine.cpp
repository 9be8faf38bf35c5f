// SPDX-License-Identifier: Apache-2.0
#include "net/tls_engine.hpp"

#include <algorithm>
#include <cstring>

#include <openssl/bio.h>
#include <openssl/err.h>

#include "base/check.hpp"

namespace bw::net {
namespace {

// RFC 8446 5.5 allows 2^24.5 full records under one AES-GCM key.
constexpr std::size_t kRecordsPerKey = std::size_t{1} << 23U;
// A key change is a short record that costs us a derivation and an answer. Nobody needs more than
// these and one for each MiB.
constexpr std::size_t kFreeKeyChanges = 32;
constexpr unsigned kBytesPerKeyChangeLog2 = 20;
constexpr std::string_view kExporterLabel = "EXPORTER-Channel-Binding";

}  // namespace

// A BIO whose two ends are the caller's bytes.
struct TlsEngine::Callbacks {
  static Wire& wire(BIO* bio) { return *static_cast<Wire*>(BIO_get_data(bio)); }

  static bool too_many_key_changes(const Wire& wire) {
    return wire.key_changes > kFreeKeyChanges + (wire.opened >> kBytesPerKeyChangeLog2);
  }

  static int read(BIO* bio, char* to, std::size_t most, std::size_t* done) {
    Wire& wire = Callbacks::wire(bio);
    BIO_clear_retry_flags(bio);
    if (too_many_key_changes(wire)) return 0;
    if (wire.in.empty()) {
      BIO_set_retry_read(bio);
      return 0;
    }
    *done = std::min(most, wire.in.size());
    std::memcpy(to, wire.in.data(), *done);
    wire.in = wire.in.subspan(*done);
    return 1;
  }

  static int write(BIO* bio, const char* from, std::size_t bytes, std::size_t* done) {
    append(*wire(bio).out, as_bytes(std::string_view(from, bytes)));
    *done = bytes;
    return 1;
  }

  static long control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
  }

  static BIO_METHOD* method() {
    static BIO_METHOD* const method = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "bytes");
      BW_ASSERT(made != nullptr);
      BIO_meth_set_read_ex(made, read);
      BIO_meth_set_write_ex(made, write);
      BIO_meth_set_ctrl(made, control);
      return made;
    }();
    return method;
  }

  static void count_key_changes(int sent, int /*version*/, int type, const void* bytes,
                                std::size_t size, SSL* /*ssl*/, void* wire) {
    if (sent != 0 || type != SSL3_RT_HANDSHAKE || size == 0) return;
    if (*static_cast<const std::uint8_t*>(bytes) != SSL3_MT_KEY_UPDATE) return;
    ++static_cast<Wire*>(wire)->key_changes;
  }
};

Result<std::unique_ptr<TlsEngine>> TlsEngine::make(TlsSide side) {
  BW_TRY(SSL_CTX * context, tls_context(side));
  SSL* ssl = SSL_new(context);
  BIO* bio = BIO_new(Callbacks::method());
  if (ssl == nullptr || bio == nullptr) {
    SSL_free(ssl);
    BIO_free(bio);
    return fail(ErrorCode::kInternal, "TLS: out of memory");
  }
  std::unique_ptr<TlsEngine> engine(new TlsEngine(ssl));
  BIO_set_data(bio, &engine->wire_);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);
  SSL_set_msg_callback(ssl, Callbacks::count_key_changes);
  SSL_set_msg_callback_arg(ssl, &engine->wire_);
  if (side == TlsSide::kServer) {
    SSL_set_accept_state(ssl);
  } else {
    SSL_set_connect_state(ssl);
  }
  return engine;
}

TlsEngine::~TlsEngine() {
  SSL_free(ssl_);
}

tl::unexpected<Error> TlsEngine::failed(std::string_view what) const {
  if (Callbacks::too_many_key_changes(wire_)) {
    ERR_clear_error();
    return fail(ErrorCode::kLimited, "TLS: the peer changed its key {} times in {} bytes",
                wire_.key_changes, wire_.opened);
  }
  return fail(ErrorCode::kMalformed, "TLS: {}: {}", what, take_tls_error());
}

Result<bool> TlsEngine::shake(Bytes& out) {
  wire_.out = &out;
  ERR_clear_error();
  const int done = SSL_do_handshake(ssl_);
  if (done == 1) return true;
  if (SSL_get_error(ssl_, done) == SSL_ERROR_WANT_READ) return false;
  return failed("handshake failed");
}

Result<std::size_t> TlsEngine::open(std::span<std::uint8_t> room, Bytes& out) {
  BW_ASSERT(!room.empty());
  wire_.out = &out;
  ERR_clear_error();
  std::size_t bytes = 0;
  const int done = SSL_read_ex(ssl_, room.data(), room.size(), &bytes);
  if (done == 1) {
    wire_.opened += bytes;
    return bytes;
  }
  const int why = SSL_get_error(ssl_, done);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_ZERO_RETURN) return 0;
  return failed("broken record");
}

Result<void> TlsEngine::seal(ByteView plaintext, Bytes& out) {
  BW_ASSERT(!plaintext.empty() && plaintext.size() <= kRecordBytes);
  if (++records_ >= kRecordsPerKey) BW_CHECK(renew_key(out));
  wire_.out = &out;
  ERR_clear_error();
  std::size_t bytes = 0;
  if (SSL_write_ex(ssl_, plaintext.data(), plaintext.size(), &bytes) != 1) {
    return failed("cannot encrypt");
  }
  BW_ASSERT(bytes == plaintext.size());  // `out` takes everything
  return {};
}

void TlsEngine::seal_end(Bytes& out) {
  wire_.out = &out;
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

Result<void> TlsEngine::renew_key(Bytes& out) {
  wire_.out = &out;
  records_ = 0;
  ERR_clear_error();
  if (SSL_key_update(ssl_, SSL_KEY_UPDATE_NOT_REQUESTED) != 1 || SSL_do_handshake(ssl_) != 1) {
    return failed("cannot renew the key");
  }
  return {};
}

bool TlsEngine::peer_ended() const {
  return (SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0;
}

Result<Hash> TlsEngine::exporter() const {
  Hash value;
  ERR_clear_error();
  if (SSL_export_keying_material(ssl_, value.bytes.data(), value.bytes.size(),
                                 kExporterLabel.data(), kExporterLabel.size(), nullptr, 0,
                                 0) != 1) {
    return failed("cannot export a channel binding");
  }
  return value;
}

}  // namespace bw::net
