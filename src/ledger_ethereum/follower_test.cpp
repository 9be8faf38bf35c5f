// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/follower.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ledger_ethereum/registry_log.hpp"
#include "ledger_ethereum/testing/followed_chain.hpp"

namespace bw::ledger_ethereum {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

Bytes entry(std::string_view text) {
  return to_bytes("\x02" + std::string(text));
}
Bytes revocation(std::string_view text) {
  return to_bytes("\x03" + std::string(text));
}

class FollowerTest : public ::testing::Test, public FollowedChain {
 protected:
  void expect_followed() {
    const auto done = look();
    ASSERT_TRUE(done.has_value()) << done.error().message;
    EXPECT_EQ(sink.entries, confirmed_entries());
  }
};

TEST_F(FollowerTest, FollowsFromTheRegistrysFirstBlock) {
  chain.mine({{entry("1"), entry("2")}, {entry("3")}});
  chain.mine();
  chain.mine({{entry("4")}});
  chain.mine_empty(2);
  expect_followed();
  EXPECT_EQ(sink.size(), 4U);
  EXPECT_EQ(*found.head, 4U);
  chain.mine({{entry("5")}});
  chain.mine_empty(2);
  expect_followed();
}

TEST_F(FollowerTest, ALedgerWithoutEntriesIsFollowed) {
  expect_followed();
  EXPECT_EQ(*found.head, 0U);
  chain.mine_empty(150);
  expect_followed();
}

TEST_F(FollowerTest, EntriesWaitForTheirConfirmationsAndRevocationsDoNot) {
  chain.mine({{entry("1"), revocation("2")}});
  expect_followed();
  EXPECT_THAT(sink.entries, IsEmpty());
  EXPECT_THAT(sink.suspected, ElementsAre(revocation("2")));
  chain.mine();
  expect_followed();
  EXPECT_THAT(sink.entries, IsEmpty());
  chain.mine();
  expect_followed();
  EXPECT_EQ(sink.size(), 2U);
  EXPECT_THAT(sink.suspected, IsEmpty()) << "it is held now";
}

// The sink judges a revocation by what it holds, so it is told again before anything else is asked.
TEST_F(FollowerTest, AGrantComesInTogetherWithItsSuspectedRevocation) {
  chain.mine({{entry("grant")}});
  chain.mine({{revocation("of it")}});
  expect_followed();
  chain.mine();
  sink.record.clear();
  a.before = [this](const std::string& method) {
    if (method == "eth_getLogs") sink.record.emplace_back("logs");
  };
  expect_followed();
  EXPECT_THAT(sink.record, ElementsAre("logs", "append", "suspect", "logs"));
  EXPECT_THAT(sink.suspected, ElementsAre(revocation("of it")));
}

TEST_F(FollowerTest, EntriesWaitUntilTheirBlockIsFinal) {
  options.finalized = true;
  chain.mine({{entry("1")}});
  chain.mine_empty(2);
  EXPECT_TRUE(look().has_value());
  EXPECT_EQ(sink.size(), 0U);
  chain.mine();
  EXPECT_TRUE(look().has_value());
  EXPECT_EQ(sink.size(), 1U);
}

TEST_F(FollowerTest, WhereNothingIsNewNoLogsAreRead) {
  chain.mine({{entry("1")}});
  chain.mine_empty(2);
  expect_followed();
  const std::size_t before = a.asked["eth_getLogs"];
  EXPECT_GT(before, 0U);
  chain.mine_empty(20);
  expect_followed();
  EXPECT_EQ(a.asked["eth_getLogs"], before);
  EXPECT_EQ(holding->base().block, chain.height() - 2);
}

TEST_F(FollowerTest, AnotherContractIsNotFollowed) {
  options.registry_code = Hash{};
  chain.mine({{entry("1")}});
  chain.mine_empty(2);
  const auto done = look();
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code, ErrorCode::kDenied);
  EXPECT_EQ(sink.size(), 0U);
}

TEST_F(FollowerTest, WhoCannotServeIsPassedOver) {
  chain.mine({{entry("1")}});
  chain.mine_empty(2);
  a.refused = {"eth_getProof"};
  expect_followed();
  EXPECT_TRUE(endpoints->status()[0].trouble.has_value());
  a.refused = {"eth_getLogs"};
  connect();
  chain.mine({{entry("2")}});
  chain.mine_empty(2);
  expect_followed();
  EXPECT_TRUE(endpoints->status()[0].trouble.has_value());
  a.down = true;
  connect();
  chain.mine({{entry("3")}});
  chain.mine_empty(2);
  expect_followed();
  EXPECT_FALSE(lie_of(0).has_value());
  b.down = true;
  connect();
  EXPECT_EQ(look().error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(sink.size(), 3U);
}

// Who is behind is not taken for a liar.
TEST_F(FollowerTest, WhoIsBehindIsPassedOver) {
  a.lags = 1;
  chain.mine({{entry("1")}});
  chain.mine_empty(2);
  chain.mine({{revocation("2")}});
  expect_followed();
  EXPECT_THAT(sink.suspected, ElementsAre(revocation("2")));
  EXPECT_FALSE(lie_of(0).has_value());
}

// ---- reorganisations

TEST_F(FollowerTest, OneBlockAboveTheConfirmedIsNothing) {
  chain.mine({{entry("1")}});
  chain.mine_empty(1);
  chain.mine({{entry("2"), revocation("3")}});
  expect_followed();
  chain.drop(1);
  chain.mine({{entry("4")}});
  chain.mine();
  expect_followed();
  EXPECT_THAT(sink.record, ::testing::Not(::testing::Contains("rewind")));
  EXPECT_THAT(sink.suspected, ElementsAre(revocation("3"))) << "until it is seen again";
  chain.mine({{revocation("3")}});
  chain.mine_empty(2);
  expect_followed();
  EXPECT_THAT(sink.suspected, IsEmpty());
}

TEST_F(FollowerTest, WhatTheChainWithdrewIsWithdrawn) {
  chain.mine({{entry("1")}});
  for (const char* name : {"2", "3", "4", "5", "6"}) chain.mine({{entry(name), revocation(name)}});
  chain.mine_empty(2);
  expect_followed();
  sink.record.clear();
  chain.drop(5);
  chain.mine({{entry("7"), revocation("6")}});
  chain.mine_empty(6);
  expect_followed();
  EXPECT_THAT(sink.record, ElementsAre("suspect", "rewind", "append", "suspect"));
  EXPECT_EQ(sink.size(), 1U + 4U + 2U);
  EXPECT_THAT(sink.suspected, UnorderedElementsAre(revocation("4"), revocation("5")));
}

TEST_F(FollowerTest, TheSameEntriesInOtherBlocksStay) {
  chain.mine({{entry("1")}});
  chain.mine({{entry("2")}, {entry("3")}});
  chain.mine_empty(2);
  expect_followed();
  chain.drop(4);
  chain.mine();
  chain.mine({{entry("1"), entry("2")}});
  chain.mine({{entry("3")}, {entry("4")}});
  chain.mine_empty(2);
  sink.record.clear();
  expect_followed();
  EXPECT_THAT(sink.record, ::testing::Not(::testing::Contains("rewind")));
  EXPECT_EQ(sink.size(), 4U);
}

TEST_F(FollowerTest, AReorganisationDeeperThanEveryMark) {
  for (int i = 0; i < 30; ++i) {
    chain.mine({{entry(std::to_string(i)), revocation(std::to_string(i))}});
    if (i % 7 == 0) ASSERT_TRUE(look().has_value());
  }
  expect_followed();
  chain.drop(chain.height() - kDeployed);
  for (int i = 0; i < 20; ++i) chain.mine({{entry("new " + std::to_string(i))}});
  // Shorter, and yet another chain.
  EXPECT_TRUE(look().has_value());
  chain.mine_empty(20);
  expect_followed();
  EXPECT_EQ(sink.size(), 20U);
  EXPECT_EQ(sink.suspected.size(), 30U);
}

TEST_F(FollowerTest, AHeadThatIsBehindChangesNothing) {
  for (int i = 0; i < 9; ++i) chain.mine({{entry(std::to_string(i))}});
  expect_followed();
  const auto before = sink.entries;
  a.lags = b.lags = 4;
  const auto done = look();
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(sink.entries, before);
  a.lags = b.lags = 0;
  expect_followed();
}

TEST_F(FollowerTest, WithdrawnRevocationsActForADay) {
  chain.mine({{revocation("1")}});
  chain.mine_empty(2);
  expect_followed();
  chain.drop(3);
  chain.mine_empty(5);
  expect_followed();
  EXPECT_EQ(sink.size(), 0U);
  EXPECT_EQ(sink.suspected.size(), 1U);
  // After a restart, too, and before the chain is asked.
  sink.suspected.clear();
  ASSERT_TRUE(start().has_value());
  EXPECT_EQ(sink.suspected.size(), 1U);
  clock.at += kSuspectedFor;
  expect_followed();
  EXPECT_EQ(sink.suspected.size(), 1U);
  clock.at += 1s;
  expect_followed();
  EXPECT_THAT(sink.suspected, IsEmpty());
}

TEST_F(FollowerTest, KilledBetweenWithdrawingAndAppending) {
  chain.mine({{entry("1")}});
  chain.mine({{entry("2"), revocation("3")}});
  chain.mine_empty(2);
  expect_followed();
  chain.drop(3);
  chain.mine({{entry("4")}});
  chain.mine_empty(3);
  sink.fails_to_append = true;
  EXPECT_EQ(look().error().code, ErrorCode::kIo);
  EXPECT_EQ(sink.size(), 1U);
  sink.fails_to_append = false;
  sink.suspected.clear();
  ASSERT_TRUE(start().has_value());
  EXPECT_THAT(sink.suspected, ElementsAre(revocation("3")));
  expect_followed();
}

TEST_F(FollowerTest, AReorganisationWhileLogsAreReadBlamesNobody) {
  chain.mine({{entry("1")}, {entry("2")}});
  chain.mine_empty(2);
  bool moved = false;
  a.before = [&](const std::string& method) {
    if (method != "eth_getLogs" || std::exchange(moved, true)) return;
    chain.drop(3);
    chain.mine({{entry("3")}});
    chain.mine_empty(3);
  };
  const auto done = look();
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(sink.size(), 0U);
  EXPECT_FALSE(lie_of(0).has_value());
  EXPECT_FALSE(lie_of(1).has_value());
  expect_followed();
}

TEST_F(FollowerTest, WhoIsOnAnotherBranchIsPassedOver) {
  chain.mine({{entry("1")}});
  chain.mine_empty(2);
  FakeChain other = chain;
  other.drop(2);
  other.mine_empty(2);
  chain.mine({{revocation("2")}});
  other.mine({{revocation("3")}});
  connect({{other, a}, {chain, b}, {chain, b}});
  expect_followed();
  EXPECT_THAT(sink.suspected, ElementsAre(revocation("2")));
  EXPECT_FALSE(lie_of(0).has_value());
}

// One machine of many behind an address may not have the newest block yet.
TEST_F(FollowerTest, ToLackSomethingOnceIsNoLie) {
  chain.mine({{entry("1")}, {entry("2")}});
  chain.mine_empty(2);
  a.lie = [this](json& logs) {
    logs = json::array();
    a.lie = nullptr;
  };
  expect_followed();
  EXPECT_FALSE(lie_of(0).has_value());
  // And a reorganisation that comes then is none either.
  chain.mine({{entry("3")}});
  chain.mine_empty(2);
  std::size_t times = 0;
  a.lie = [&](json& logs) {
    logs = json::array();
    if (++times < 2) return;
    chain.drop(3);
    chain.mine({{entry("4")}});
    chain.mine_empty(3);
    a.lie = nullptr;
  };
  EXPECT_FALSE(look().has_value());
  EXPECT_EQ(times, 2U);
  EXPECT_FALSE(lie_of(0).has_value());
  expect_followed();
}

TEST_F(FollowerTest, RejectedItemsAreNoEntries) {
  chain.mine({{entry("1")}, {entry("2")}});
  chain.mine_empty(2);
  a.lie = [](json& logs) {
    json rejected = logs.at(0);
    rejected["topics"] = {to_data(Hash{}.bytes), to_data(Hash{}.bytes)};
    logs.insert(logs.begin() + 1, rejected);
    for (std::size_t i = 0; i < logs.size(); ++i) logs[i]["logIndex"] = to_quantity(i);
  };
  expect_followed();
  EXPECT_FALSE(lie_of(0).has_value());
}

// ---- restarts

TEST_F(FollowerTest, MarksOfOtherEntriesAreNotUsed) {
  for (int i = 0; i < 9; ++i) chain.mine({{entry(std::to_string(i))}});
  expect_followed();
  sink.entries[4] = entry("another");
  ASSERT_TRUE(start().has_value());
  EXPECT_EQ(holding->base().size, 0U);
  expect_followed();
}

TEST_F(FollowerTest, GoesOnAfterARestartWithoutReadingAgain) {
  for (int i = 0; i < 9; ++i) chain.mine({{entry(std::to_string(i))}});
  expect_followed();
  ASSERT_TRUE(start().has_value());
  EXPECT_EQ(holding->base().size, 7U);
  chain.mine({{entry("more")}});
  expect_followed();
}

TEST_F(FollowerTest, WithoutMarksItComparesWhatItHolds) {
  for (int i = 0; i < 9; ++i) chain.mine({{entry(std::to_string(i))}});
  expect_followed();
  sink.record.clear();
  for (const auto& content : {Bytes{}, to_bytes("rubbish")}) {
    store::testing::overwrite_file(options.marks, content);
    ASSERT_TRUE(start().has_value());
    EXPECT_EQ(holding->marks().size(), 1U);
    expect_followed();
  }
  EXPECT_THAT(sink.record, ::testing::Not(::testing::Contains("rewind")));
  // A sink that is behind its marks (restored from a copy).
  sink.entries.resize(3);
  ASSERT_TRUE(start().has_value());
  expect_followed();
}

// ---- bounded memory

TEST_F(FollowerTest, ALongLogIsProvedPieceByPiece) {
  options.waiting_bytes = 400;
  for (int i = 0; i < 1500; ++i) chain.mine({{entry(std::string(20, 'x') + std::to_string(i))}});
  expect_followed();
  EXPECT_LT(sink.largest_append, 1024U);
  EXPECT_GT(holding->marks().size(), 2U);
}

TEST_F(FollowerTest, ALieInAPieceIsFoundBeforeThePieceIsTaken) {
  for (int i = 0; i < 2500; ++i) chain.mine({{entry(std::string(20, 'x') + std::to_string(i))}});
  options.waiting_bytes = 400;
  a.lie = b.lie = [](json& logs) { logs.at(5)["data"] = to_data(log_data(5, {entry("forged")})); };
  EXPECT_FALSE(look().has_value());
  EXPECT_EQ(sink.size(), 0U);
  EXPECT_THAT(lie_of(0)->message, HasSubstr("altered entry"));
  b.lie = nullptr;
  connect();
  expect_followed();
  EXPECT_TRUE(lie_of(0).has_value());
}

TEST_F(FollowerTest, WhereOldStatesAreGoneALongLogIsReadTwice) {
  for (int i = 0; i < 2500; ++i) chain.mine({{entry(std::string(20, 'x') + std::to_string(i))}});
  a.keeps_states = b.keeps_states = 128;
  options.waiting_bytes = 400;
  expect_followed();
  EXPECT_LE(sink.largest_append, 1000U);
  EXPECT_FALSE(endpoints->status()[0].trouble.has_value()) << "not to be an archive is no fault";
  // A deep reorganisation is no other thing.
  chain.drop(2400);
  for (int i = 0; i < 2500; ++i) chain.mine({{entry("y" + std::to_string(i))}});
  expect_followed();
}

TEST_F(FollowerTest, WhereOldStatesAreGoneNothingIsTakenUnproved) {
  for (int i = 0; i < 2500; ++i) chain.mine({{entry(std::string(20, 'x') + std::to_string(i))}});
  a.keeps_states = b.keeps_states = 128;
  options.waiting_bytes = 400;
  // A lie near the end, behind many good pieces; or when it is read for the second time.
  std::size_t times = 0;
  const auto alter = [&times](json& logs, std::size_t from) {
    if (logs.empty() || ++times < from) return;
    logs.back()["data"] =
        to_data(log_data(parse_entries(*read_data(logs.back(), "data"))->first, {entry("forged")}));
  };
  for (const std::size_t from : {std::size_t{3}, std::size_t{4}}) {
    times = 0;
    a.lie = b.lie = [&](json& logs) { alter(logs, from); };
    connect();
    EXPECT_FALSE(look().has_value());
    const auto all = chain.entries();
    ASSERT_LE(sink.size(), all.size());
    EXPECT_TRUE(std::equal(sink.entries.begin(), sink.entries.end(), all.begin()));
    EXPECT_LT(sink.size(), all.size() - options.confirmations);
  }
}

// ---- the loop

TEST_F(FollowerTest, RunsUntilItIsStopped) {
  chain.mine({{entry("1")}});
  chain.mine_empty(2);
  options.poll = 3600s;
  Follower follower(*endpoints, *heads, sink, clock, log, options);
  net::TaskGroup tasks(context.get_executor());
  tasks.spawn(follower.run());
  ASSERT_TRUE(turn_until([&] { return follower.status().size == 1; }));
  const Time spoke = chain.block(chain.height()).time;
  EXPECT_EQ(sink.heard_at, spoke);
  chain.mine({{entry("2")}});
  chain.mine_empty(2);
  follower.wake();
  ASSERT_TRUE(turn_until([&] { return follower.status().size == 2; }));
  const FollowerStatus status = follower.status();
  EXPECT_EQ(status.head, 2U);
  EXPECT_EQ(status.root, sink.tree(2)->root());
  EXPECT_EQ(status.latest_block, chain.height());
  EXPECT_EQ(status.confirmed_block, chain.height() - 2);
  EXPECT_EQ(status.heard_at, chain.block(chain.height()).time);
  EXPECT_EQ(status.lag, clock.now() - status.heard_at);
  EXPECT_FALSE(status.trouble.has_value());
  run(tasks.join());
}

TEST_F(FollowerTest, TroubleIsSaidAndOvercome) {
  a.down = b.down = true;
  Follower follower(*endpoints, *heads, sink, clock, log, options);
  net::TaskGroup tasks(context.get_executor());
  tasks.spawn(follower.run());
  ASSERT_TRUE(turn_until([&] { return follower.status().trouble.has_value(); }));
  EXPECT_EQ(sink.heard_at, Time{});
  a.down = b.down = false;
  ASSERT_TRUE(turn_until([&] { return !follower.status().trouble.has_value(); }));
  EXPECT_NE(sink.heard_at, Time{});
  run(tasks.join());
}

// A node whose clock is behind does not take what it heard for news of tomorrow.
TEST_F(FollowerTest, HearsNothingOfTheFuture) {
  clock.at = chain.block(chain.height()).time - 5s;
  Follower follower(*endpoints, *heads, sink, clock, log, options);
  net::TaskGroup tasks(context.get_executor());
  tasks.spawn(follower.run());
  ASSERT_TRUE(turn_until([&] { return sink.heard_at != Time{}; }));
  EXPECT_EQ(sink.heard_at, clock.at);
  run(tasks.join());
}

}  // namespace
}  // namespace bw::ledger_ethereum
