// SPDX-License-Identifier: Apache-2.0
#include "crypto/keccak.hpp"

#include <fmt/ranges.h>
#include <gtest/gtest.h>

namespace bw::crypto {
namespace {

std::string hex(const Hash& hash) {
  return fmt::format("{:02x}", fmt::join(hash.bytes, ""));
}

// The empty input and a well-known event: both stand in every Ethereum client.
TEST(Keccak, IsThatOfEthereum) {
  EXPECT_EQ(hex(keccak256({})), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
  EXPECT_EQ(hex(keccak256(as_bytes("Transfer(address,address,uint256)"))),
            "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
}

}  // namespace
}  // namespace bw::crypto
