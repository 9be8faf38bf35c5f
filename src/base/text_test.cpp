// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/id.hpp"
#include "base/time.hpp"

namespace bw {
namespace {

TEST(Base64Url, Rfc4648Vectors) {
  EXPECT_EQ(to_base64url(as_bytes("")), "");
  EXPECT_EQ(to_base64url(as_bytes("f")), "Zg");
  EXPECT_EQ(to_base64url(as_bytes("fo")), "Zm8");
  EXPECT_EQ(to_base64url(as_bytes("foo")), "Zm9v");
  EXPECT_EQ(to_base64url(as_bytes("foobar")), "Zm9vYmFy");
  EXPECT_EQ(to_base64url(ByteArray<2>{0xfb, 0xff}), "-_8");
}

RC_GTEST_PROP(Base64Url, RoundTrips, (const Bytes& bytes)) {
  const auto back = from_base64url(to_base64url(bytes));
  RC_ASSERT(back.has_value());
  RC_ASSERT(*back == bytes);
}

TEST(Base64Url, RefusesWhatIsNotCanonical) {
  for (const char* text : {"Zg==", "Zh", "Z", "Zm9v!", "Zm 9", "Zm8+", "Zm8/"}) {
    EXPECT_FALSE(from_base64url(text)) << text;
  }
}

TEST(Hex, RoundTripsAndRefusesRubbish) {
  EXPECT_EQ(to_hex(*from_hex("00ff10Ab")), "00ff10ab");
  EXPECT_FALSE(from_hex("abc"));
  EXPECT_FALSE(from_hex("zz"));
}

TEST(Utf8, AcceptsTextAndRefusesOverlongSurrogatesAndTruncation) {
  EXPECT_TRUE(is_utf8(as_bytes("Zürich \xf0\x9f\x8f\xa0")));
  EXPECT_FALSE(is_utf8(as_bytes("\xc0\xaf")));
  EXPECT_FALSE(is_utf8(as_bytes("\xed\xa0\x80")));
  EXPECT_FALSE(is_utf8(as_bytes("\xe2\x82")));
  EXPECT_FALSE(is_utf8(as_bytes("\xf4\x90\x80\x80")));
}

TEST(Printable, TakesTheSting) {
  EXPECT_EQ(printable("a\x1b[31mb"), "a?[31mb");
  EXPECT_EQ(printable("abcdef", 3), "abc...");
  EXPECT_EQ(printable("a\xc2\x9b"
                      "31mb\xc2\xa0"),
            "a?31mb\xc2\xa0");
}

TEST(Id, TextFormIs43CharactersAndStrict) {
  EntityKey key;
  key.bytes.fill(0x5a);
  EXPECT_EQ(key.text().size(), 43U);
  EXPECT_EQ(*EntityKey::parse(key.text()), key);
  EXPECT_FALSE(EntityKey::parse(key.text() + "A"));
  EXPECT_FALSE(EntityKey::parse("short"));
}

TEST(TimeText, RoundTripsAndRefusesRubbish) {
  const Time t = *parse_time("2026-11-23T02:21:05Z");
  EXPECT_EQ(to_text(t), "2026-11-23T02:21:05Z");
  EXPECT_EQ(to_text(*parse_time("never")), "never");
  for (const char* text : {"", "2026-02-30T00:00:00Z", "2026-11-23T25:00:00Z", "2026-11-23", "x",
                           "2026-1-2T3:4:5Z", " 2026-11-23T02:21:05Z", "2026-11-23T +2:21:05Z",
                           "2026-11-23T02:21:05Z ", "2026-11-23T02:21:60Z"}) {
    EXPECT_FALSE(parse_time(text)) << text;
  }
}

TEST(DurationText, ParsesTheOriginalsFormAndMore) {
  EXPECT_EQ(*parse_duration("90d"), Duration(90LL * 86400 * 1'000'000));
  EXPECT_EQ(*parse_duration("1.5h"), Duration(5400LL * 1'000'000));
  EXPECT_EQ(*parse_duration("1h1d"), Duration((86400LL + 3600) * 1'000'000));
  EXPECT_EQ(*parse_duration("300ms"), Duration(300'000));
  for (const char* text : {"", "5", "d", "5x", "-3s", "1e99y", "nan s"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

}  // namespace
}  // namespace bw
