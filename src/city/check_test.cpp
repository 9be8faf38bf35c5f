// SPDX-License-Identifier: Apache-2.0
#include "city/check.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "city/oracle.hpp"
#include "city/plan.hpp"
#include "store/authority_store.hpp"
#include "store/testing/temp_directory.hpp"

namespace bw::city {
namespace {

constexpr double kScale = 0.0005;

// A city put straight into a store, but for some objects.
void fill(const Plan& plan, const std::filesystem::path& directory,
          const std::function<bool(const wave::Object&)>& left_out) {
  const auto store = *store::AuthorityStore::open(directory);
  for (const Plan::Job& job : plan.jobs()) {
    std::vector<wave::Object> objects;
    for (const Bytes& bytes : plan.make(job)) {
      auto object = wave::parse_object(bytes);
      ASSERT_TRUE(object.has_value());
      ASSERT_TRUE(wave::verify_signature(*object).has_value());
      if (!left_out(*object)) objects.push_back(*std::move(object));
    }
    ASSERT_TRUE(store->append(objects).has_value());
  }
}

TEST(Check, TruthProofSearchAndOracleAgreeOnTenThousandPairs) {
  const Model model = *Model::draw(21, kScale);
  const store::testing::TempDirectory directory;
  fill(Plan(model), directory.path(), [](const wave::Object&) { return false; });
  const auto report = check(model, directory.path(), 10'000);
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_EQ(report->pairs, 10'000U);
  EXPECT_EQ(report->disagreements, 0U) << report->named.at(0);
  EXPECT_GT(report->allowed, 3'000U);
  EXPECT_LT(report->allowed, 8'000U);
  // House: resident 1, housemate 2; apartment: resident 3, housemate 4; bill 2.
  for (const std::size_t links : {1U, 2U, 3U, 4U}) {
    ASSERT_TRUE(report->by_links.contains(links));
    const CheckReport::Times& times = report->by_links.at(links);
    EXPECT_EQ(times.build.size(), times.verify.size());
    EXPECT_GT(times.build.front(), 0);
    EXPECT_TRUE(std::ranges::is_sorted(times.build) && std::ranges::is_sorted(times.verify));
  }
  // Each link is a signature more.
  const auto median = [&](std::size_t links) {
    const auto& verify = report->by_links.at(links).verify;
    return verify[verify.size() / 2];
  };
  EXPECT_GT(median(4), 2 * median(1));
}

// What is missing on the ledger is a disagreement that is named.
TEST(Check, FindsADotThatIsMissing) {
  const Model model = *Model::draw(22, kScale);
  const store::testing::TempDirectory directory;
  const EntityKey lease = key_of(22, {Kind::kLease, 0}).public_key();
  fill(Plan(model), directory.path(), [&](const wave::Object& object) {
    const auto* dot = std::get_if<wave::Signed<wave::Dot>>(&object);
    return dot != nullptr && dot->value.granter == lease;
  });
  const auto report = check(model, directory.path(), 5'000);
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_GT(report->disagreements, 0U);
  ASSERT_FALSE(report->named.empty());
  EXPECT_TRUE(report->named[0].contains("proof search says no, the model yes, the oracle no"));
}

TEST(Check, SaysThatItIsAnotherCity) {
  const store::testing::TempDirectory directory;
  const auto report = check(*Model::draw(1, kScale), directory.path(), 1);
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace bw::city
