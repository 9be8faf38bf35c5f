// SPDX-License-Identifier: Apache-2.0
#include "ledger/head.hpp"

#include <gtest/gtest.h>

#include "ledger/testing/objects.hpp"

namespace bw::ledger {
namespace {

SignedHead sample() {
  return sign_head(
      {.size = 0x0102, .root = crypto::sha256(as_bytes("root")), .time = testing::kNow},
      testing::key("ledger"));
}

TEST(TreeHead, SurvivesTheWire) {
  const SignedHead head = sample();
  const Bytes bytes = encode(head);
  ASSERT_EQ(bytes.size(), kSignedHeadBytes);
  const auto back = parse_head(bytes);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(*back, head);
  EXPECT_TRUE(verify_head(*back));
}

TEST(TreeHead, LayoutAndSignedBytesAreThoseOfTheFormat) {
  const SignedHead head = sample();
  const Bytes bytes = encode(head);
  const ByteView view(bytes);
  EXPECT_EQ(EntityKey::from(view.first(32)), testing::id("ledger"));
  EXPECT_EQ(to_hex(view.subspan(32, 8)), "0000000000000102");
  EXPECT_EQ(Hash::from(view.subspan(40, 32)), head.head.root);
  EXPECT_EQ(to_hex(view.subspan(72, 8)), fmt::format("{:016x}", to_micros(testing::kNow)));
  const Hash message = crypto::TaggedHash("bosswave/head")({view.first(80)});
  EXPECT_TRUE(crypto::verify(head.ledger, message, head.signature));
}

TEST(TreeHead, NoAlteredByteVerifies) {
  const Bytes bytes = encode(sample());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    Bytes altered = bytes;
    altered[i] ^= 1U;
    const auto head = parse_head(altered);
    EXPECT_FALSE(head && verify_head(*head)) << "byte " << i;
  }
}

TEST(TreeHead, RefusesOtherLengthsAndTimesOutOfRange) {
  Bytes bytes = encode(sample());
  EXPECT_FALSE(parse_head(ByteView(bytes).first(143)));
  EXPECT_FALSE(parse_head({}));
  bytes.push_back(0);
  EXPECT_FALSE(parse_head(bytes));
  bytes.pop_back();
  bytes[72] = 0xff;
  EXPECT_EQ(parse_head(bytes).error().code, ErrorCode::kMalformed);
}

}  // namespace
}  // namespace bw::ledger
