// SPDX-License-Identifier: Apache-2.0
#include "codec/rlp.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/text.hpp"

namespace bw::codec {
namespace {

std::string string_of(std::string_view text) {
  Bytes out;
  rlp_string(out, as_bytes(text));
  return to_hex(out);
}
std::string integer_of(std::uint64_t value) {
  Bytes out;
  rlp_integer(out, value);
  return to_hex(out);
}
Bytes list_of(const std::vector<Bytes>& items) {
  Bytes joined;
  for (const Bytes& item : items) append(joined, item);
  Bytes out;
  rlp_list(out, joined);
  return out;
}
Bytes encoded(std::string_view text) {
  Bytes out;
  rlp_string(out, as_bytes(text));
  return out;
}

// Ethereum's RLPTests/rlptest.json.
TEST(Rlp, WritesTheOfficialVectors) {
  EXPECT_EQ(string_of(""), "80");
  EXPECT_EQ(string_of(std::string_view("\0", 1)), "00");
  EXPECT_EQ(string_of("\x01"), "01");
  EXPECT_EQ(string_of("\x7f"), "7f");
  EXPECT_EQ(string_of("dog"), "83646f67");
  EXPECT_EQ(string_of("Lorem ipsum dolor sit amet, consectetur adipisicing eli"),
            "b74c6f72656d20697073756d20646f6c6f722073697420616d65742c20636f6e7365637465747572206164"
            "69706973696369"
            "6e6720656c69");
  EXPECT_EQ(string_of("Lorem ipsum dolor sit amet, consectetur adipisicing elit").substr(0, 6),
            "b8384c");
  EXPECT_EQ(string_of(std::string(1024, 'x')).substr(0, 8), "b9040078");
  EXPECT_EQ(integer_of(0), "80");
  EXPECT_EQ(integer_of(1), "01");
  EXPECT_EQ(integer_of(16), "10");
  EXPECT_EQ(integer_of(79), "4f");
  EXPECT_EQ(integer_of(127), "7f");
  EXPECT_EQ(integer_of(128), "8180");
  EXPECT_EQ(integer_of(1000), "8203e8");
  EXPECT_EQ(integer_of(100'000), "830186a0");
  EXPECT_EQ(to_hex(list_of({})), "c0");
  EXPECT_EQ(to_hex(list_of({encoded("dog"), encoded("god"), encoded("cat")})),
            "cc83646f6783676f6483636174");
  Bytes number;
  rlp_integer(number, 4);
  EXPECT_EQ(to_hex(list_of({encoded("zw"), list_of({number}), encoded("\x01")})), "c6827a77c10401");
  const Bytes empty = list_of({});
  EXPECT_EQ(to_hex(list_of({list_of({empty, empty}), empty})), "c4c2c0c0c0");
  EXPECT_EQ(to_hex(list_of({empty, list_of({empty}), list_of({empty, list_of({empty})})})),
            "c7c0c1c0c3c0c1c0");
  const Bytes quads = list_of({encoded("asdf"), encoded("qwer"), encoded("zxcv")});
  EXPECT_EQ(to_hex(list_of({quads, quads, quads, quads})).substr(0, 8), "f840cf84");
}

// Ethereum's RLPTests/invalidRLPTest.json, and what else is not the one encoding.
TEST(Rlp, TakesNoOtherEncoding) {
  for (const char* bad : {"",
                          "bf0f000000000000021111",
                          "ff0f000000000000021111",
                          "b8",
                          "b840",
                          "f90180",
                          "f8",
                          "8100",
                          "8101",
                          "817f",
                          "8179",
                          "b800",
                          "b900",
                          "b80011",
                          "b9000101",
                          "b837",
                          "f800",
                          "f80180",
                          "f900c0",
                          "83646f",
                          "c3646f",
                          "83646f6767",
                          "c0c0",
                          "bfffffffffffffffff",
                          "ffffffffffffffffffff",
                          "b90040",
                          "f90040"}) {
    const auto parsed = parse_rlp(*from_hex(bad));
    ASSERT_FALSE(parsed.has_value()) << bad;
    EXPECT_EQ(parsed.error().code, ErrorCode::kMalformed);
  }
  // Of which the list is whole and an item is not.
  for (const char* bad : {"c28100", "c3b80001", "c183", "cd83646f6783676f6483636174ff"}) {
    const Bytes bytes = *from_hex(bad);
    const auto parsed = parse_rlp(bytes);
    EXPECT_FALSE(parsed && rlp_items(*parsed, 100).has_value()) << bad;
  }
}

TEST(Rlp, IntegersHaveNoLeadingZerosAndFit) {
  const auto u64 = [](std::string_view hex) { return rlp_u64(*parse_rlp(*from_hex(hex))); };
  EXPECT_EQ(*u64("80"), 0U);
  EXPECT_EQ(*u64("820400"), 1024U);
  EXPECT_EQ(*u64("88ffffffffffffffff"), ~std::uint64_t{0});
  EXPECT_FALSE(u64("00").has_value());
  EXPECT_FALSE(u64("820004").has_value());
  EXPECT_FALSE(u64("89010000000000000000").has_value());
  EXPECT_FALSE(u64("c0").has_value());
  EXPECT_FALSE(rlp_word(*parse_rlp(encoded(std::string(33, 'x')))).has_value());
  EXPECT_EQ(to_hex(*rlp_word(*parse_rlp(*from_hex("820400")))), std::string(60, '0') + "0400");
}

TEST(Rlp, AListHasNoMoreItemsThanAskedFor) {
  const Bytes list = list_of({encoded("a"), encoded("b"), encoded("c")});
  EXPECT_EQ(rlp_items(*parse_rlp(list), 3)->size(), 3U);
  EXPECT_FALSE(rlp_items(*parse_rlp(list), 2).has_value());
  EXPECT_FALSE(rlp_items(*parse_rlp(encoded("a")), 2).has_value());
}

RC_GTEST_PROP(Rlp, ReadsBackWhatItWrites, (std::vector<std::string> texts)) {
  std::vector<Bytes> items;
  for (const std::string& text : texts) items.push_back(encoded(text));
  const Bytes list = list_of(items);
  const auto back = rlp_items(*parse_rlp(list), texts.size());
  RC_ASSERT(back.has_value());
  RC_ASSERT(back->size() == texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    RC_ASSERT(as_text((*back)[i].content) == texts[i]);
    RC_ASSERT(to_bytes((*back)[i].whole) == items[i]);
  }
}

// What is read is the one encoding: written again it is the same bytes.
RC_GTEST_PROP(Rlp, AnyBytesThatAreReadAreWrittenTheSame, (Bytes bytes)) {
  const auto item = parse_rlp(bytes);
  if (!item) return;
  Bytes again;
  item->is_list ? rlp_list(again, item->content) : rlp_string(again, item->content);
  RC_ASSERT(again == bytes);
}

}  // namespace
}  // namespace bw::codec
