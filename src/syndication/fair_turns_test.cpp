// SPDX-License-Identifier: Apache-2.0
#include "syndication/fair_turns.hpp"

#include <map>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace bw::syndication {
namespace {

using std::chrono::nanoseconds;

EntityKey entity(std::uint8_t number) {
  EntityKey key;
  key.bytes[0] = number;
  return key;
}

TEST(FairTurns, EntitiesShareTimeHoweverManyPlacesTheyTake) {
  FairTurns turns;
  std::map<FairTurns::Ticket, int> whose;
  const auto enter = [&](int who) {
    whose[turns.enter(entity(static_cast<std::uint8_t>(who)))] = who;
  };
  for (int i = 0; i < 100; ++i) enter(1);  // many sessions
  enter(2);
  enter(3);
  std::map<int, std::int64_t> served;
  double total = 0;
  for (int i = 0; i < 300; ++i) {
    const auto ticket = turns.next();
    ASSERT_TRUE(ticket.has_value());
    const int who = whose.at(*ticket);
    const nanoseconds work(who == 3 ? 3000 : 1000);  // large pieces
    served[who] += work.count();
    total += static_cast<double>(work.count());
    turns.charge(work);
    enter(who);
  }
  for (const int who : {1, 2, 3}) EXPECT_NEAR(static_cast<double>(served[who]), total / 3, 3000);
}

TEST(FairTurns, WhoeverAsksSeldomWaitsForOnePieceOfOthers) {
  FairTurns turns;
  for (std::uint8_t who = 1; who <= 100; ++who) {
    for (int i = 0; i < 10; ++i) turns.enter(entity(who));
  }
  for (int round = 0; round < 350; ++round) {
    ASSERT_TRUE(turns.next().has_value());
    turns.charge(FairTurns::kAhead);
  }
  // For as much as it may have ahead of others.
  for (int i = 0; i < 4; ++i) {
    const auto seldom = turns.enter(entity(200));
    ASSERT_EQ(turns.next(), seldom);
    turns.charge(FairTurns::kAhead / 4);
  }
  const auto now_often = turns.enter(entity(200));
  EXPECT_NE(turns.next(), now_often);
}

TEST(FairTurns, NobodyIsKeptWaitingForEver) {
  FairTurns turns;
  turns.enter(entity(1));
  (void)turns.next();
  turns.charge(10 * FairTurns::kAhead);
  const auto waiting = turns.enter(entity(1));
  // Fifty that come, each again as soon as it was served.
  std::map<FairTurns::Ticket, std::uint8_t> whose;
  for (std::uint8_t who = 2; who < 52; ++who) whose[turns.enter(entity(who))] = who;
  nanoseconds waited{};
  for (auto ticket = turns.next(); ticket != waiting; ticket = turns.next()) {
    turns.charge(nanoseconds(50'000));
    waited += nanoseconds(50'000);
    ASSERT_LT(waited, 50 * 12 * FairTurns::kAhead);
    const std::uint8_t who = whose.at(*ticket);
    whose[turns.enter(entity(who))] = who;
  }
}

TEST(FairTurns, WhoeverLeavesIsNotServedAndOthersOfTheEntityAre) {
  FairTurns turns;
  const auto first = turns.enter(entity(1));
  const auto second = turns.enter(entity(1));
  turns.leave(first);
  turns.leave(first);
  EXPECT_EQ(turns.next(), second);
  const auto third = turns.enter(entity(1));  // while it is being served
  turns.leave(third);
  turns.charge(nanoseconds(10));
  EXPECT_EQ(turns.next(), std::nullopt);
  EXPECT_EQ(turns.waiting(), 0U);
}

RC_GTEST_PROP(FairTurnsProperty, EachTicketIsServedOnceUnlessItLeft, ()) {
  FairTurns turns;
  std::set<FairTurns::Ticket> waiting;
  for (const auto step :
       *rc::gen::container<std::vector<std::uint8_t>>(300, rc::gen::arbitrary<std::uint8_t>())) {
    if (step % 3 == 0 && !waiting.empty()) {
      turns.leave(*waiting.begin());
      waiting.erase(waiting.begin());
    } else if (step % 3 == 1) {
      waiting.insert(turns.enter(entity(step % 7)));
    } else if (turns.serving()) {
      turns.charge(nanoseconds(step));
    } else if (const auto ticket = turns.next()) {
      RC_ASSERT(waiting.erase(*ticket) == 1U);
    } else {
      RC_ASSERT(waiting.empty());
    }
    RC_ASSERT(turns.waiting() == waiting.size());
  }
  if (turns.serving()) turns.charge(nanoseconds(1));
  while (const auto ticket = turns.next()) {
    RC_ASSERT(waiting.erase(*ticket) == 1U);
    turns.charge(nanoseconds(1));
  }
  RC_ASSERT(waiting.empty());
}

TEST(FairTurns, RemembersNoMoreThanItMust) {
  FairTurns turns;
  for (int i = 0; i < 10'000; ++i) {
    EntityKey key;
    key.bytes[0] = static_cast<std::uint8_t>(i);
    key.bytes[1] = static_cast<std::uint8_t>(i >> 8U);
    turns.enter(key);
    (void)turns.next();
    turns.charge(nanoseconds(1000));
  }
  EXPECT_LT(turns.remembered(), 100U);
}

}  // namespace
}  // namespace bw::syndication
