// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/submitter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ledger_ethereum/testing/submitter_world.hpp"

namespace bw::ledger_ethereum {
namespace {

using ledger::testing::alias;
using ledger::testing::dot;
using ledger::testing::entity;
using ledger::testing::revoke_dot;
using ledger::testing::revoke_entity;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::kGwei;
using ::testing::SizeIs;
using testing::SubmitterWorld;

class SubmitterTest : public ::testing::Test, public SubmitterWorld {
 protected:
  wave::Signed<wave::Dot> grant(int number) {
    return dot("ns", "alice", {.comment = std::to_string(number)});
  }
  // Under way and in no block.
  void sent(std::size_t calls) {
    ASSERT_TRUE(turn_until([&] { return submitter().status().unmined == calls; }));
  }
  Error trouble() {
    const bool told = turn_until([&] { return submitter().status().trouble.has_value(); });
    return told ? *submitter().status().trouble : Error{};
  }
  bool untroubled() {
    return turn_until([&] { return !submitter().status().trouble.has_value(); });
  }
};

TEST_F(SubmitterTest, PutsEntriesInOrderAndTellsTheirPlaces) {
  start();
  const auto answer = submit({entity("ns"), entity("alice"), grant(1)});
  mined_until_answered(answer);
  EXPECT_THAT(places(answer), ElementsAre(0, 1, 2));
  EXPECT_EQ(chain.entries(), ledger::testing::all_bytes({entity("ns"), entity("alice"), grant(1)}));
  EXPECT_EQ(chain.transactions(), 1U);
}

TEST_F(SubmitterTest, TellsNothingBeforeEnoughConfirmations) {
  start({.confirmations = 3});
  const auto answer = submit({entity("ns")});
  sent(1);
  chain.mine();
  looked(2);
  EXPECT_EQ(submitter().status().unconfirmed, 1U);
  chain.mine();
  looked(2);
  EXPECT_FALSE(answer->result.has_value());
  chain.mine();
  ASSERT_TRUE(answered(answer));
  EXPECT_THAT(places(answer), ElementsAre(0));
}

TEST_F(SubmitterTest, DoesNotAskForAReceiptThatHasNothingNewToTell) {
  start({.confirmations = 10});
  const auto answer = submit({entity("ns")});
  sent(1);
  for (int block = 0; block < 8; ++block) {
    chain.mine();
    looked(2);
  }
  EXPECT_EQ(chain.receipts_asked(), 1U);
  mined_until_answered(answer);
  EXPECT_EQ(chain.receipts_asked(), 2U);
}

TEST_F(SubmitterTest, BatchesWhatWaits) {
  start();
  std::vector<Answer> answers{submit({entity("ns")})};
  for (int i = 0; i < 60; ++i) answers.push_back(submit({grant(i)}));
  for (const auto& answer : answers) mined_until_answered(answer);
  for (std::size_t i = 0; i < answers.size(); ++i) EXPECT_THAT(places(answers[i]), ElementsAre(i));
  EXPECT_THAT(chain.items_of_calls(), ElementsAre(61));
}

TEST_F(SubmitterTest, SplitsWhatOneCallCannotTakeAndKeepsFewUnmined) {
  start();
  std::vector<Answer> answers{submit({entity("ns")})};
  for (int batch = 0; batch < 2; ++batch) {
    std::vector<wave::Object> many;
    for (int i = 0; i < 1000; ++i) many.push_back(grant(batch * 1000 + i));
    answers.push_back(submit(many));
  }
  ASSERT_TRUE(turn_until([&] { return chain.waiting() == 4; }));
  looked(3);
  EXPECT_EQ(chain.waiting(), 4U);
  for (const auto& answer : answers) mined_until_answered(answer);
  std::uint64_t next = 0;
  for (const auto& answer : answers) {
    for (const std::uint64_t place : places(answer)) EXPECT_EQ(place, next++);
  }
  EXPECT_EQ(next, 2001U);
  EXPECT_GT(chain.items_of_calls().size(), 4U);
}

TEST_F(SubmitterTest, MapsRefusalsToTheRightCallers) {
  start();
  mined_until_answered(submit({entity("ns"), entity("bob")}));
  const auto first = submit({grant(1), dot("stranger", "alice"), grant(2)});
  const auto second = submit({alias("ns", "hall", {}), alias("bob", "hall", {})});
  const auto third = submit({entity("ns"), grant(3)});
  mined_until_answered(third);
  EXPECT_EQ(first->outcomes()[0].index, 2U);
  EXPECT_EQ(first->outcomes()[1].refusal.code, ErrorCode::kNotFound);
  EXPECT_EQ(first->outcomes()[2].index, 3U);
  EXPECT_EQ(second->outcomes()[0].index, 4U);
  EXPECT_EQ(second->outcomes()[1].refusal.code, ErrorCode::kConflict);
  EXPECT_EQ(third->outcomes()[0].refusal.code, ErrorCode::kConflict);
  EXPECT_EQ(third->outcomes()[1].index, 5U);
}

TEST_F(SubmitterTest, DoesNotPayForWhatIsClearWithoutTheChain) {
  start();
  Bytes forged = entity("ns").bytes;
  forged.back() ^= 1U;
  const auto answer = submit_bytes({to_bytes("no object"), forged});
  ASSERT_TRUE(answered(answer));
  EXPECT_FALSE(answer->outcomes()[0].index.has_value());
  EXPECT_EQ(answer->outcomes()[1].refusal.code, ErrorCode::kBadSignature);
  const auto unknown = submit({revoke_dot("ns", grant(1).id)});
  ASSERT_TRUE(answered(unknown));
  EXPECT_EQ(unknown->outcomes()[0].refusal.code, ErrorCode::kNotFound);
  EXPECT_EQ(chain.sent(), 0U);
  const auto many = submit_bytes(std::vector<Bytes>(limits::kLedgerBatchEntries + 1, Bytes(1)));
  ASSERT_TRUE(many->result.has_value());
  EXPECT_EQ(many->result->error().code, ErrorCode::kInvalidArgument);
}

TEST_F(SubmitterTest, PutsADotOnce) {
  start();
  const auto first = submit({entity("ns"), grant(1), grant(1)});
  const auto second = submit({grant(1)});
  mined_until_answered(first);
  EXPECT_EQ(first->outcomes()[1].index, 1U);
  EXPECT_EQ(first->outcomes()[2].refusal.code, ErrorCode::kConflict);
  EXPECT_EQ(second->outcomes()[0].refusal.code, ErrorCode::kConflict);
  const auto later = submit({grant(1)});
  ASSERT_TRUE(later->result.has_value());
  EXPECT_EQ(later->outcomes()[0].refusal.code, ErrorCode::kConflict);
  EXPECT_THAT(chain.entries(), SizeIs(2));
}

TEST_F(SubmitterTest, ADotThatIsRefusedIsRefusedToAllWhoPutIt) {
  start();
  const auto first = submit({dot("stranger", "alice")});
  const auto second = submit({dot("stranger", "alice")});
  mined_until_answered(first);
  EXPECT_EQ(first->outcomes()[0].refusal.code, ErrorCode::kNotFound);
  EXPECT_EQ(second->outcomes()[0].refusal.code, ErrorCode::kNotFound);
  mined_until_answered(submit({entity("stranger")}));
  const auto third = submit({dot("stranger", "alice")});
  mined_until_answered(third);
  EXPECT_EQ(third->outcomes()[0].index, 1U);
}

TEST_F(SubmitterTest, RevokesWhatItPutItselfWithoutWaitingForAFollower) {
  start();
  mined_until_answered(submit({entity("ns"), entity("alice", {.revokers = {"warden"}}),
                               entity("warden"), grant(1), grant(2)}));
  const auto answer = submit({revoke_dot("alice", grant(1).id), revoke_entity("warden", "alice")});
  mined_until_answered(answer);
  EXPECT_THAT(places(answer), ElementsAre(6, 7));  // 5 is the DoT once more
  const auto again = submit({revoke_dot("ns", grant(1).id), revoke_dot("mallory", grant(2).id)});
  mined_until_answered(again);
  EXPECT_EQ(again->outcomes()[0].refusal.code, ErrorCode::kConflict);
  EXPECT_EQ(again->outcomes()[1].refusal.code, ErrorCode::kDenied);
}

TEST_F(SubmitterTest, RevokesWhatIsStillUnderWay) {
  start();
  const auto put = submit({entity("ns"), entity("warden"), grant(1)});
  sent(1);
  const auto renewed =
      submit({entity("ns", {.created = ledger::testing::kEarlier + 1s, .revokers = {"warden"}})});
  sent(2);
  const auto revoked = submit({revoke_dot("ns", grant(1).id), revoke_entity("warden", "ns")});
  sent(3);
  mined_until_answered(revoked);
  EXPECT_TRUE(put->outcomes()[2].index && renewed->outcomes()[0].index);
  EXPECT_TRUE(revoked->outcomes()[0].index.has_value()) << revoked->outcomes()[0].refusal.message;
  EXPECT_TRUE(revoked->outcomes()[1].index.has_value()) << revoked->outcomes()[1].refusal.message;
}

TEST_F(SubmitterTest, SaysThatARevocationIsMootWhenItsDotIs) {
  start();
  const auto brief = dot("ns", "alice", {.expires = ledger::testing::kNow + 60s});
  mined_until_answered(submit({entity("ns"), brief}));
  chain.mine(20);
  const auto answer = submit({revoke_dot("ns", brief.id)});
  mined_until_answered(answer);
  EXPECT_EQ(answer->outcomes()[0].refusal.code, ErrorCode::kExpired);
  EXPECT_THAT(answer->outcomes()[0].refusal.message, HasSubstr("nothing to revoke"));
}

TEST_F(SubmitterTest, ReplacesWhatIsStuckUnderTheSameNonce) {
  start();
  const auto answer = submit({entity("ns")});
  sent(1);
  const Wei before = chain.max_fee(account(), 0).value();
  chain.market.base_fee = before + kGwei;
  ASSERT_TRUE(turn_until([&] {
    chain.mine();
    looked(1);
    return submitter().status().replaced > 0;
  }));
  EXPECT_GE(chain.max_fee(account(), 0).value() * 8, before * 9);
  mined_until_answered(answer);
  EXPECT_THAT(places(answer), ElementsAre(0));
  EXPECT_EQ(chain.used(account()), 1U);
}

// The first version may be mined though a dearer one was sent.
TEST_F(SubmitterTest, TakesTheReceiptOfAnyVersion) {
  start();
  const auto answer = submit({entity("ns")});
  sent(1);
  const Bytes first = chain.last_sent();
  chain.market.base_fee = chain.max_fee(account(), 0).value() + kGwei;
  ASSERT_TRUE(turn_until([&] {
    chain.mine();
    looked(1);
    return submitter().status().replaced > 0;
  }));
  chain.market.base_fee = 10 * kGwei;
  chain.drop_pool();
  ASSERT_TRUE(run(chain.send_raw(first)).has_value());
  chain.mine();
  ASSERT_TRUE(answered(answer));
  EXPECT_THAT(places(answer), ElementsAre(0));
}

TEST_F(SubmitterTest, SendsAgainWhatWasDropped) {
  start();
  const auto answer = submit({entity("ns")});
  sent(1);
  chain.drop_pool();
  mined_until_answered(answer);
  EXPECT_THAT(places(answer), ElementsAre(0));
  EXPECT_EQ(chain.used(account()), 1U);
}

TEST_F(SubmitterTest, SendsAgainWhatAReorganisationTookOut) {
  start({.confirmations = 4});
  const auto first = submit({entity("ns")});
  sent(1);
  const auto second = submit({grant(1)});
  sent(2);
  chain.mine(2);
  ASSERT_TRUE(turn_until([&] { return submitter().status().unmined == 0; }));
  chain.reorganise(2, false);
  ASSERT_TRUE(turn_until([&] { return submitter().status().withdrawn == 2; }));
  EXPECT_FALSE(first->result.has_value());
  EXPECT_TRUE(turn_until([&] { return chain.waiting() == 2; }));  // at once, not when it is late
  mined_until_answered(second);
  EXPECT_THAT(places(first), ElementsAre(0));
  EXPECT_THAT(places(second), ElementsAre(1));
  EXPECT_EQ(chain.used(account()), 2U);
}

// What is answered is where it stands in the end.
TEST_F(SubmitterTest, TellsThePlaceAfterTheReorganisation) {
  start({.confirmations = 4});
  const auto answer = submit({entity("ns")});
  sent(1);
  chain.mine();
  ASSERT_TRUE(turn_until([&] { return submitter().status().unmined == 0; }));
  chain.reorganise(1, false);
  chain.put_by_others(entity("bob").bytes);
  chain.mine();
  mined_until_answered(answer);
  EXPECT_THAT(places(answer), ElementsAre(1));
}

TEST_F(SubmitterTest, GivesWayToAnotherProgramWithTheSameKey) {
  start();
  const auto answer = submit({entity("ns")});
  sent(1);
  chain.take_nonce(account(), 0);
  mined_until_answered(answer);
  EXPECT_THAT(places(answer), ElementsAre(0));
  EXPECT_EQ(chain.used(account()), 2U);
  EXPECT_EQ(submitter().status().lost, 1U);
}

TEST_F(SubmitterTest, DoesNotCollideWithWhatAFormerRunSent) {
  chain.fund(account(), 100'000'000 * kGwei);
  chain.take_nonce(account(), 0);
  start();
  const auto answer = submit({entity("ns")});
  sent(1);
  EXPECT_TRUE(chain.max_fee(account(), 1).has_value());
  mined_until_answered(answer);
  EXPECT_EQ(chain.used(account()), 2U);
  EXPECT_EQ(submitter().status().lost, 0U);
}

// The former run's transaction was dropped, ours waits behind the gap.
TEST_F(SubmitterTest, FillsANonceThatNobodyComesBackFor) {
  chain.take_nonce(account(), 0);
  start();
  const auto answer = submit({entity("ns")});
  sent(1);
  chain.forget_nonce(account(), 0);
  mined_until_answered(answer);
  EXPECT_THAT(places(answer), ElementsAre(0));
  EXPECT_EQ(chain.used(account()), 2U);
}

TEST_F(SubmitterTest, WaitsForFundsAndGoesOn) {
  start({}, 0);
  const auto answer = submit({entity("ns")});
  const Error poor = trouble();
  EXPECT_EQ(poor.code, ErrorCode::kLimited);
  EXPECT_THAT(poor.message, HasSubstr("fund"));
  EXPECT_THAT(poor.message, HasSubstr(evm::to_text(account())));
  EXPECT_EQ(chain.sent(), 0U);
  chain.fund(account(), 10'000'000 * kGwei);
  ASSERT_TRUE(untroubled());
  mined_until_answered(answer);
  EXPECT_THAT(places(answer), ElementsAre(0));
}

TEST_F(SubmitterTest, SendsWhatItCanPayFor) {
  start({}, 10'000'000 * kGwei);  // 476,190 gas at 21 gwei
  mined_until_answered(submit({entity("ns")}));
  std::vector<wave::Object> many;
  for (int i = 0; i < 60; ++i) many.push_back(grant(i));
  const auto answer = submit(many);
  sent(1);
  EXPECT_THAT(trouble().message, HasSubstr("balance"));
  chain.fund(account(), 100'000'000 * kGwei);
  mined_until_answered(answer);
  EXPECT_EQ(places(answer).size(), 60U);
  EXPECT_EQ(chain.items_of_calls().size(), 3U);
}

TEST_F(SubmitterTest, WaitsOutAFeeSpike) {
  chain.market.base_fee = 500 * kGwei;
  start();
  const auto answer = submit({entity("ns")});
  EXPECT_THAT(trouble().message, HasSubstr("max_fee"));
  EXPECT_EQ(chain.sent(), 0U);
  chain.market.base_fee = 5 * kGwei;
  ASSERT_TRUE(untroubled());
  mined_until_answered(answer);
  EXPECT_THAT(places(answer), ElementsAre(0));
}

TEST_F(SubmitterTest, WaitsOutASpikeThatComesAfterSending) {
  start();
  const auto answer = submit({entity("ns")});
  sent(1);
  chain.market.base_fee = 500 * kGwei;
  EXPECT_THAT(trouble().message, HasSubstr("max_fee"));
  looked(3);
  EXPECT_TRUE(submitter().status().trouble.has_value());
  chain.market.base_fee = 5 * kGwei;
  ASSERT_TRUE(untroubled());
  mined_until_answered(answer);
  EXPECT_THAT(places(answer), ElementsAre(0));
}

TEST_F(SubmitterTest, SaysThatTheChainIsHaltedAndGoesOnWithIt) {
  start({.halted_after = 60s});
  const auto answer = submit({entity("ns")});
  sent(1);
  clock.advance(59s);
  looked(2);
  EXPECT_FALSE(submitter().status().trouble.has_value());
  clock.advance(1s);
  const Error halted = trouble();
  EXPECT_EQ(halted.code, ErrorCode::kStale);
  EXPECT_THAT(halted.message, HasSubstr("no block"));
  clock.advance(600s);
  chain.mine();
  ASSERT_TRUE(answered(answer));
  ASSERT_TRUE(untroubled());
  EXPECT_THAT(places(answer), ElementsAre(0));
}

TEST_F(SubmitterTest, SaysThatNoEndpointAnswersAndGoesOnAfter) {
  chain.failing = 1'000'000;
  start();
  const auto answer = submit({entity("ns")});
  EXPECT_EQ(trouble().code, ErrorCode::kUnavailable);
  chain.failing = 0;
  ASSERT_TRUE(untroubled());
  mined_until_answered(answer);
  EXPECT_THAT(places(answer), ElementsAre(0));
}

TEST_F(SubmitterTest, SaysWhyEndpointsRefuseAndGoesOnAfter) {
  chain.refuses = Error{ErrorCode::kDenied, "endpoint a: rate plan is exhausted"};
  start();
  const auto answer = submit({entity("ns")});
  EXPECT_THAT(trouble().message, HasSubstr("rate plan"));
  chain.refuses.reset();
  ASSERT_TRUE(untroubled());
  mined_until_answered(answer);
  EXPECT_THAT(places(answer), ElementsAre(0));
  EXPECT_EQ(chain.used(account()), 1U);
}

TEST_F(SubmitterTest, TellsTheStateWhenTheDeadlineHasPassed) {
  chain.market.base_fee = 500 * kGwei;
  start({.deadline = 100s});
  const auto answer = submit({entity("ns")});
  EXPECT_THAT(trouble().message, HasSubstr("max_fee"));
  clock.advance(99s);
  looked(2);
  EXPECT_FALSE(answer->result.has_value());
  clock.advance(1s);
  ASSERT_TRUE(answered(answer));
  EXPECT_EQ(answer->result->error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(answer->result->error().message, HasSubstr("max_fee"));
  EXPECT_EQ(submitter().status().waiting_entries, 0U);
  chain.market.base_fee = 5 * kGwei;
  mined_until_answered(submit({entity("bob")}));
  EXPECT_THAT(chain.entries(), SizeIs(1));  // nobody waits for the other any more
}

TEST_F(SubmitterTest, WhatIsSentIsFollowedThoughItsCallerWasToldTheDeadline) {
  start({.deadline = 100s});
  const auto late = submit({entity("ns")});
  sent(1);
  clock.advance(100s);
  ASSERT_TRUE(answered(late));
  EXPECT_EQ(late->result->error().code, ErrorCode::kUnavailable);
  const auto next = submit({grant(1)});
  mined_until_answered(next);
  EXPECT_EQ(places(next), std::vector<std::uint64_t>{1});
}

TEST_F(SubmitterTest, GivesUpACallThatNoEndpointTakesWhenNobodyWaits) {
  chain.refuses = Error{ErrorCode::kDenied, "endpoint a: too heavy"};
  start({.deadline = 100s});
  const auto poison = submit({entity("ns")});
  EXPECT_THAT(trouble().message, HasSubstr("too heavy"));
  clock.advance(100s);
  ASSERT_TRUE(answered(poison));
  ASSERT_TRUE(turn_until([&] { return submitter().status().unmined == 0; }));
  chain.refuses.reset();
  const auto next = submit({entity("bob")});
  mined_until_answered(next);
  EXPECT_THAT(places(next), ElementsAre(0));
  EXPECT_EQ(chain.used(account()), 1U);
}

TEST_F(SubmitterTest, TriesAFailedCallAgainEntryByEntryAndThenGivesUp) {
  start();
  chain.burns = true;
  const auto answer = submit({entity("ns"), entity("bob")});
  mined_until_answered(answer);
  EXPECT_EQ(answer->outcomes()[0].refusal.code, ErrorCode::kUnavailable);
  EXPECT_EQ(answer->outcomes()[1].refusal.code, ErrorCode::kUnavailable);
  EXPECT_EQ(chain.used(account()), 5U);
  chain.burns = false;
  const auto next = submit({entity("ns")});
  mined_until_answered(next);
  EXPECT_THAT(places(next), ElementsAre(0));
}

TEST_F(SubmitterTest, AnswersEverybodyWhenItEnds) {
  start();
  const auto waiting = submit({entity("ns")});
  sent(1);
  const auto queued = submit({grant(1)});
  stop();
  for (const auto& answer : {waiting, queued, submit({entity("bob")})}) {
    ASSERT_TRUE(answer->result.has_value());
    EXPECT_EQ(answer->result->error().code, ErrorCode::kUnavailable);
  }
}

}  // namespace
}  // namespace bw::ledger_ethereum
