// SPDX-License-Identifier: Apache-2.0
#include "ledger_embedded/admission_line.hpp"

#include <condition_variable>
#include <mutex>

#include <gtest/gtest.h>

#include "ledger_embedded/testing/world.hpp"

namespace bw::ledger_embedded {
namespace {

using testing::ManualClock;
namespace lt = ledger::testing;
using Outcomes = std::vector<ledger::Submitted>;

Bytes bytes_of(const auto& object) {
  return object.bytes;
}

// Collects the answers of a line on its own threads.
class AdmissionLineTest : public ::testing::Test {
 protected:
  void submit(std::vector<Bytes> entries) {
    line->submit(std::move(entries), [this](auto outcomes) {
      const std::scoped_lock lock(mutex);
      answers.push_back(outcomes ? *std::move(outcomes) : Outcomes{});
      sizes.push_back(store->log().size());
      came.notify_all();
    });
  }
  // Waits for so many answers.
  void await(std::size_t count) {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(
        came.wait_for(lock, std::chrono::seconds{20}, [&] { return answers.size() >= count; }));
  }

  store::testing::TempDirectory directory;
  std::unique_ptr<store::AuthorityStore> store = store::testing::opened_store(directory.path());
  ManualClock clock;
  std::mutex mutex;
  std::condition_variable came;
  std::vector<Outcomes> answers;
  std::vector<std::uint64_t> sizes;  // of the log when each answer came
  std::size_t news = 0;
  std::unique_ptr<AdmissionLine> line =
      std::make_unique<AdmissionLine>(*store, clock, 3, [this](const ledger::Effects&) { ++news; });
};

TEST_F(AdmissionLineTest, KeepsTheOrderWithinAndBetweenSubmissions) {
  constexpr std::size_t kSubmissions = 40;
  std::vector<Bytes> all;
  for (std::size_t i = 0; i < kSubmissions; ++i) {
    std::vector<Bytes> some;
    for (std::size_t j = 0; j < 1 + i * 7 % 100; ++j) {
      some.push_back(bytes_of(lt::entity(fmt::format("{} {}", i, j))));
    }
    all.insert(all.end(), some.begin(), some.end());
    submit(std::move(some));
  }
  await(kSubmissions);
  EXPECT_EQ(testing::entries_of(*store), all);
  std::uint64_t next = 0;
  for (std::size_t i = 0; i < kSubmissions; ++i) {
    EXPECT_EQ(answers[i].size(), 1 + i * 7 % 100);
    for (const ledger::Submitted& outcome : answers[i]) EXPECT_EQ(outcome.index, next++);
    EXPECT_GE(sizes[i], next) << "acknowledged before it was stored";
  }
}

TEST_F(AdmissionLineTest, AnEntryMayRestOnOneJustBeforeIt) {
  const auto dot = lt::dot("granter", "grantee");
  submit({bytes_of(dot)});
  submit({bytes_of(lt::entity("granter")), bytes_of(dot), bytes_of(dot)});
  submit({bytes_of(dot)});
  await(3);
  EXPECT_EQ(answers[0][0].refusal.code, ErrorCode::kNotFound);
  EXPECT_EQ(answers[1][0].index, 0U);
  EXPECT_EQ(answers[1][1].index, 1U);
  EXPECT_EQ(answers[1][2].refusal.code, ErrorCode::kConflict);
  EXPECT_EQ(answers[2][0].refusal.code, ErrorCode::kConflict);
}

TEST_F(AdmissionLineTest, TakesNothingWithABadSignature) {
  auto forged = bytes_of(lt::entity("a"));
  forged.back() ^= 1;
  submit({forged, Bytes{9, 9}, bytes_of(lt::entity("b"))});
  await(1);
  EXPECT_EQ(answers[0][0].refusal.code, ErrorCode::kBadSignature);
  EXPECT_EQ(answers[0][1].refusal.code, ErrorCode::kUnsupported);
  EXPECT_EQ(answers[0][2].index, 0U);
  EXPECT_EQ(store->log().size(), 1U);
  EXPECT_EQ(news, 1U);
}

// A repeat is known before its signature is looked at.
TEST_F(AdmissionLineTest, ARepeatIsRefusedAsOneWhateverItsSignature) {
  auto entity = bytes_of(lt::entity("a"));
  submit({entity});
  await(1);
  entity.back() ^= 1;
  submit({entity});
  await(2);
  EXPECT_EQ(answers[1][0].refusal.code, ErrorCode::kConflict);
}

TEST_F(AdmissionLineTest, AnswersAnEmptySubmissionInItsPlace) {
  submit({bytes_of(lt::entity("a"))});
  submit({});
  await(2);
  EXPECT_EQ(answers[0].size(), 1U);
  EXPECT_TRUE(answers[1].empty());
}

}  // namespace
}  // namespace bw::ledger_embedded
