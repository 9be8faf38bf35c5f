// SPDX-License-Identifier: Apache-2.0
#include "codec/writer.hpp"

#include <gtest/gtest.h>

#include "base/text.hpp"

namespace bw::codec {
namespace {

TEST(Writer, IsBigEndianAndOfFixedWidth) {
  Bytes bytes;
  Writer(bytes).u8(1).u16(2).u32(3).u40(4).u64(5);
  EXPECT_EQ(to_hex(bytes),
            "01"
            "0002"
            "00000003"
            "0000000004"
            "0000000000000005");
}

TEST(Writer, AppendsToWhatIsThere) {
  Bytes bytes{0xaa};
  Writer(bytes).text8("a").text16("b").blob32(as_bytes("c"));
  EXPECT_EQ(to_hex(bytes),
            "aa"
            "0161"
            "000162"
            "0000000163");
}

TEST(Writer, TakesTimesInTheirUnits) {
  Bytes bytes;
  Writer(bytes).seconds(from_seconds(7) + 999'999us).micros(Time{8us}).seconds(kNever);
  EXPECT_EQ(to_hex(bytes),
            "0000000007"
            "0000000000000008"
            "ffffffffff");
}

TEST(WriterDeathTest, RefusesWhatItsPrefixCannotCount) {
  Bytes bytes;
  EXPECT_DEATH(Writer(bytes).text8(std::string(256, 'a')), "text.size");
  EXPECT_DEATH(Writer(bytes).text16(std::string(65536, 'a')), "text.size");
}

}  // namespace
}  // namespace bw::codec
