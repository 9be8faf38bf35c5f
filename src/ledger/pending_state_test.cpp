// SPDX-License-Identifier: Apache-2.0
#include "ledger/pending_state.hpp"

#include <gtest/gtest.h>

#include "ledger/testing/objects.hpp"

namespace bw::ledger {
namespace {

using testing::id;
using testing::kEarlier;
using testing::kNow;

// A pending run over a base that is a ledger itself.
class Pending : public ::testing::Test {
 protected:
  static void put(PendingState& state, const wave::Object& object) {
    const auto judged = admissible(object, state, kNow);
    ASSERT_TRUE(judged.has_value()) << judged.error().message;
    ASSERT_TRUE(state.add(object).has_value());
  }
  std::optional<ErrorCode> refusal(const wave::Object& object) const {
    const auto judged = admissible(object, run, kNow);
    return judged ? std::nullopt : std::optional(judged.error().code);
  }

  testing::EmptyState nothing;
  PendingState base{nothing};
  PendingState run{static_cast<const StateView&>(base)};
};

TEST_F(Pending, AnEntityAndItsFirstDotPassInOneRun) {
  EXPECT_EQ(refusal(testing::dot("ns", "alice")), ErrorCode::kNotFound);
  put(run, testing::entity("ns"));
  put(run, testing::dot("ns", "alice"));
}

TEST_F(Pending, ADotPassesOnceInARun) {
  put(base, testing::entity("ns"));
  put(run, testing::dot("ns", "alice"));
  EXPECT_EQ(refusal(testing::dot("ns", "alice")), ErrorCode::kConflict);
  EXPECT_FALSE((*base.dot_record(testing::dot("ns", "alice").id)).has_value());
}

TEST_F(Pending, TheFirstClaimOfAnAliasInARunWins) {
  put(base, testing::entity("alice"));
  put(base, testing::entity("bob"));
  put(run, testing::alias("alice", "hall", id("alice").bytes));
  EXPECT_EQ(refusal(testing::alias("bob", "hall", id("bob").bytes)), ErrorCode::kConflict);
  EXPECT_EQ((**run.alias("hall")).value.claimer, id("alice"));
  EXPECT_FALSE((*base.alias("hall")).has_value());
}

TEST_F(Pending, RenewalsAreSeenByTheNext) {
  put(base, testing::entity("alice"));
  put(run, testing::entity("alice", {.created = kEarlier + 5s, .revokers = {"bob"}}));
  EXPECT_EQ(refusal(testing::entity("alice", {.created = kEarlier + 5s})), ErrorCode::kConflict);
  EXPECT_EQ((**run.entity_record(id("alice"))).object.value.created, kEarlier + 5s);
  put(run, testing::entity("bob"));
  EXPECT_EQ(refusal(testing::revoke_entity("bob", "alice")), std::nullopt);
}

TEST_F(Pending, RevocationsCountAtOnce) {
  put(base, testing::entity("ns"));
  put(base, testing::entity("alice"));
  const auto stored = testing::dot("ns", "alice");
  put(base, stored);
  const auto fresh = testing::dot("ns", "alice", {.comment = "fresh"});
  put(run, fresh);
  // Of what is stored and of what is pending.
  for (const auto& dot : {stored, fresh}) {
    put(run, testing::revoke_dot("alice", dot.id));
    EXPECT_TRUE((**run.dot_record(dot.id)).revoked);
    EXPECT_EQ((**run.dot_record(dot.id)).object.bytes, dot.bytes);
    EXPECT_EQ(refusal(testing::revoke_dot("ns", dot.id)), ErrorCode::kConflict);
    EXPECT_EQ(refusal(dot), ErrorCode::kConflict);
  }
  put(run, testing::revoke_entity("ns", "ns"));
  EXPECT_EQ(refusal(testing::dot("ns", "bob")), ErrorCode::kRevoked);
  EXPECT_EQ(refusal(testing::entity("ns", {.created = kEarlier + 9s})), ErrorCode::kRevoked);
  EXPECT_EQ(refusal(testing::revoke_entity("ns", "alice")), ErrorCode::kRevoked);
  // The base knows nothing of it.
  EXPECT_FALSE((**base.dot_record(stored.id)).revoked);
  EXPECT_FALSE((**base.entity_record(id("ns"))).revoked);
}

TEST_F(Pending, NoncesRiseWithinARun) {
  for (const char* name : {"ns", "router"}) put(base, testing::entity(name));
  put(base, testing::offer("router", "ns", 3));
  EXPECT_EQ(*run.router_nonce(id("router")), 3U);
  put(run, testing::address("router", 4, "host:1"));
  EXPECT_EQ(refusal(testing::offer("router", "ns", 4, true)), ErrorCode::kConflict);
  put(run, testing::offer("router", "ns", 5, true));
  EXPECT_EQ(*run.router_nonce(id("router")), 5U);
  EXPECT_FALSE(*run.has_offer(id("router"), id("ns")));
  EXPECT_EQ(refusal(testing::acceptance("ns", "router", 1)), ErrorCode::kNotFound);
  put(run, testing::offer("router", "ns", 6));
  put(run, testing::acceptance("ns", "router", 1));
  EXPECT_EQ(refusal(testing::acceptance("ns", "router", 1, true)), ErrorCode::kConflict);
  EXPECT_EQ(*run.namespace_nonce(id("ns")), 1U);
  EXPECT_EQ(*base.namespace_nonce(id("ns")), 0U);
  EXPECT_EQ(*base.router_nonce(id("router")), 3U);
  EXPECT_TRUE(*base.has_offer(id("router"), id("ns")));
}

TEST_F(Pending, ClearingLeavesOnlyTheBase) {
  put(run, testing::entity("ns"));
  put(run, testing::dot("ns", "alice"));
  put(run, testing::alias("ns", "hall", {}));
  put(run, testing::offer("ns", "ns", 1));
  put(run, testing::acceptance("ns", "ns", 1));
  run.clear();
  EXPECT_FALSE((*run.entity_record(id("ns"))).has_value());
  EXPECT_FALSE((*run.dot_record(testing::dot("ns", "alice").id)).has_value());
  EXPECT_FALSE((*run.alias("hall")).has_value());
  EXPECT_EQ(*run.router_nonce(id("ns")), 0U);
  EXPECT_EQ(*run.namespace_nonce(id("ns")), 0U);
  EXPECT_FALSE(*run.has_offer(id("ns"), id("ns")));
}

}  // namespace
}  // namespace bw::ledger
