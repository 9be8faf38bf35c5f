// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/rpc.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "http/testing/scripted_server.hpp"
#include "ledger_ethereum/json_values.hpp"
#include "net/loopback_testing.hpp"

namespace bw::ledger_ethereum {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(JsonValues, QuantitiesAreHexWithoutLeadingZeros) {
  EXPECT_EQ(u64_of("0x0", "n"), 0U);
  EXPECT_EQ(u64_of("0x1fF", "n"), 511U);
  EXPECT_EQ(u64_of("0xffffffffffffffff", "n"), ~std::uint64_t{0});
  EXPECT_EQ(wei_of("0xffffffffffffffffffffffffffffffff", "n"), ~Wei{0});
  for (const json& bad :
       {json("0x"), json("0x00"), json("1"), json(""), json("0xg"), json("0X1"), json(1),
        json(nullptr), json::array(), json("0x10000000000000000"), json("0x1 "), json("-0x1")}) {
    EXPECT_EQ(u64_of(bad, "n").error().code, ErrorCode::kMalformed) << bad;
  }
  EXPECT_FALSE(wei_of("0x100000000000000000000000000000000", "n").has_value());
}

TEST(JsonValues, DataHasTwoDigitsAByte) {
  EXPECT_EQ(bytes_of("0x", "d"), Bytes{});
  EXPECT_EQ(bytes_of("0x00fF", "d"), (Bytes{0, 255}));
  for (const json& bad : {json("0x0"), json("00"), json("0xzz"), json(nullptr), json(7)}) {
    EXPECT_EQ(bytes_of(bad, "d").error().code, ErrorCode::kMalformed) << bad;
  }
  EXPECT_FALSE(hash_of("0x" + std::string(62, '0'), "h").has_value());
  EXPECT_FALSE(read_address(json{{"a", "0x" + std::string(42, '0')}}, "a").has_value());
  EXPECT_THAT(read_u64(json::object(), "gas").error().message, HasSubstr("gas"));
}

RC_GTEST_PROP(JsonValues, WriteWhatTheyRead, (const Bytes& bytes, std::uint64_t number)) {
  RC_ASSERT(*data_of(to_data(bytes), "d") == bytes);
  RC_ASSERT(*quantity_of(to_quantity(number), "n") == Wei{number});
}

TEST(JsonRpc, RepliesAreResultsOrErrors) {
  const auto good = parse_reply(R"({"jsonrpc":"2.0","id":7,"result":"0x1"})", 7);
  ASSERT_TRUE(good.has_value() && good->has_value());
  EXPECT_EQ(**good, "0x1");
  EXPECT_TRUE((*parse_reply(R"({"jsonrpc":"2.0","id":7,"result":null})", 7))->is_null());
  const auto refused = parse_reply(
      R"({"jsonrpc":"2.0","id":7,"error":{"code":3,"message":"execution reverted","data":"0x01"}})",
      7);
  ASSERT_TRUE(refused.has_value() && !refused->has_value());
  EXPECT_EQ(refused->error().code, 3);
  EXPECT_EQ(refused->error().data, Bytes{1});
  EXPECT_EQ(refused->error().error("x").code, ErrorCode::kDenied);
  EXPECT_THAT(refused->error().error("x").message, HasSubstr("execution reverted"));
  const auto limited = parse_reply(R"({"jsonrpc":"2.0","id":null,"error":{"code":-32005}})", 7);
  ASSERT_TRUE(limited.has_value() && !limited->has_value());
  EXPECT_EQ(limited->error().error("x").code, ErrorCode::kLimited);
}

TEST(JsonRpc, RefusesWhatIsNoReply) {
  for (const char* text :
       {"", "{", "null", "[]", "7", "{}", R"({"jsonrpc":"2.0","id":7})",
        R"({"jsonrpc":"2.0","id":8,"result":1})", R"({"jsonrpc":"2.0","id":"7","result":1})",
        R"({"jsonrpc":"1.0","id":7,"result":1})", R"({"id":7,"result":1})",
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":\"\xff\"}"}) {
    const auto reply = parse_reply(text, 7);
    ASSERT_FALSE(reply.has_value()) << text;
    EXPECT_EQ(reply.error().code, ErrorCode::kMalformed);
  }
  // Deep nesting costs memory in proportion, and no stack.
  EXPECT_FALSE(parse_reply(std::string(1'000'000, '['), 7).has_value());
  EXPECT_FALSE(
      parse_reply(std::string(1'000'000, '[') + std::string(1'000'000, ']'), 7).has_value());
}

TEST(JsonRpc, BatchesAreAnsweredInAnyOrder) {
  const auto replies = parse_replies(
      R"([{"jsonrpc":"2.0","id":6,"error":{"code":1}},{"jsonrpc":"2.0","id":5,"result":"a"}])", 5,
      2);
  ASSERT_TRUE(replies.has_value()) << replies.error().message;
  EXPECT_EQ(*(*replies)[0], "a");
  EXPECT_EQ((*replies)[1].error().code, 1);
  const auto refused = parse_replies(R"({"jsonrpc":"2.0","id":null,"error":{"code":2}})", 5, 3);
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->size(), 3U);
  EXPECT_EQ(refused->back().error().code, 2);
  for (const char* text :
       {"[]", R"([{"jsonrpc":"2.0","id":5,"result":1}])",
        R"([{"jsonrpc":"2.0","id":5,"result":1},{"jsonrpc":"2.0","id":5,"result":1}])",
        R"([{"jsonrpc":"2.0","id":5,"result":1},{"jsonrpc":"2.0","id":4,"result":1}])",
        R"([{"jsonrpc":"2.0","id":5,"result":1},{"jsonrpc":"2.0","id":-1,"result":1}])",
        R"([{"jsonrpc":"2.0","id":5,"result":1},7])"}) {
    EXPECT_FALSE(parse_replies(text, 5, 2).has_value()) << text;
  }
}

TEST(JsonRpc, NotificationsTellTheirResult) {
  const auto head = parse_notification(
      R"({"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"0x1","result":{"number":"0x2"}}})");
  ASSERT_TRUE(head.has_value() && head->has_value());
  EXPECT_EQ(*read_u64(**head, "number"), 2U);
  const auto other = parse_notification(R"({"jsonrpc":"2.0","id":1,"result":"0x1"})");
  ASSERT_TRUE(other.has_value());
  EXPECT_FALSE(other->has_value());
  EXPECT_FALSE(parse_notification("rubbish").has_value());
  EXPECT_TRUE(parse_notification(R"({"method":"eth_subscription","params":[]})").has_value());
}

RC_GTEST_PROP(JsonRpc, NothingThatIsSaidIsFatal, (const std::string& rubbish)) {
  static_cast<void>(parse_reply(rubbish, 1));
  static_cast<void>(parse_replies(rubbish, 1, 2));
  static_cast<void>(parse_notification(rubbish));
}

class RpcTest : public ::testing::Test, public net::testing::Loop {
 protected:
  Result<Reply> call(const std::string& answer) {
    http::testing::TestServer server(
        context, [this, answer](http::testing::tcp::socket socket) -> net::Task<void> {
          std::string buffer;
          const std::string request = co_await http::testing::read_request(socket, buffer);
          asked_ = request.substr(request.find("\r\n\r\n") + 4);
          co_await http::testing::asio::async_write(socket, http::testing::asio::buffer(answer),
                                                    http::testing::kAwait);
        });
    auto rpc = make_rpc({.url = server.url("http"), .deadline = 10s});
    if (!rpc) return fail(rpc.error());
    auto reply = run((*rpc)->call("eth_test", {"0x1", false}));
    run(server.stop());
    return reply;
  }

  std::string asked_;
};

TEST_F(RpcTest, AsksAndHearsOverHttp) {
  const auto reply = call(http::testing::ok(R"({"jsonrpc":"2.0","id":1,"result":{"a":"0x2"}})"));
  ASSERT_TRUE(reply.has_value()) << reply.error().message;
  EXPECT_EQ(*read_u64(**reply, "a"), 2U);
  EXPECT_EQ(
      json::parse(asked_),
      (json{{"jsonrpc", "2.0"}, {"id", 1}, {"method", "eth_test"}, {"params", {"0x1", false}}}));
}

TEST_F(RpcTest, SaysWhichServerAndStatusWithoutSecrets) {
  const auto reply = call("HTTP/1.1 502 Bad\r\nContent-Length: 6\r\n\r\n<html>");
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(reply.error().message, HasSubstr("502"));
  EXPECT_THAT(reply.error().message, HasSubstr("http://127.0.0.1:"));
  EXPECT_THAT(reply.error().message, Not(HasSubstr("secret")));
  EXPECT_EQ(call("HTTP/1.1 429 No\r\nContent-Length: 0\r\n\r\n").error().code, ErrorCode::kLimited);
  EXPECT_EQ(call(http::testing::ok("<html>")).error().code, ErrorCode::kMalformed);
}

TEST_F(RpcTest, ErrorsWithAnHttpStatusAreStillErrors) {
  const std::string body = R"({"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"range"}})";
  const auto reply =
      call(fmt::format("HTTP/1.1 400 Bad\r\nContent-Length: {}\r\n\r\n{}", body.size(), body));
  ASSERT_TRUE(reply.has_value()) << reply.error().message;
  EXPECT_EQ(reply->error().code, -32602);
}

}  // namespace
}  // namespace bw::ledger_ethereum
