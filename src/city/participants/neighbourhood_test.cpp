// SPDX-License-Identifier: Apache-2.0
#include "city/participants/neighbourhood.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

namespace bw::city {
namespace {

TEST(Neighbourhood, HasEachHomeOnceAndHousesAsTheCityHas) {
  const auto model = Model::draw(1, 0.01);
  for (const std::size_t homes : {std::size_t{1}, std::size_t{2}, std::size_t{50}}) {
    for (const std::uint64_t lot :
         {std::uint64_t{0}, std::uint64_t{12'345'678'901}, ~std::uint64_t{0}}) {
      const Neighbourhood those(*model, homes, lot);
      ASSERT_EQ(those.homes().size(), homes);
      EXPECT_EQ(std::set<std::uint32_t>(those.homes().begin(), those.homes().end()).size(), homes);
      for (const std::uint32_t home : those.homes()) EXPECT_LT(home, model->homes());
      const auto houses = std::ranges::count_if(
          those.homes(), [&](std::uint32_t home) { return home >= model->apartments(); });
      EXPECT_EQ(static_cast<std::uint64_t>(houses), homes * model->houses() / model->homes());
    }
  }
}

TEST(Neighbourhood, MayBeTheWholeCity) {
  const auto model = Model::draw(1, 0.0005);
  const Neighbourhood all(*model, model->homes(), 3);
  EXPECT_EQ(std::set<std::uint32_t>(all.homes().begin(), all.homes().end()).size(), model->homes());
}

}  // namespace
}  // namespace bw::city
