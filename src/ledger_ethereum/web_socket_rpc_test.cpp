// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/web_socket_rpc.hpp"

#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/testing/scripted_server.hpp"
#include "ledger_ethereum/head_news.hpp"
#include "net/loopback_testing.hpp"

namespace bw::ledger_ethereum {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace http::testing;
namespace beast = boost::beast;
using ServerSocket = beast::websocket::stream<tcp::socket>;

net::Task<std::string> hear(ServerSocket& socket) {
  beast::flat_buffer buffer;
  const auto [error, size] = co_await socket.async_read(buffer, kAwait);
  co_return error ? "" : beast::buffers_to_string(buffer.data());
}
net::Task<void> say(ServerSocket& socket, std::string text) {
  co_await socket.async_write(asio::buffer(text), kAwait);
}
std::string answer_to(const std::string& request, const json& result) {
  return json{{"jsonrpc", "2.0"}, {"id", json::parse(request)["id"]}, {"result", result}}.dump();
}

class WebSocketRpcTest : public ::testing::Test, public net::testing::Loop {
 protected:
  using Script = std::function<net::Task<void>(ServerSocket&)>;
  // What the server does on each connection.
  void serve(Script script) {
    script_ = std::move(script);
    server_ = std::make_unique<TestServer>(
        context, [this](tcp::socket accepted) { return upgrade(std::move(accepted)); });
  }
  std::unique_ptr<Rpc> rpc(Duration deadline = 10s) {
    return *make_rpc({.url = server_->url("ws"), .deadline = deadline});
  }
  void TearDown() override { run(server_->stop()); }

  // Answers every call with its method.
  static net::Task<void> echo(ServerSocket& socket) {
    for (std::string asked; !(asked = co_await hear(socket)).empty();) {
      co_await say(socket, answer_to(asked, json::parse(asked)["method"]));
    }
  }

  std::unique_ptr<TestServer> server_;

 private:
  net::Task<void> upgrade(tcp::socket accepted) {
    ServerSocket socket(std::move(accepted));
    const auto [error] = co_await socket.async_accept(kAwait);
    if (!error) co_await script_(socket);
  }
  Script script_;
};

TEST_F(WebSocketRpcTest, CallsFollowEachOtherOnOneConnection) {
  serve(echo);
  const auto rpc = this->rpc();
  for (const std::string method : {"eth_a", "eth_b", "eth_c"}) {
    const auto reply = run(rpc->call(method, json::array()));
    ASSERT_TRUE(reply.has_value()) << reply.error().message;
    EXPECT_EQ(**reply, method);
  }
  EXPECT_EQ(server_->connections, 1U);
}

TEST_F(WebSocketRpcTest, ASlowAnswerHoldsNoOtherCallUp) {
  serve([](ServerSocket& socket) -> net::Task<void> {
    const std::string asked = co_await hear(socket);
    // The slow one is never answered: its connection stands until the caller goes.
    if (json::parse(asked)["method"] == "slow") {
      co_await hear(socket);
      co_return;
    }
    co_await say(socket, answer_to(asked, "quick"));
  });
  const auto rpc = this->rpc();
  net::TaskGroup tasks(context.get_executor());
  tasks.spawn([](Rpc& one) -> net::Task<void> { co_await one.call("slow", json::array()); }(*rpc));
  ASSERT_TRUE(turn_until([&] { return server_->connections == 1; }));
  EXPECT_EQ(**run(rpc->call("quick", json::array())), "quick");
  run([](net::TaskGroup& group) -> net::Task<bool> {
    co_await group.join();
    co_return true;
  }(tasks));
}

TEST_F(WebSocketRpcTest, AConnectionThatEndedMeanwhileIsMadeAgain) {
  // One answer, then it hangs up.
  serve([](ServerSocket& socket) -> net::Task<void> {
    co_await say(socket, answer_to(co_await hear(socket), true));
  });
  const auto rpc = this->rpc();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(run(rpc->call("eth_a", json::array())).has_value());
  EXPECT_EQ(server_->connections, 3U);
}

TEST_F(WebSocketRpcTest, BatchesAreOneMessage) {
  serve([](ServerSocket& socket) -> net::Task<void> {
    json answers = json::array();
    for (const json& one : json::parse(co_await hear(socket))) {
      answers.insert(answers.begin(),
                     json{{"jsonrpc", "2.0"}, {"id", one["id"]}, {"result", one["method"]}});
    }
    co_await say(socket, answers.dump());
  });
  const auto replies = run(rpc()->batch({{"eth_a", json::array()}, {"eth_b", json::array()}}));
  ASSERT_TRUE(replies.has_value()) << replies.error().message;
  EXPECT_EQ(*replies->at(0), "eth_a");
  EXPECT_EQ(*replies->at(1), "eth_b");
}

TEST_F(WebSocketRpcTest, SilenceAndRubbishAreErrorsWithoutSecrets) {
  std::string said;
  serve([&](ServerSocket& socket) -> net::Task<void> {
    co_await hear(socket);
    if (!said.empty()) co_await say(socket, said);
    co_await hear(socket);
  });
  const auto silent = run(rpc(50ms)->call("eth_a", json::array()));
  EXPECT_EQ(silent.error().code, ErrorCode::kUnavailable);
  for (const std::string rubbish : {"rubbish", R"({"jsonrpc":"2.0","id":77,"result":1})"}) {
    said = rubbish;
    const auto reply = run(rpc()->call("eth_a", json::array()));
    ASSERT_FALSE(reply.has_value());
    EXPECT_EQ(reply.error().code, ErrorCode::kMalformed);
    EXPECT_THAT(reply.error().message, HasSubstr("ws://127.0.0.1:"));
    EXPECT_THAT(reply.error().message, Not(HasSubstr("secret")));
  }
}

class HeadNewsTest : public WebSocketRpcTest {
 protected:
  void listen() {
    tasks_.spawn(tell_head_news({.server = {.url = server_->url("ws")},
                                 .retry_first = 1ms,
                                 .retry_most = 10ms,
                                 .pause = 1ms},
                                log_, [this] { ++told_; }));
  }
  void TearDown() override {
    run([](net::TaskGroup& group) -> net::Task<bool> {
      co_await group.join();
      co_return true;
    }(tasks_));
    WebSocketRpcTest::TearDown();
  }
  static net::Task<void> news(ServerSocket& socket) {
    co_await say(socket, R"({"jsonrpc":"2.0","method":"eth_subscription",)"
                         R"("params":{"subscription":"0x1","result":{"number":"0x2"}}})");
  }

  std::size_t told_ = 0;
  telemetry::Log log_{{.level = telemetry::Level::kError}};
  net::TaskGroup tasks_{context.get_executor()};
};

TEST_F(HeadNewsTest, EveryHeadIsTold) {
  std::string asked;
  serve([&](ServerSocket& socket) -> net::Task<void> {
    asked = co_await hear(socket);
    co_await say(socket, answer_to(asked, "0x1"));
    for (int i = 0; i < 3; ++i) co_await news(socket);
    co_await hear(socket);
  });
  listen();
  ASSERT_TRUE(turn_until([&] { return told_ == 3; }));
  EXPECT_EQ(json::parse(asked)["method"], "eth_subscribe");
  EXPECT_EQ(json::parse(asked)["params"], json::array({"newHeads"}));
}

TEST_F(HeadNewsTest, ALostSubscriptionIsMadeAgain) {
  serve([](ServerSocket& socket) -> net::Task<void> {
    co_await say(socket, answer_to(co_await hear(socket), "0x1"));
    co_await news(socket);
  });
  listen();
  ASSERT_TRUE(turn_until([&] { return told_ >= 3; }));
  EXPECT_GE(server_->connections, 3U);
}

TEST_F(HeadNewsTest, WhatIsNoNewsIsNotTold) {
  serve([](ServerSocket& socket) -> net::Task<void> {
    const std::string asked = co_await hear(socket);
    co_await say(socket, R"({"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}})");
    co_await news(socket);
    co_await hear(socket);
  });
  listen();
  ASSERT_TRUE(turn_until([&] { return server_->connections >= 3; }));
  EXPECT_EQ(told_, 0U);
}

}  // namespace
}  // namespace bw::ledger_ethereum
