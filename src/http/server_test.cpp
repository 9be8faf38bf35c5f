// SPDX-License-Identifier: Apache-2.0
#include "http/server.hpp"

#include <thread>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
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
  HttpServer() : server_(*Server::bind(context_, "127.0.0.1:0")) {
    server_->get("/metrics", [] { return Response{.body = "bosswave_up 1\n"}; });
    server_->start();
    thread_ = std::thread([this] { context_.run(); });
  }
  ~HttpServer() override {
    asio::post(context_, [this] { server_->stop(); });
    thread_.join();
  }

  std::string exchange(const std::string& request) {
    asio::io_context context;
    tcp::socket socket(context);
    const std::string address = server_->address();
    const auto port =
        static_cast<unsigned short>(std::stoi(address.substr(address.rfind(':') + 1)));
    socket.connect({asio::ip::make_address("127.0.0.1"), port});
    asio::write(socket, asio::buffer(request));
    std::string answer;
    boost::system::error_code error;
    asio::read(socket, asio::dynamic_buffer(answer), error);
    return answer;
  }

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
