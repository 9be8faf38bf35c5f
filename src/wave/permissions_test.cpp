// SPDX-License-Identifier: Apache-2.0
#include "wave/permissions.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace bw::wave {
namespace {

using P = Permissions;

// By definition: whoever has a bit has the bits it implies.
bool closed(unsigned bits) {
  const auto implies = [bits](unsigned strong, unsigned weak) {
    return (bits & strong) == 0 || (bits & weak) != 0;
  };
  return implies(P::kConsumeStar, P::kConsumePlus) && implies(P::kConsumePlus, P::kConsume) &&
         implies(P::kTapStar, P::kTapPlus) && implies(P::kTapPlus, P::kTap);
}

std::vector<Permissions> all_sets() {
  std::vector<Permissions> sets;
  for (std::uint16_t bits = 0; bits < 256; ++bits) {
    if (closed(bits)) sets.push_back(Permissions::of(bits));
  }
  return sets;
}

Permissions permissions(std::string_view text) {
  const auto parsed = Permissions::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(Permissions());
}

TEST(Permissions, BitsAreTheWireFormat) {
  EXPECT_EQ(permissions("P").bits(), 0x01);
  EXPECT_EQ(permissions("C").bits(), 0x02);
  EXPECT_EQ(permissions("C+").bits(), 0x06);
  EXPECT_EQ(permissions("C*").bits(), 0x0e);
  EXPECT_EQ(permissions("T").bits(), 0x10);
  EXPECT_EQ(permissions("T+").bits(), 0x30);
  EXPECT_EQ(permissions("T*").bits(), 0x70);
  EXPECT_EQ(permissions("L").bits(), 0x80);
}

TEST(Permissions, OfIsTheSmallestClosedSet) {
  for (std::uint16_t bits = 0; bits < 256; ++bits) {
    const unsigned result = Permissions::of(bits).bits();
    EXPECT_TRUE(closed(result)) << bits;
    EXPECT_EQ(result & bits, bits);
    for (const Permissions other : all_sets()) {
      if ((other.bits() & bits) == bits) EXPECT_EQ(other.bits() & result, result) << bits;
    }
  }
}

TEST(Permissions, WireIsStrict) {
  for (unsigned bits = 0; bits <= 0xffff; ++bits) {
    const auto parsed = Permissions::from_wire(static_cast<std::uint16_t>(bits));
    ASSERT_EQ(parsed.has_value(), bits != 0 && bits < 256 && closed(bits)) << bits;
    if (parsed) {
      ASSERT_EQ(parsed->bits(), bits);
    } else {
      ASSERT_EQ(parsed.error().code, bits < 256 ? ErrorCode::kMalformed : ErrorCode::kUnsupported);
    }
  }
}

TEST(Permissions, TextRoundTripsForEverySet) {
  EXPECT_EQ(all_sets().size(), 64U);
  for (const Permissions set : all_sets()) {
    if (set.empty()) {
      EXPECT_EQ(set.text(), "");
    } else {
      EXPECT_EQ(permissions(set.text()), set) << set.text();
    }
  }
  EXPECT_EQ(permissions("lpt+c*").text(), "C*T+PL");
}

TEST(Permissions, UnderstandsManyTexts) {
  for (const char* text :
       {"PC*L", "C*PL", "lpc*", "L,P,C*", "l, p ,c*", "P C C+ C* L", "LC*PPL",
        "publish,consume,list", "Consume Publish LIST", "plconsume", "PublishC*list"}) {
    EXPECT_EQ(permissions(text).text(), "C*PL") << text;
  }
  EXPECT_EQ(permissions("tap").text(), "T*");
  EXPECT_EQ(permissions("tapl").text(), "T*L");
}

TEST(Permissions, RefusesOtherTexts) {
  for (const char* text : {"", " ", ",", "X", "P+", "L*", "*", "C**", "C *", "consume+", "PC*X",
                           "all", "P;C", "P\n", "pub", "\xc3\xa9"}) {
    const auto parsed = Permissions::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::kMalformed) << text;
  }
  EXPECT_EQ(Permissions::parse("PC*X").error().message,
            "permissions: \"PC*X\" is not understood from \"x\" on; use C C+ C* T T+ T* P L");
}

TEST(Permissions, SetOperationsStayClosed) {
  for (const Permissions a : all_sets()) {
    for (const Permissions b : all_sets()) {
      EXPECT_EQ(a.intersect(b).bits(), a.bits() & b.bits());
      EXPECT_TRUE(closed(a.intersect(b).bits()));
      EXPECT_EQ(a.contains(b), a.intersect(b) == b);

      const Permissions missing = a.without(b);
      EXPECT_TRUE(closed(missing.bits()));
      EXPECT_TRUE(a.contains(missing));
      EXPECT_EQ(missing.empty(), b.contains(a));
      EXPECT_EQ(b.bits() | missing.bits(), a.bits() | b.bits());
      for (const Permissions grant : all_sets()) {
        const bool enough = Permissions::of(b.bits() | grant.bits()).contains(a);
        EXPECT_EQ(enough, grant.contains(missing));
      }
    }
  }
  EXPECT_EQ(permissions("C*PL").without(permissions("C+L")).text(), "C*P");
}

TEST(Permissions, ConsumingAPatternTakesItsStrongestWildcard) {
  const auto consume = [](const char* text) {
    return consume_permission(*Pattern::parse(text)).text();
  };
  const auto tap = [](const char* text) { return tap_permission(*Pattern::parse(text)).text(); };
  EXPECT_EQ(consume("a/b"), "C");
  EXPECT_EQ(consume("a/+"), "C+");
  EXPECT_EQ(consume("a/*"), "C*");
  EXPECT_EQ(consume("+/a/*"), "C*");
  EXPECT_EQ(tap("a/b"), "T");
  EXPECT_EQ(tap("a/+"), "T+");
  EXPECT_EQ(tap("a/*"), "T*");
  EXPECT_EQ(tap("*/+"), "T*");
}

}  // namespace
}  // namespace bw::wave
