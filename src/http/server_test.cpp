// SPDX-License-Identifier: Apache-2.0
#include "http/server.hpp"

#include <future>
#include <thread>
#include <vector>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bw::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using testing::HasSubstr;
using testing::StartsWith;

class HttpServer : public testing::Test {
 protected:
  static constexpr Limits kLimits{.connections = 8, .deadline = 1s};

  HttpServer() : server_(*Server::bind(context_, "127.0.0.1:0", kLimits)) {
    server_->get("/metrics", [] { return Response{.body = "bosswave_up 1\n"}; });
    server_->get("/large", [] { return Response{.body = std::string(64 << 20, 'x')}; });
    server_->start();
    thread_ = std::thread([this] { context_.run(); });
  }
  ~HttpServer() override {
    asio::post(context_, [this] { server_->stop(); });
    thread_.join();
  }

  tcp::socket connect(const char* from = "127.0.0.1") {
    tcp::socket socket(client_, {asio::ip::make_address(from), 0});
    const std::string address = server_->address();
    const auto port =
        static_cast<unsigned short>(std::stoi(address.substr(address.rfind(':') + 1)));
    socket.connect({asio::ip::make_address("127.0.0.1"), port});
    return socket;
  }

  std::size_t open_connections() {
    std::promise<std::size_t> count;
    asio::post(context_, [&] { count.set_value(server_->open_connections()); });
    return count.get_future().get();
  }

  std::string exchange(const std::string& request) {
    tcp::socket socket = connect();
    asio::write(socket, asio::buffer(request));
    return rest_of(socket);
  }

  // Until the server closes.
  static std::string rest_of(tcp::socket& socket) {
    std::string answer;
    boost::system::error_code error;
    asio::read(socket, asio::dynamic_buffer(answer), error);
    return answer;
  }

  asio::io_context client_;
  asio::io_context context_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

TEST_F(HttpServer, ServesWhatIsRegisteredAndNothingElse) {
  const std::string found = exchange("GET /metrics?x=1 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(found, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(found, HasSubstr("bosswave_up 1"));
  EXPECT_THAT(exchange("GET /etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(exchange("DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 405"));
}

TEST_F(HttpServer, RubbishAndOversizedHeadersOnlyCloseTheConnection) {
  EXPECT_EQ(exchange("\x16\x03\x01 nonsense\r\n\r\n"), "");
  EXPECT_EQ(exchange("GET / HTTP/1.1\r\nX: " + std::string(20'000, 'a') + "\r\n\r\n"), "");
  EXPECT_THAT(exchange("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServer, ClientsThatSayNothingKeepNobodyOut) {
  std::vector<tcp::socket> silent;
  for (int i = 0; i < 100; ++i) silent.push_back(connect("127.0.0.2"));
  const auto before = std::chrono::steady_clock::now();
  EXPECT_THAT(exchange("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_LT(std::chrono::steady_clock::now() - before, kLimits.deadline);
  EXPECT_LE(open_connections(), kLimits.connections);
}

TEST_F(HttpServer, ASlowRequestEndsAtTheDeadline) {
  tcp::socket slow = connect();
  asio::write(slow, asio::buffer(std::string("GET /metrics HTTP/1.1\r\n")));
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(rest_of(slow), "");
  EXPECT_GE(std::chrono::steady_clock::now() - before, kLimits.deadline / 2);
  EXPECT_EQ(open_connections(), 0U);
}

TEST_F(HttpServer, AnAnswerThatIsNotTakenEndsAtTheDeadline) {
  tcp::socket idle = connect();
  asio::write(idle, asio::buffer(std::string("GET /large HTTP/1.1\r\nHost: x\r\n\r\n")));
  char first = 0;
  ASSERT_EQ(idle.read_some(asio::buffer(&first, 1)), 1U);
  const auto until = std::chrono::steady_clock::now() + 60s;
  while (open_connections() > 0 && std::chrono::steady_clock::now() < until) {
    std::this_thread::yield();
  }
  EXPECT_EQ(open_connections(), 0U);
}

TEST(HttpServerBind, BadAddressesSayWhatToWrite) {
  asio::io_context context;
  for (const char* address : {"", "nonsense", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000"}) {
    const auto bound = Server::bind(context, address);
    ASSERT_FALSE(bound) << address;
    EXPECT_THAT(bound.error().message, HasSubstr("127.0.0.1:9090"));
  }
}

}  // namespace
}  // namespace bw::http
