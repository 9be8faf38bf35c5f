// SPDX-License-Identifier: Apache-2.0
#include "net/address.hpp"

#include <gtest/gtest.h>

namespace bw::net {
namespace {

TEST(Address, TakesNamesAndBothKindsOfNumbers) {
  for (const auto& [text, host, port] :
       {std::tuple{"localhost:4514", "localhost", 4514}, std::tuple{"10.0.0.1:0", "10.0.0.1", 0},
        std::tuple{"[::1]:65535", "::1", 65535}, std::tuple{"[2001:db8::2]:1", "2001:db8::2", 1}}) {
    const auto parsed = parse_host_port(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->host, host);
    EXPECT_EQ(parsed->port, port);
  }
}

TEST(Address, RefusesEverythingElseByName) {
  for (const std::string text :
       {"", "host", ":80", "host:", "host:65536", "host:-1", "host:8o", "::1:80", "[::1]", "[]:80",
        "host:80 ", "[::1:80", "a:b:80", "[[::1]:80", "[::1]]:80"}) {
    const auto parsed = parse_host_port(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(parsed.error().message.find("'" + text + "'"), std::string::npos);
  }
  EXPECT_FALSE(parse_host_port(std::string(300, 'a') + ":80"));
}

TEST(Address, WritesWhatItReads) {
  using boost::asio::ip::make_address;
  EXPECT_EQ(to_text({make_address("10.0.0.1"), 80}), "10.0.0.1:80");
  EXPECT_EQ(to_text({make_address("::1"), 80}), "[::1]:80");
}

}  // namespace
}  // namespace bw::net
