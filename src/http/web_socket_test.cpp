// SPDX-License-Identifier: Apache-2.0
#include "http/web_socket.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/testing/scripted_server.hpp"
#include "net/loopback_testing.hpp"

namespace bw::http {
namespace {

using ::testing::HasSubstr;
using namespace http::testing;
namespace beast = boost::beast;
using ServerSocket = beast::websocket::stream<tcp::socket>;

class WebSocketTest : public ::testing::Test, public net::testing::Loop {
 protected:
  using Script = std::function<net::Task<void>(ServerSocket&)>;
  // What the server does on each connection after the handshake.
  void serve(Script script) {
    script_ = std::move(script);
    serve_raw([this](tcp::socket accepted) -> net::Task<void> {
      ServerSocket socket(std::move(accepted));
      const auto [error] = co_await socket.async_accept(kAwait);
      if (!error) co_await script_(socket);
    });
  }
  void serve_raw(TestServer::Serve serve) {
    server_ = std::make_unique<TestServer>(context, std::move(serve));
  }
  std::unique_ptr<WebSocket> connect(WebSocketOptions options = {}) {
    options.url = server_->url("ws");
    auto connected = run(WebSocket::connect(options));
    if (!connected) throw std::runtime_error(connected.error().message);
    return *std::move(connected);
  }
  ErrorCode read_failure(WebSocket& socket, Duration deadline = 20s) {
    const auto message = run(socket.read(deadline));
    return message ? ErrorCode::kInternal : message.error().code;
  }
  void TearDown() override { run(server_->stop()); }

  static net::Task<void> echo(ServerSocket& socket) {
    for (;;) {
      beast::flat_buffer buffer;
      const auto [unread, size] = co_await socket.async_read(buffer, kAwait);
      if (unread) co_return;
      const auto [unsent, sent] = co_await socket.async_write(buffer.data(), kAwait);
      if (unsent) co_return;
    }
  }

  Script script_;
  std::unique_ptr<TestServer> server_;
};

TEST_F(WebSocketTest, CarriesTextBothWays) {
  serve(echo);
  const auto socket = connect();
  for (const std::string& text : {std::string("{}"), std::string(200'000, 'x')}) {
    const auto sent = run(socket->send(text));
    ASSERT_TRUE(sent.has_value()) << sent.error().message;
    EXPECT_EQ(run(socket->read(20s)), text);
  }
}

TEST_F(WebSocketTest, RefusesMessagesAboveItsLimit) {
  serve(echo);
  const auto socket = connect({.message_bytes = 1000});
  ASSERT_TRUE(run(socket->send(std::string(1001, 'x'))).has_value());
  EXPECT_EQ(read_failure(*socket), ErrorCode::kTooLarge);
}

TEST_F(WebSocketTest, RefusesWhatIsNotText) {
  serve([](ServerSocket& socket) -> net::Task<void> {
    socket.binary(true);
    co_await socket.async_write(asio::buffer("xx", 2), kAwait);
    co_await echo(socket);
  });
  EXPECT_EQ(read_failure(*connect()), ErrorCode::kMalformed);
}

TEST_F(WebSocketTest, RefusesBytesThatAreNoFrames) {
  serve([](ServerSocket& socket) -> net::Task<void> {
    const std::string rubbish(100, '\xff');
    co_await asio::async_write(socket.next_layer(), asio::buffer(rubbish), kAwait);
    // What the client says to that, or else closing would reset the connection.
    char answer[1000];
    co_await socket.next_layer().async_read_some(asio::buffer(answer), kAwait);
  });
  EXPECT_EQ(read_failure(*connect()), ErrorCode::kMalformed);
}

TEST_F(WebSocketTest, TellsThatTheServerLeft) {
  serve([](ServerSocket& socket) -> net::Task<void> {
    co_await socket.async_close(beast::websocket::close_code::normal, kAwait);
  });
  EXPECT_EQ(read_failure(*connect()), ErrorCode::kUnavailable);
  run(server_->stop());
  serve([](ServerSocket&) -> net::Task<void> { co_return; });
  EXPECT_EQ(read_failure(*connect()), ErrorCode::kUnavailable);
}

TEST_F(WebSocketTest, WaitsForAMessageNoLongerThanAsked) {
  serve(echo);
  const auto socket = connect();
  const auto message = run(socket->read(50ms));
  ASSERT_FALSE(message.has_value());
  EXPECT_THAT(message.error().message, HasSubstr("no answer in time"));
}

// A host that is gone answers no ping; one that has nothing to say does.
TEST_F(WebSocketTest, PingsAndLosesWhoDoesNotAnswer) {
  serve(echo);
  const auto living = connect({.silence = 200ms});
  const auto message = run(living->read(1s));
  ASSERT_FALSE(message.has_value());
  EXPECT_THAT(message.error().message, HasSubstr("no answer in time"));
  run(server_->stop());

  serve([](ServerSocket&) -> net::Task<void> {
    while (co_await net::sleep_for(1s)) {
    }
  });
  const auto dead = connect({.silence = 200ms});
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(read_failure(*dead, 60s), ErrorCode::kUnavailable);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
}

TEST_F(WebSocketTest, ServersThatAreNoWebSockets) {
  serve_raw([](tcp::socket socket) -> net::Task<void> {
    std::string buffer;
    co_await read_request(socket, buffer);
    const std::string answer = ok("no");
    co_await asio::async_write(socket, asio::buffer(answer), kAwait);
  });
  EXPECT_FALSE(run(WebSocket::connect({.url = server_->url("ws")})).has_value());
  run(server_->stop());
  serve_raw([](tcp::socket) -> net::Task<void> {
    while (co_await net::sleep_for(1s)) {
    }
  });
  const auto slow = run(WebSocket::connect({.url = server_->url("ws"), .deadline = 50ms}));
  ASSERT_FALSE(slow.has_value());
  EXPECT_EQ(slow.error().code, ErrorCode::kUnavailable);
  const auto other = run(WebSocket::connect({.url = server_->url("http")}));
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(WebSocketTest, ReadEndsWhenItsTaskIsCancelledOrTheSocketAborted) {
  serve(echo);
  const auto socket = connect();
  net::TaskGroup tasks(context.get_executor());
  const auto reader = [](WebSocket& from) -> net::Task<void> { co_await from.read(60s); };
  tasks.spawn(reader(*socket));
  context.poll();
  run(tasks.join());
  const auto other = connect();
  tasks.spawn(reader(*other));
  context.poll();
  other->abort();
  ASSERT_TRUE(turn_until([&] { return tasks.size() == 0; }));
}

}  // namespace
}  // namespace bw::http
