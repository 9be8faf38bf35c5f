// SPDX-License-Identifier: Apache-2.0
#include "net/tls_engine.hpp"

#include <array>

#include <gtest/gtest.h>
#include <openssl/bio.h>

namespace bw::net {
namespace {

struct End {
  explicit End(TlsSide side) : engine(*TlsEngine::make(side)) {}

  Result<std::string> open() {
    std::array<std::uint8_t, TlsEngine::kRecordBytes> room{};
    std::string all;
    for (;;) {
      BW_TRY(const std::size_t bytes, engine->open(room, out));
      if (bytes == 0) return all;
      all += as_text(ByteView(room).first(bytes));
    }
  }

  std::unique_ptr<TlsEngine> engine;
  Bytes out;
};

struct Both {
  Both() {
    bool client_done = false;
    bool server_done = false;
    for (int round = 0; round < 4 && !(client_done && server_done); ++round) {
      client_done = client.engine->shake(client.out).value();
      const Bytes to_server = std::exchange(client.out, {});
      server.engine->feed(to_server);
      server_done = server.engine->shake(server.out).value();
      to_client = std::exchange(server.out, {});
      client.engine->feed(to_client);
    }
    EXPECT_TRUE(client_done && server_done);
  }

  Result<std::string> to_server(std::string_view text) {
    BW_CHECK(client.engine->seal(as_bytes(text), client.out));
    return pass_to_server();
  }
  Result<std::string> pass_to_server() {
    const Bytes bytes = std::exchange(client.out, {});
    server.engine->feed(bytes);
    return server.open();
  }

  End client{TlsSide::kClient};
  End server{TlsSide::kServer};
  Bytes to_client;
};

TEST(TlsEngine, CarriesBytesBothWays) {
  Both both;
  EXPECT_EQ(both.to_server("hello"), "hello");
  ASSERT_TRUE(both.server.engine->seal(as_bytes("answer"), both.server.out));
  both.client.engine->feed(both.server.out);
  EXPECT_EQ(both.client.open(), "answer");
}

TEST(TlsEngine, ExporterIsTheSameAtBothEndsAndNewEachTime) {
  const Both first;
  const Both second;
  const auto exporter = first.client.engine->exporter();
  ASSERT_TRUE(exporter);
  EXPECT_FALSE(exporter->is_zero());
  EXPECT_EQ(exporter, first.server.engine->exporter());
  EXPECT_NE(exporter, second.client.engine->exporter());
}

TEST(TlsEngine, ChangedCiphertextIsRefused) {
  Both both;
  ASSERT_TRUE(both.client.engine->seal(as_bytes("pay 10"), both.client.out));
  both.client.out.back() ^= 1U;
  const auto opened = both.pass_to_server();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kMalformed);
}

TEST(TlsEngine, ARepeatedRecordIsRefused) {
  Both both;
  ASSERT_TRUE(both.client.engine->seal(as_bytes("pay 10"), both.client.out));
  const Bytes once = both.client.out;
  ASSERT_EQ(both.pass_to_server(), "pay 10");
  both.client.out = once;
  EXPECT_FALSE(both.pass_to_server());
}

TEST(TlsEngine, TheEndIsAnnounced) {
  Both both;
  EXPECT_FALSE(both.server.engine->peer_ended());
  both.client.engine->seal_end(both.client.out);
  EXPECT_EQ(both.pass_to_server(), "");
  EXPECT_TRUE(both.server.engine->peer_ended());
}

TEST(TlsEngine, GoesOnAcrossANewKey) {
  Both both;
  EXPECT_EQ(both.to_server("old key"), "old key");
  ASSERT_TRUE(both.client.engine->renew_key(both.client.out));
  EXPECT_EQ(both.to_server("new key"), "new key");
}

TEST(TlsEngine, EndlessKeyChangesAreAbuse) {
  Both both;
  for (int i = 0; i < 32; ++i) ASSERT_TRUE(both.client.engine->renew_key(both.client.out));
  EXPECT_EQ(both.to_server("patience"), "patience");
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(both.client.engine->renew_key(both.client.out));
  const auto opened = both.pass_to_server();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kLimited);
}

// Any other program's client.
struct ForeignClient {
  explicit ForeignClient(int version)
      : context(SSL_CTX_new(TLS_client_method())), ssl(SSL_new(context)) {
    SSL_set_min_proto_version(ssl, TLS1_VERSION);
    SSL_set_max_proto_version(ssl, version);
    SSL_set_bio(ssl, in, out);
    SSL_set_connect_state(ssl);
  }
  ~ForeignClient() {
    SSL_free(ssl);
    SSL_CTX_free(context);
  }
  ForeignClient(const ForeignClient&) = delete;
  ForeignClient& operator=(const ForeignClient&) = delete;

  Bytes sent() {
    Bytes bytes(1 << 16);
    const int count = BIO_read(out, bytes.data(), static_cast<int>(bytes.size()));
    bytes.resize(static_cast<std::size_t>(std::max(count, 0)));
    return bytes;
  }

  SSL_CTX* context;
  SSL* ssl;
  BIO* in = BIO_new(BIO_s_mem());
  BIO* out = BIO_new(BIO_s_mem());
};

TEST(TlsEngine, RefusesTls12) {
  ForeignClient client(TLS1_2_VERSION);
  SSL_do_handshake(client.ssl);
  const Bytes hello = client.sent();
  ASSERT_FALSE(hello.empty());
  End server(TlsSide::kServer);
  server.engine->feed(hello);
  const auto done = server.engine->shake(server.out);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kMalformed);
}

TEST(TlsEngine, GivesNothingToResumeFrom) {
  ForeignClient client(TLS1_3_VERSION);
  End server(TlsSide::kServer);
  bool done = false;
  for (int round = 0; round < 4 && !done; ++round) {
    SSL_do_handshake(client.ssl);
    const Bytes bytes = client.sent();
    server.engine->feed(bytes);
    const auto shaken = server.engine->shake(server.out);
    ASSERT_TRUE(shaken) << shaken.error().message;
    done = *shaken;
    const Bytes answer = std::exchange(server.out, {});
    BIO_write(client.in, answer.data(), static_cast<int>(answer.size()));
  }
  ASSERT_TRUE(done);
  ASSERT_TRUE(server.engine->seal(as_bytes("x"), server.out));
  BIO_write(client.in, server.out.data(), static_cast<int>(server.out.size()));
  char byte = 0;
  ASSERT_EQ(SSL_read(client.ssl, &byte, 1), 1);
  EXPECT_EQ(SSL_version(client.ssl), TLS1_3_VERSION);
  EXPECT_EQ(SSL_SESSION_is_resumable(SSL_get_session(client.ssl)), 0);
}

}  // namespace
}  // namespace bw::net
