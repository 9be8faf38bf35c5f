// SPDX-License-Identifier: Apache-2.0
#include "store/authority_rows.hpp"

#include <gtest/gtest.h>

namespace bw::store {
namespace {

template <class Row>
void expect_one_form(const Row& row) {
  const std::string value = encode(row);
  const auto back = decode_row<Row>(value);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(encode(*back), value);
  const auto expect_damage = [](std::string_view bytes) {
    const auto damaged = decode_row<Row>(bytes);
    ASSERT_FALSE(damaged.has_value());
    EXPECT_EQ(damaged.error().code, ErrorCode::kCorrupt);
  };
  expect_damage(value + '\0');
  expect_damage(value.substr(0, value.size() - 1));
}

TEST(AuthorityRows, HaveOneFormEach) {
  expect_one_form(EntityRow{.offset = 16, .created = from_seconds(5), .expires = kNever});
  expect_one_form(DotRow{.offset = 16, .revoked = true});
  expect_one_form(OfferRow{.retracted = true});
  expect_one_form(AcceptanceRow{.router = {}, .nonce = 3, .max_staleness_s = 4});
  expect_one_form(TextRow{.text = "alice"});
  expect_one_form(NumberRow{.number = 5});
  expect_one_form(MetaRow{.applied = 6, .root = {}, .entities = 7});
}

TEST(AuthorityRows, AFlagIsZeroOrOne) {
  EXPECT_TRUE(decode_row<OfferRow>("\x01")->retracted);
  EXPECT_FALSE(decode_row<OfferRow>("\x02").has_value());
  EXPECT_FALSE(decode_row<DotRow>(std::string("\0\0\0\0\x10\x02", 6)).has_value());
}

}  // namespace
}  // namespace bw::store
