// SPDX-License-Identifier: Apache-2.0
#include "codec/reader.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "codec/writer.hpp"

namespace bw::codec {
namespace {

TEST(Reader, IsBigEndianAndOfFixedWidth) {
  const Bytes bytes = *from_hex(
      "01"
      "0203"
      "04050607"
      "08090a0b0c"
      "0d0e0f1011121314");
  Reader in(bytes);
  EXPECT_EQ(in.u8(), 0x01U);
  EXPECT_EQ(in.u16(), 0x0203U);
  EXPECT_EQ(in.u32(), 0x04050607U);
  EXPECT_EQ(in.u40(), 0x08090a0b0cU);
  EXPECT_EQ(in.u64(), 0x0d0e0f1011121314U);
  EXPECT_TRUE(in.finish("it"));
}

TEST(Reader, ReadsTheLargestValues) {
  const Bytes bytes(20, 0xff);
  Reader in(bytes);
  EXPECT_EQ(in.u8(), 0xffU);
  EXPECT_EQ(in.u16(), 0xffffU);
  EXPECT_EQ(in.u32(), 0xffffffffU);
  EXPECT_EQ(in.seconds(), kNever);
  EXPECT_EQ(in.u64(), ~std::uint64_t{0});
}

TEST(Reader, NamesWhatIsShortOrLeftOver) {
  const Bytes bytes(3);
  Reader early(bytes);
  EXPECT_EQ(early.u16(), 0U);
  const auto left = early.finish("thing");
  ASSERT_FALSE(left);
  EXPECT_EQ(left.error(), (Error{ErrorCode::kMalformed, "thing: 1 bytes left over"}));
  EXPECT_EQ(early.u16(), 0U);
  ASSERT_FALSE(early.finish("thing"));
  EXPECT_TRUE(early.finish("thing").error().message.starts_with("thing: too short"));
}

TEST(Reader, FirstFailureSticks) {
  const Bytes bytes = *from_hex("ffff01");
  Reader in(bytes);
  EXPECT_EQ(in.text16(), "");  // says 65535 bytes, has one
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.u8(), 0U);
  EXPECT_EQ(in.remaining(), 0U);
  EXPECT_TRUE(in.id<Hash>().is_zero());
  EXPECT_EQ(in.array<4>(), ByteArray<4>{});
  EXPECT_FALSE(in.finish("it"));
}

TEST(Reader, RejectFailsWithoutTakingBytes) {
  Reader in{ByteView{}};
  EXPECT_TRUE(in.finish("it"));
  in.reject();
  EXPECT_FALSE(in.finish("it"));
}

TEST(Reader, RefusesMicrosecondsBeyondTime) {
  Bytes bytes;
  Writer(bytes).u64(to_micros(kNever)).u64(to_micros(kNever) + 1).u64(~std::uint64_t{0});
  Reader in(bytes);
  EXPECT_EQ(in.micros(), kNever);
  EXPECT_TRUE(in.ok());
  EXPECT_EQ(in.micros(), Time{});
  EXPECT_FALSE(in.ok());
}

RC_GTEST_PROP(ReaderProperty, ReadsBackWhatWriterWrote,
              (std::uint8_t a, std::uint16_t b, std::uint32_t c, std::uint64_t d, const Bytes& e)) {
  Bytes bytes;
  const std::uint64_t low = d & 0xffffffffffU;
  const Hash hash{{a, 1, 2}};
  const std::string_view text = as_text(e).substr(0, 0xff);
  Writer out(bytes);
  out.u8(a).u16(b).u32(c).u40(low).u64(d).id(hash).seconds(from_seconds(low));
  out.text8(text).text16(as_text(e)).blob32(e).micros(from_micros(low)).bytes(hash.view());
  RC_ASSERT(bytes.size() == 1U + 2 + 4 + 5 + 8 + 32 + 5 + (1 + text.size()) + (2 + e.size()) +
                                (4 + e.size()) + 8 + 32);

  Reader in(bytes);
  RC_ASSERT(in.u8() == a);
  RC_ASSERT(in.u16() == b);
  RC_ASSERT(in.u32() == c);
  RC_ASSERT(in.u40() == low);
  RC_ASSERT(in.u64() == d);
  RC_ASSERT(in.id<Hash>() == hash);
  RC_ASSERT(in.seconds() == from_seconds(low));
  RC_ASSERT(in.text8() == text);
  RC_ASSERT(in.text16() == as_text(e));
  RC_ASSERT(to_bytes(in.blob32()) == e);
  RC_ASSERT(in.micros() == from_micros(low));
  RC_ASSERT(in.array<32>() == hash.bytes);
  RC_ASSERT(in.finish("it").has_value());
}

RC_GTEST_PROP(ReaderProperty, NeverReadsBeyondTheEnd, (const Bytes& bytes)) {
  Reader in(bytes);
  while (in.ok() && in.remaining() > 0) {
    const std::size_t before = in.remaining();
    RC_ASSERT(in.text8().size() <= before);
    in.blob32();
    RC_ASSERT(in.remaining() < before);
  }
}

}  // namespace
}  // namespace bw::codec
