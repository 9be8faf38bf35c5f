// SPDX-License-Identifier: Apache-2.0
#include "city/participants/live_churn.hpp"

#include <gtest/gtest.h>

namespace bw::city {
namespace {

constexpr std::uint64_t kSeed = 4;

TEST(LiveChurn, AnEventIsItsChangesInOrderWithNewcomersFirst) {
  const auto model = Model::draw(kSeed, 0.001);
  Churn churn(*model, kSeed, 10);
  bool newcomers = false;
  for (int i = 0; i < 200; ++i) {
    const Event event = churn.next();
    const auto changes = changes_of(event, kSeed);
    ASSERT_EQ(changes.size(), event.changes());
    if (!changes.empty()) EXPECT_EQ(changes.front().size(), 1 + event.newcomers.size());
    newcomers = newcomers || !event.newcomers.empty();
    std::vector<Bytes> together;
    for (const auto& change : changes) {
      together.insert(together.end(), change.begin(), change.end());
    }
    EXPECT_EQ(together, objects_of(event, kSeed));
  }
  EXPECT_TRUE(newcomers);
}

TEST(LiveChurn, ComesAtTheRateThatIsAsked) {
  EXPECT_EQ(changes_due(0, 150), 0U);
  EXPECT_EQ(changes_due(11.9, 150), 0U);
  EXPECT_EQ(changes_due(12.1, 150), 1U);
  EXPECT_EQ(changes_due(36.1, 150), 2U);
  EXPECT_EQ(changes_due(3600, 150), 150U);
  EXPECT_EQ(changes_due(3600, 1), 1U);
}

}  // namespace
}  // namespace bw::city
