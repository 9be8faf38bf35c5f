// SPDX-License-Identifier: Apache-2.0
#include "http/client.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>

#include <boost/asio/ssl.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "http/testing/scripted_server.hpp"
#include "http/url.hpp"
#include "net/loopback_testing.hpp"

namespace bw::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace http::testing;

TEST(Url, SplitsAddresses) {
  const auto url = parse_url("https://node.example/v3/KEY?x=1");
  ASSERT_TRUE(url.has_value()) << url.error().message;
  EXPECT_EQ(url->where.host, "node.example");
  EXPECT_EQ(url->where.port, 443);
  EXPECT_EQ(url->target, "/v3/KEY?x=1");
  EXPECT_TRUE(url->is_secure());
  EXPECT_EQ(url->origin(), "https://node.example");
  const auto v6 = parse_url("ws://[::1]:8546");
  ASSERT_TRUE(v6.has_value()) << v6.error().message;
  EXPECT_EQ(v6->where.host, "::1");
  EXPECT_EQ(v6->target, "/");
  EXPECT_TRUE(v6->is_web_socket());
  EXPECT_EQ(v6->origin(), "ws://[::1]:8546");
  EXPECT_EQ(parse_url("http://h?a")->target, "/?a");
}

TEST(Url, RefusesWhatIsNone) {
  for (const char* text : {"", "node.example", "ftp://node", "http://", "http://:80", "http://a:0",
                           "http://a:70000", "http://a b", "http://a/\r\nX: y", "http://a/#x",
                           "http://u:p@host", "http://[::1", "://x"}) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url.has_value()) << text;
    EXPECT_EQ(url.error().code, ErrorCode::kInvalidArgument) << text;
  }
  // What may be a secret is not repeated.
  EXPECT_THAT(parse_url("http://a/SECRET#x").error().message, Not(HasSubstr("SECRET")));
  EXPECT_THAT(parse_url("http://u:SECRET@a/").error().message, Not(HasSubstr("SECRET")));
}

class HttpClient : public ::testing::Test, public net::testing::Loop {
 protected:
  void serve(TestServer::Serve serve) {
    server_ = std::make_unique<TestServer>(context, std::move(serve));
  }
  // Answers the nth request of each connection with the nth text, then closes.
  void answer(std::vector<std::string> answers) {
    serve([this, answers](tcp::socket socket) -> net::Task<void> {
      std::string buffer;
      for (const std::string& text : answers) {
        requests_.push_back(co_await read_request(socket, buffer));
        if (requests_.back().empty()) co_return;
        co_await asio::async_write(socket, asio::buffer(text), kAwait);
      }
    });
  }
  Client& client(ClientOptions options = {}) {
    if (!client_) {
      if (options.url.empty()) options.url = server_->url("http");
      auto made = Client::make(options);
      if (!made) throw std::runtime_error(made.error().message);
      client_ = *std::move(made);
    }
    return *client_;
  }
  Result<Answer> post(std::string body = "{}") { return run(client().post(std::move(body))); }
  ErrorCode failure() {
    const auto answer = post();
    return answer ? ErrorCode::kInternal : answer.error().code;
  }
  void TearDown() override {
    client_.reset();
    if (server_) run(server_->stop());
  }

  std::vector<std::string> requests_;
  std::unique_ptr<TestServer> server_;
  std::unique_ptr<Client> client_;
};

TEST_F(HttpClient, PostsJsonOverOneKeptConnection) {
  answer({ok("one"), ok("two"), ok("three")});
  for (const char* expected : {"one", "two", "three"}) {
    const auto answer = post(R"({"a":1})");
    ASSERT_TRUE(answer.has_value()) << answer.error().message;
    EXPECT_EQ(answer->status, 200U);
    EXPECT_EQ(answer->body, expected);
  }
  EXPECT_EQ(server_->connections, 1U);
  EXPECT_THAT(requests_[0], ::testing::StartsWith("POST /path?key=secret HTTP/1.1\r\n"));
  EXPECT_THAT(requests_[0], HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_THAT(requests_[0], HasSubstr(fmt::format("Host: 127.0.0.1:{}\r\n", server_->port())));
  EXPECT_THAT(requests_[0], ::testing::EndsWith("\r\n\r\n{\"a\":1}"));
}

TEST_F(HttpClient, TakesAnswersInChunksAndErrorsWithTheirBody) {
  answer(
      {"HTTP/1.1 429 Slow down\r\nTransfer-Encoding: "
       "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"});
  const auto answer = post();
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->status, 429U);
  EXPECT_EQ(answer->body, "abcde");
}

TEST_F(HttpClient, ConnectsAgainWhereAKeptConnectionEnded) {
  answer({ok("one")});
  for (int i = 0; i < 3; ++i) {
    const auto answer = post();
    ASSERT_TRUE(answer.has_value()) << answer.error().message;
    EXPECT_EQ(answer->body, "one");
  }
  EXPECT_EQ(server_->connections, 3U);
}

TEST_F(HttpClient, DoesNotRepeatWhatWasHalfAnswered) {
  answer({ok("one"), "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"});
  ASSERT_TRUE(post().has_value());
  EXPECT_EQ(failure(), ErrorCode::kUnavailable);
  EXPECT_EQ(server_->connections, 1U);
}

TEST_F(HttpClient, RequestsAtOnceHaveConnectionsOfTheirOwn) {
  answer({ok("x"), ok("x")});
  net::TaskGroup tasks(context.get_executor());
  int done = 0;
  for (int i = 0; i < 3; ++i) {
    tasks.spawn([](Client& with, int& count) -> net::Task<void> {
      const auto answer = co_await with.post("{}");
      count += answer.has_value() ? 1 : 100;
    }(client(), done));
  }
  ASSERT_TRUE(turn_until([&] { return tasks.size() == 0; }));
  EXPECT_EQ(done, 3);
  EXPECT_EQ(server_->connections, 3U);
  ASSERT_TRUE(post().has_value());
  EXPECT_EQ(server_->connections, 3U);
}

TEST_F(HttpClient, GivesUpOnAServerThatIsSlow) {
  serve([](tcp::socket socket) -> net::Task<void> {
    const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
    co_await asio::async_write(socket, asio::buffer(head), kAwait);
    // A byte now and then does not help.
    while (co_await net::sleep_for(20ms)) {
      const auto [error, n] = co_await asio::async_write(socket, asio::buffer("x", 1), kAwait);
      if (error) co_return;
    }
  });
  client({.url = server_->url("http"), .deadline = 200ms});
  const auto began = std::chrono::steady_clock::now();
  const auto answer = post();
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(answer.error().message, HasSubstr("no answer in time"));
  EXPECT_THAT(answer.error().message, Not(HasSubstr("secret")));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
}

TEST_F(HttpClient, RefusesAnswersAboveItsLimit) {
  answer({"HTTP/1.1 200 OK\r\nContent-Length: 1000001\r\n\r\n" + std::string(1000, 'x')});
  client({.url = server_->url("http"), .answer_bytes = 1'000'000});
  EXPECT_EQ(failure(), ErrorCode::kTooLarge);
}

TEST_F(HttpClient, RefusesChunksAboveItsLimitTogether) {
  std::string endless = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 100; ++i) endless += "400\r\n" + std::string(1024, 'x') + "\r\n";
  answer({endless});
  client({.url = server_->url("http"), .answer_bytes = 50'000});
  EXPECT_EQ(failure(), ErrorCode::kTooLarge);
}

TEST_F(HttpClient, RefusesHeadersWithoutEnd) {
  answer({"HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x')});
  EXPECT_EQ(failure(), ErrorCode::kMalformed);
}

TEST_F(HttpClient, RefusesWhatIsNotHttp) {
  answer({"\x16\x03\x01 rubbish\r\n\r\n"});
  EXPECT_EQ(failure(), ErrorCode::kMalformed);
}

TEST_F(HttpClient, ClosedWithoutAnAnswer) {
  answer({""});
  EXPECT_EQ(failure(), ErrorCode::kUnavailable);
}

TEST_F(HttpClient, NobodyListens) {
  answer({});
  const std::string url = server_->url("http");
  run(server_->stop());
  server_.reset();
  client({.url = url});
  const auto answer = post();
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(answer.error().message, HasSubstr("is it running?"));
}

TEST_F(HttpClient, EndsWhenItsTaskIsCancelled) {
  serve([](tcp::socket socket) -> net::Task<void> {
    char byte = 0;
    while (!std::get<0>(co_await socket.async_read_some(asio::buffer(&byte, 1), kAwait))) {
    }
  });
  net::TaskGroup tasks(context.get_executor());
  tasks.spawn([](Client& with) -> net::Task<void> { co_await with.post("{}"); }(client()));
  ASSERT_TRUE(turn_until([&] { return server_->connections == 1; }));
  run(tasks.join());
}

TEST_F(HttpClient, IsForHttpOnly) {
  EXPECT_FALSE(Client::make({.url = "ws://127.0.0.1"}).has_value());
  EXPECT_EQ(Client::make({.url = "https://h", .trust = "/none"}).error().code, ErrorCode::kIo);
}

// A certificate for 127.0.0.1 that signs itself.
struct Certificate {
  Certificate() {
    key = EVP_EC_gen("P-256");
    x509 = X509_new();
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_set_pubkey(x509, key);
    auto* name = X509_get_subject_name(x509);
    const std::string_view common = "test";
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(common.data()),
                               static_cast<int>(common.size()), -1, 0);
    X509_set_issuer_name(x509, name);
    auto* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(x509, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(x509, key, EVP_sha256());
    char pattern[] = "/tmp/bw_http_XXXXXX";
    file = pattern;
    file.resize(sizeof pattern - 1);
    const int descriptor = mkstemp(file.data());
    std::FILE* out = fdopen(descriptor, "w");
    PEM_write_X509(out, x509);
    std::fclose(out);
  }
  ~Certificate() {
    X509_free(x509);
    EVP_PKEY_free(key);
    std::filesystem::remove(file);
  }
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;

  EVP_PKEY* key;
  X509* x509;
  std::string file;
};

class HttpsClient : public HttpClient {
 protected:
  HttpsClient() {
    SSL_CTX_use_certificate(tls_.native_handle(), certificate_.x509);
    SSL_CTX_use_PrivateKey(tls_.native_handle(), certificate_.key);
    serve([this](tcp::socket socket) -> net::Task<void> {
      asio::ssl::stream<tcp::socket> stream(std::move(socket), tls_);
      const auto [unshaken] =
          co_await stream.async_handshake(asio::ssl::stream_base::server, kAwait);
      std::string got;
      while (!unshaken) {
        const auto [error, size] = co_await asio::async_read_until(
            stream, asio::dynamic_buffer(got), "\r\n\r\n{}", kAwait);
        if (error) co_return;
        got.erase(0, size);
        const std::string text = ok("safe");
        co_await asio::async_write(stream, asio::buffer(text), kAwait);
      }
    });
  }

  Certificate certificate_;
  asio::ssl::context tls_{asio::ssl::context::tls_server};
};

TEST_F(HttpsClient, TrustsWhomItIsToldTo) {
  client({.url = server_->url("https"), .trust = certificate_.file});
  for (int i = 0; i < 2; ++i) {
    const auto answer = post();
    ASSERT_TRUE(answer.has_value()) << answer.error().message;
    EXPECT_EQ(answer->body, "safe");
  }
  EXPECT_EQ(server_->connections, 1U);
}

TEST_F(HttpsClient, TrustsNobodyElse) {
  client({.url = server_->url("https")});
  const auto answer = post();
  ASSERT_FALSE(answer.has_value());
  EXPECT_THAT(answer.error().message, HasSubstr("certificate is not trusted"));
}

TEST_F(HttpsClient, HoldsTheCertificateToTheHost) {
  client(
      {.url = fmt::format("https://localhost:{}/", server_->port()), .trust = certificate_.file});
  const auto answer = post();
  ASSERT_FALSE(answer.has_value());
  EXPECT_THAT(answer.error().message, HasSubstr("certificate is not trusted"));
}

}  // namespace
}  // namespace bw::http
