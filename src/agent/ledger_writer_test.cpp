// SPDX-License-Identifier: Apache-2.0
#include "agent/ledger_writer.hpp"

#include <gtest/gtest.h>

#include "ledger/testing/objects.hpp"
#include "net/loopback_testing.hpp"
#include "store/testing/authority_probe.hpp"

namespace bw::agent {
namespace {

namespace lt = ledger::testing;
using Outcomes = Result<std::vector<ledger::Submitted>>;

class ManualClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override { return at; }
  Time at = lt::kNow;
};

// A ledger that answers when the test says so.
class HandLedger final : public ledger::Ledger {
 public:
  void submit(std::vector<Bytes>, SubmitDone done) override { waiting.push_back(std::move(done)); }
  [[nodiscard]] ledger::Status status() const override { return {}; }
  std::vector<SubmitDone> waiting;
};

class WriterTest : public ::testing::Test {
 protected:
  ~WriterTest() override {
    writer.stop();
    loop.context.restart();
    loop.context.poll();
  }
  void submit(const wave::Object& object) {
    writer.submit(lt::all_bytes({object}),
                  [this](Outcomes outcomes) { answers.push_back(std::move(outcomes)); });
  }
  void ledger_says(const ledger::Submitted& outcome) {
    ledger.waiting.back()(std::vector{outcome});
  }
  void ledger_refuses() {
    ledger_says({std::nullopt, Error{ErrorCode::kConflict, "is there already"}});
  }
  void hear(const std::vector<wave::Object>& objects) {
    ASSERT_TRUE(replica.append(lt::all_bytes(objects)).has_value());
  }
  bool answered() {
    return loop.turn_until([&] { return !answers.empty(); });
  }
  void settle() {
    loop.context.restart();
    loop.context.poll();
  }

  net::testing::Loop loop;
  ManualClock clock;
  store::testing::TempDirectory directory;
  std::unique_ptr<store::AuthorityStore> store = store::testing::opened_store(directory.path());
  replica::Replica replica{*store, clock, true};
  HandLedger ledger;
  LedgerWriter writer{loop.context, ledger, replica, clock};
  std::vector<Outcomes> answers;
};

TEST_F(WriterTest, AnswersWhenThisNodeKnowsItToo) {
  submit(lt::entity("ns"));
  ledger_says({0U, {}});
  settle();
  EXPECT_TRUE(answers.empty());
  hear({lt::entity("ns")});
  ASSERT_TRUE(answered());
  EXPECT_EQ((*answers[0])[0].index, 0U);
}

TEST_F(WriterTest, ARefusalNeedsNoWaiting) {
  submit(lt::entity("ns"));
  ledger_says({std::nullopt, Error{ErrorCode::kExpired, "too late"}});
  ASSERT_TRUE(answered());
  EXPECT_EQ((*answers[0])[0].refusal.code, ErrorCode::kExpired);
}

TEST_F(WriterTest, TheVerySameObjectAgainCountsAsPut) {
  const auto dot = lt::dot("ns", "alice");
  hear({lt::entity("ns"), dot});
  submit(dot);
  ledger_refuses();
  ASSERT_TRUE(answered());
  EXPECT_EQ((*answers[0])[0].index, 1U);
}

TEST_F(WriterTest, ARevokedDotAgainDoesNot) {
  const auto dot = lt::dot("ns", "alice");
  hear({lt::entity("ns"), dot, lt::revoke_dot("ns", dot.id)});
  submit(dot);
  ledger_refuses();
  ASSERT_TRUE(answered());
  EXPECT_FALSE((*answers[0])[0].index);
  EXPECT_EQ((*answers[0])[0].refusal.code, ErrorCode::kConflict);
}

TEST_F(WriterTest, AnotherObjectInTheWayStaysAConflict) {
  hear({lt::entity("ns"), lt::alias("ns", "hall", lt::id("ns").bytes)});
  submit(lt::alias("ns", "hall", lt::id("alice").bytes));
  ledger_refuses();
  ASSERT_TRUE(answered());
  EXPECT_FALSE((*answers[0])[0].index);
}

TEST_F(WriterTest, SaysWhenThisNodeDoesNotHearOfIt) {
  submit(lt::entity("ns"));
  ledger_says({7U, {}});
  settle();
  clock.at += 20s;
  ASSERT_TRUE(answered());
  ASSERT_FALSE(answers[0].has_value());
  EXPECT_EQ(answers[0].error().code, ErrorCode::kUnavailable);
  EXPECT_NE(answers[0].error().message.find('7'), std::string::npos);
}

TEST_F(WriterTest, StoppingAnswersWhatWaitsAndWhatTheLedgerSaysLater) {
  submit(lt::entity("ns"));
  ledger_says({0U, {}});
  settle();
  submit(lt::entity("alice"));
  writer.stop();
  ASSERT_EQ(answers.size(), 1U);
  ledger_says({1U, {}});
  settle();
  ASSERT_EQ(answers.size(), 2U);
  for (const auto& answer : answers) EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace bw::agent
