// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/submitter_queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ledger/testing/objects.hpp"
#include "ledger_ethereum/submitter_memory.hpp"
#include "ledger_ethereum/testing/known_map.hpp"

namespace bw::ledger_ethereum {
namespace {

using ledger::Submitted;
using ledger::testing::dot;
using ledger::testing::entity;
using ledger::testing::kNow;
using ::testing::HasSubstr;

using Judged = SubmissionQueue::Judged;

class SubmissionQueueTest : public ::testing::Test {
 protected:
  using Answer = std::shared_ptr<std::optional<Result<std::vector<Submitted>>>>;
  Answer add(std::vector<Judged> objects, Time deadline = kNow + 60s) {
    auto answer = std::make_shared<std::optional<Result<std::vector<Submitted>>>>();
    queue_->add(std::move(objects), deadline, [answer](Result<std::vector<Submitted>> outcomes) {
      EXPECT_FALSE(answer->has_value()) << "answered twice";
      *answer = std::move(outcomes);
    });
    queue_->deliver();
    return answer;
  }
  static Submitted stands(std::uint64_t index) { return {.index = index, .refusal = {}}; }
  static Submitted refused() {
    return {.index = std::nullopt, .refusal = {ErrorCode::kNotFound, "no"}};
  }

  std::unique_ptr<SubmissionQueue> queue_ = std::make_unique<SubmissionQueue>();
};

TEST_F(SubmissionQueueTest, AnswersWhenTheLastOutcomeIsKnown) {
  const Judged bad = fail(ErrorCode::kMalformed, "bad");
  const auto answer = add({entity("a"), bad, entity("b")});
  EXPECT_EQ(queue_->entries(), 2U);
  const auto first = queue_->take();
  const auto second = queue_->take();
  EXPECT_TRUE(queue_->empty());
  EXPECT_EQ(queue_->bytes(), 0U);
  queue_->settle(second, refused());
  queue_->deliver();
  EXPECT_FALSE(answer->has_value());
  queue_->settle(first, stands(7));
  EXPECT_FALSE(answer->has_value());
  queue_->deliver();
  ASSERT_TRUE(answer->has_value());
  EXPECT_EQ((***answer)[0].index, 7U);
  EXPECT_EQ((***answer)[1].refusal.code, ErrorCode::kMalformed);
  EXPECT_EQ((***answer)[2].refusal.code, ErrorCode::kNotFound);
  EXPECT_TRUE(queue_->idle());
}

TEST_F(SubmissionQueueTest, PutsBackInOrderBeforeAllThatWait) {
  add({entity("a"), entity("b"), entity("c")});
  const std::vector items{queue_->take(), queue_->take()};
  queue_->put_back(items);
  for (const char* name : {"a", "b", "c"}) {
    EXPECT_EQ(wave::signer_of(queue_->take()->object), ledger::testing::id(name));
  }
}

TEST_F(SubmissionQueueTest, KeepsWhatIsKnownWhenTheDeadlinePasses) {
  const auto half = add({entity("a"), entity("b")}, kNow + 10s);
  const auto nothing = add({entity("c")}, kNow + 10s);
  const auto later = add({entity("d")}, kNow + 20s);
  queue_->settle(queue_->take(), stands(3));
  queue_->expire(kNow + 10s, "the moon is full");
  queue_->deliver();
  EXPECT_EQ((***half)[0].index, 3U);
  EXPECT_EQ((***half)[1].refusal.code, ErrorCode::kUnavailable);
  EXPECT_EQ((**nothing).error().code, ErrorCode::kUnavailable);
  EXPECT_THAT((**nothing).error().message, HasSubstr("moon"));
  EXPECT_FALSE(later->has_value());
  EXPECT_EQ(queue_->entries(), 1U);  // nobody waits for the others
}

// One caller's deadline does not take away what another waits for.
TEST_F(SubmissionQueueTest, ADotStaysWhileAnybodyWaitsForIt) {
  const auto grant = dot("ns", "alice");
  const auto first = add({grant}, kNow + 10s);
  const auto second = add({grant}, kNow + 20s);
  queue_->expire(kNow + 10s, "late");
  queue_->deliver();
  EXPECT_TRUE(first->has_value());
  ASSERT_EQ(queue_->entries(), 1U);
  queue_->settle(queue_->take(), stands(1));
  queue_->deliver();
  EXPECT_EQ((***second)[0].refusal.code, ErrorCode::kConflict);
  add({grant});
  EXPECT_EQ(queue_->entries(), 1U);
}

TEST_F(SubmissionQueueTest, IsFullInEntriesAndHasRoomAgain) {
  const std::vector<Judged> many(1024, Judged(entity("a")));
  for (std::size_t taken = 0; taken < kOwedEntries; taken += many.size()) {
    ASSERT_FALSE(add(many)->has_value());
    while (!queue_->empty()) queue_->take();  // sent, and still owed
  }
  const auto refusal = add({entity("b")});
  EXPECT_EQ((**refusal).error().code, ErrorCode::kLimited);
  queue_->expire(kNow + 60s, "late");
  queue_->deliver();
  EXPECT_FALSE(add({entity("b")})->has_value());
}

// What waits for the same DoT costs memory, too.
TEST_F(SubmissionQueueTest, IsFullOfTheSameDot) {
  const std::vector<Judged> many(1024, Judged(dot("ns", "alice")));
  std::size_t taken = 0;
  while (!add(many)->has_value()) {
    taken += many.size();
    ASSERT_LE(taken, kOwedEntries);
  }
  EXPECT_EQ(queue_->entries(), 1U);
}

TEST_F(SubmissionQueueTest, AnswersOnceHoweverItEnds) {
  const auto waiting = add({entity("a")});
  const auto sent = add({entity("b")});
  queue_->take();
  bool again = false;
  queue_->add({Judged(entity("c"))}, kNow + 60s, [&](auto outcomes) {
    EXPECT_FALSE(outcomes.has_value());
    queue_->add({Judged(entity("d"))}, kNow + 60s, [&](auto late) {
      EXPECT_EQ(late.error().code, ErrorCode::kUnavailable);
      again = true;
    });
  });
  queue_->close("the end");
  queue_->deliver();
  EXPECT_TRUE(again);
  for (const auto& answer : {waiting, sent, add({entity("e")})}) {
    ASSERT_TRUE(answer->has_value());
    EXPECT_EQ((**answer).error().code, ErrorCode::kUnavailable);
  }
  const auto last = add({});
  queue_.reset();
  EXPECT_TRUE(last->has_value());
}

TEST(SubmitterMemory, KnowsTheLatestPutOfAnEntity) {
  testing::KnownMap known;
  SubmitterMemory memory(known);
  const auto old = entity("alice", {.created = kNow});
  const auto newer = entity("alice", {.created = kNow + 1s});
  EXPECT_FALSE(memory.entity(old.value.key).has_value());
  memory.remember(old);
  EXPECT_EQ(memory.entity(old.value.key), old.bytes);
  known.put(newer.bytes);
  EXPECT_EQ(memory.entity(old.value.key), newer.bytes);
  memory.remember(newer);
  known.put(old.bytes);
  EXPECT_EQ(memory.entity(old.value.key), newer.bytes);
}

TEST(SubmitterMemory, ForgetsTheOldestAtItsLimit) {
  testing::KnownMap known;
  SubmitterMemory memory(known);
  const auto first = dot("ns", "alice", {.comment = "first"});
  const auto second = dot("ns", "alice", {.comment = "second"});
  const auto renewed = entity("alice", {.created = kNow + 1s});
  memory.remember(first);
  memory.remember(entity("alice", {.created = kNow}));
  const auto filler = dot("ns", "bob");
  const std::size_t most = SubmitterMemory::kRememberedBytes / filler.bytes.size();
  for (std::size_t i = 0; i < most / 2; ++i) memory.remember(filler);
  memory.remember(second);
  memory.remember(renewed);
  for (std::size_t i = 0; i < most / 2; ++i) memory.remember(filler);
  EXPECT_FALSE(memory.dot(first.id).has_value());
  EXPECT_EQ(memory.dot(second.id), second.bytes);
  EXPECT_EQ(memory.entity(renewed.value.key), renewed.bytes);
  known.put(first.bytes);
  EXPECT_EQ(memory.dot(first.id), first.bytes);
}

}  // namespace
}  // namespace bw::ledger_ethereum
