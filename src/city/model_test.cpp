// SPDX-License-Identifier: Apache-2.0
#include "city/model.hpp"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "city/objects.hpp"

namespace bw::city {
namespace {

Model drawn(std::uint64_t seed, double scale) {
  auto model = Model::draw(seed, scale);
  EXPECT_TRUE(model.has_value());
  return *std::move(model);
}

// Counts what the model's grants really are, apart from its own sums.
Counts counted(const Model& model) {
  Counts out = model.counts();
  out.dots = {};
  const auto add = [&](const Grant& grant) {
    ++out.dots[static_cast<std::size_t>(grant.granter.kind)];
  };
  for (const Grant& grant : model.utility_grants()) add(grant);
  for (std::uint32_t i = 0; i < model.counts().entities_of(Kind::kBuilding); ++i) {
    add(model.building_grant(i));
  }
  for (std::uint32_t home = 0; home < model.homes(); ++home) {
    for (const Grant& grant : model.home_grants(home)) add(grant);
  }
  return out;
}

// The paper, Table 1.
TEST(Model, AtScaleOneHasTheNumbersOfThePaper) {
  const Model model = drawn(1, 1);
  const Counts expected{{951'293, 15'787, 40'921, 264'781, 95'931, 360'712, 360'712, 603},
                        {1'312'005, 529'562, 40'921, 264'781, 95'931, 0, 0, 722'026}};
  EXPECT_EQ(model.counts(), expected);
  EXPECT_EQ(counted(model), expected);
  EXPECT_EQ(model.counts().all_entities(), 2'090'740U);
  EXPECT_EQ(model.counts().all_dots(), 2'965'226U);
  EXPECT_LE(model.memory_bytes(), 20U << 20U);
}

TEST(Model, EveryScaleHoldsTogether) {
  for (const double scale : {1e-9, 0.0005, 0.01, 0.1}) {
    const Model model = drawn(7, scale);
    EXPECT_EQ(counted(model), model.counts()) << scale;
    EXPECT_EQ(model.occupants_of(model.homes() - 1).end,
              model.counts().entities_of(Kind::kOccupant));
    for (std::uint32_t home = 0; home < model.homes(); ++home) {
      EXPECT_GE(model.occupants_of(home).size(), 1U);
      EXPECT_GE(model.district_of(home), 1U);
      EXPECT_LT(model.district_of(home), model.counts().entities_of(Kind::kUtility));
    }
  }
  EXPECT_FALSE(Model::draw(1, 0));
  EXPECT_FALSE(Model::draw(1, 11));
}

TEST(Model, LooksLikeACity) {
  const Model model = drawn(3, 0.2);
  std::map<std::uint32_t, int> households;
  for (std::uint32_t home = 0; home < model.homes(); ++home) {
    ++households[model.occupants_of(home).size()];
  }
  EXPECT_GT(households[1], static_cast<int>(model.homes() / 6));
  EXPECT_GT(households[2], static_cast<int>(model.homes() / 6));
  EXPECT_GT(households.rbegin()->first, 5U);
  std::uint32_t largest = 0;
  std::uint32_t single = 0;
  const auto buildings = static_cast<std::uint32_t>(model.counts().entities_of(Kind::kBuilding));
  for (std::uint32_t i = 0; i < buildings; ++i) {
    largest = std::max(largest, model.apartments_of(i).size());
    single += model.apartments_of(i).size() == 1 ? 1 : 0;
  }
  EXPECT_GT(largest, 100U);
  EXPECT_GT(single, buildings / 10);
}

TEST(Model, IsAFunctionOfItsSeed) {
  const Model one = drawn(5, 0.001);
  const Model same = drawn(5, 0.001);
  const Model other = drawn(6, 0.001);
  bool differs = false;
  for (std::uint32_t home = 0; home < one.homes(); ++home) {
    EXPECT_EQ(one.occupants_of(home).first, same.occupants_of(home).first);
    EXPECT_EQ(one.district_of(home), same.district_of(home));
    differs |= one.occupants_of(home).first != other.occupants_of(home).first;
  }
  EXPECT_TRUE(differs);
  EXPECT_EQ(key_of(5, {Kind::kOwner, 0}).public_key(), key_of(5, {Kind::kOwner, 0}).public_key());
  EXPECT_NE(key_of(5, {Kind::kOwner, 0}).public_key(), key_of(5, {Kind::kOwner, 1}).public_key());
  EXPECT_NE(key_of(5, {Kind::kOwner, 0}).public_key(), key_of(6, {Kind::kOwner, 0}).public_key());
  EXPECT_NE(key_of(5, {Kind::kOwner, 0}).public_key(), key_of(5, {Kind::kLease, 0}).public_key());
}

}  // namespace
}  // namespace bw::city
