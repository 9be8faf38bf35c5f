// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <ranges>
#include <set>

#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "crypto/merkle.hpp"
#include "ledger/ledger.hpp"
#include "ledger/testing/objects.hpp"

// What every ledger must do, whatever is behind it. A test program includes this once and says
//   INSTANTIATE_TEST_SUITE_P(Embedded, LedgerConformance, ::testing::Values(factory));
namespace bw::ledger::testing {

// One ledger, empty, and a node that follows it; and another for whoever asks.
class LedgerUnderTest {
 public:
  virtual ~LedgerUnderTest() = default;
  // Submits from the node that follows.
  virtual Ledger& ledger() = 0;
  // Submits from the other node, which is there from the first call on.
  virtual Ledger& other_ledger() = 0;
  // The DoTs that the readers of each node find; once other_ledger() was called.
  virtual std::array<std::vector<ObjectId>, 2> grants(const EntityKey& ns,
                                                      const EntityKey& grantee) = 0;
  // What the follower took so far, in order.
  virtual std::vector<Bytes> followed() = 0;
  // The ledger's own time, whole seconds.
  virtual Time now() = 0;
  // Lets everything run until `done`; false when that never comes.
  virtual bool run_until(const std::function<bool()>& done) = 0;
};
using LedgerFactory = std::function<std::unique_ptr<LedgerUnderTest>()>;

class LedgerConformance : public ::testing::TestWithParam<LedgerFactory> {
 protected:
  using Outcomes = Result<std::vector<Submitted>>;

  using Answer = std::shared_ptr<std::optional<Outcomes>>;

  static Answer begin(Ledger& ledger, std::vector<Bytes> objects) {
    auto answer = std::make_shared<std::optional<Outcomes>>();
    ledger.submit(std::move(objects), [answer](Outcomes outcomes) {
      EXPECT_FALSE(answer->has_value()) << "answered twice";
      *answer = std::move(outcomes);
    });
    return answer;
  }
  Outcomes submit_bytes(std::vector<Bytes> objects) {
    const Answer answer = begin(under_->ledger(), std::move(objects));
    if (!under_->run_until([&] { return answer->has_value(); })) {
      return fail(ErrorCode::kInternal, "no answer");
    }
    return **answer;
  }
  Outcomes submit(const std::vector<wave::Object>& objects) {
    return submit_bytes(all_bytes(objects));
  }

  // The error code for one object alone; nothing when it was taken.
  std::optional<ErrorCode> refusal(const Bytes& object) {
    const Outcomes outcomes = submit_bytes({object});
    if (!outcomes) return outcomes.error().code;
    EXPECT_EQ(outcomes->size(), 1U);
    if (outcomes->front().index) return std::nullopt;
    EXPECT_FALSE(outcomes->front().refusal.message.empty());
    return outcomes->front().refusal.code;
  }
  std::optional<ErrorCode> refusal(const wave::Object& object) {
    return refusal(to_bytes(wave::bytes_of(object)));
  }

  void take(const wave::Object& object) { ASSERT_EQ(refusal(object), std::nullopt); }

  bool follower_has(std::size_t entries) {
    return under_->run_until([&] { return under_->followed().size() >= entries; });
  }

  // The same all through a test, while the ledger's own time may go on.
  [[nodiscard]] Time past() const { return start_ - 3600s; }
  wave::Signed<wave::Entity> somebody(std::string_view name, Time expires = kNever) {
    return entity(name, {.created = past(), .expires = expires});
  }
  wave::Signed<wave::Dot> grant(std::string_view from, std::string_view to, DotTerms terms = {}) {
    terms.created = past();
    return dot(from, to, terms);
  }

  std::unique_ptr<LedgerUnderTest> under_ = GetParam()();
  const Time start_ = under_->now();
};

TEST_P(LedgerConformance, TakesEntriesInOrderAndServesThemAsTheyWere) {
  const std::vector<wave::Object> objects{somebody("ns"), somebody("alice"), grant("ns", "alice")};
  const Outcomes outcomes = submit(objects);
  ASSERT_TRUE(outcomes.has_value()) << outcomes.error().message;
  ASSERT_EQ(outcomes->size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ((*outcomes)[i].index, i);
  ASSERT_TRUE(follower_has(3));
  EXPECT_EQ(under_->followed(), all_bytes(objects));
}

TEST_P(LedgerConformance, RefusesWhatIsNotWellFormedOrNotSigned) {
  const Bytes good = somebody("ns").bytes;
  EXPECT_EQ(refusal(to_bytes("no object")), ErrorCode::kUnsupported);
  EXPECT_EQ(refusal(Bytes(good.begin(), good.end() - 1)), ErrorCode::kMalformed);
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_EQ(refusal(longer), ErrorCode::kMalformed);
  Bytes forged = good;
  forged.back() ^= 1U;
  EXPECT_EQ(refusal(forged), ErrorCode::kBadSignature);
  EXPECT_EQ(refusal(good), std::nullopt);
}

TEST_P(LedgerConformance, RefusesWhatIsOutOfTime) {
  take(somebody("ns"));
  const Time now = under_->now();
  EXPECT_EQ(refusal(somebody("late", now - 10s)), ErrorCode::kExpired);
  EXPECT_EQ(refusal(grant("ns", "alice", {.expires = now - 10s})), ErrorCode::kExpired);
  const Time ahead = now + limits::kClockSkew + 600s;
  EXPECT_EQ(refusal(entity("early", {.created = ahead})), ErrorCode::kExpired);
  EXPECT_EQ(refusal(dot("ns", "alice", {.created = ahead})), ErrorCode::kExpired);
}

TEST_P(LedgerConformance, HoldsSignersToBeRegisteredAndUnrevoked) {
  EXPECT_EQ(refusal(grant("stranger", "alice")), ErrorCode::kNotFound);
  EXPECT_EQ(refusal(alias("stranger", "hall", {}, past())), ErrorCode::kNotFound);
  take(somebody("ns"));
  take(revoke_entity("ns", "ns", past()));
  EXPECT_EQ(refusal(grant("ns", "alice")), ErrorCode::kRevoked);
  EXPECT_EQ(refusal(entity("ns", {.created = past() + 60s})), ErrorCode::kRevoked);
}

TEST_P(LedgerConformance, TakesEachDotOnce) {
  take(somebody("ns"));
  const auto dot = grant("ns", "alice");
  take(dot);
  EXPECT_EQ(refusal(dot), ErrorCode::kConflict);
}

// Whether the second is told that it is there or the log has it twice is the ledger's affair.
TEST_P(LedgerConformance, DotPutByTwoAtOnceIsOneForReaders) {
  take(somebody("ns"));
  const std::array<Ledger*, 2> ledgers{&under_->ledger(), &under_->other_ledger()};
  const auto both_hold = [&](std::uint64_t entries) {
    return under_->run_until([&] {
      return std::ranges::all_of(ledgers,
                                 [&](Ledger* one) { return one->status().size >= entries; });
    });
  };
  ASSERT_TRUE(both_hold(1));
  const auto dot = grant("ns", "alice");
  for (const bool again : {false, true}) {
    const std::array answers{begin(*ledgers[0], {dot.bytes}), begin(*ledgers[1], {dot.bytes})};
    ASSERT_TRUE(under_->run_until([&] { return *answers[0] && *answers[1]; }));
    std::uint64_t taken = 0;
    for (const Answer& answer : answers) {
      const Outcomes& outcomes = **answer;
      ASSERT_TRUE(outcomes.has_value()) << outcomes.error().message;
      ASSERT_EQ(outcomes->size(), 1U);
      if (outcomes->front().index) {
        ++taken;
      } else {
        EXPECT_EQ(outcomes->front().refusal.code, ErrorCode::kConflict);
      }
    }
    if (again) {
      EXPECT_EQ(taken, 0U);
    } else {
      EXPECT_GE(taken, 1U);
      ASSERT_TRUE(both_hold(1 + taken));
    }
    for (const auto& found : under_->grants(id("ns"), id("alice"))) {
      EXPECT_EQ(found, std::vector{dot.id});
    }
  }
}

TEST_P(LedgerConformance, RenewsEntitiesForwardOnly) {
  take(somebody("ns"));
  EXPECT_EQ(refusal(somebody("ns")), ErrorCode::kConflict);
  EXPECT_EQ(refusal(entity("ns", {.created = past() - 1s})), ErrorCode::kConflict);
  EXPECT_EQ(refusal(entity("ns", {.created = past() + 1s})), std::nullopt);
}

TEST_P(LedgerConformance, LetsOnlyTheEntitledRevoke) {
  for (const char* name : {"ns", "alice", "mallory"}) take(somebody(name));
  const auto dot = grant("ns", "alice");
  EXPECT_EQ(refusal(revoke_dot("ns", dot.id, past())), ErrorCode::kNotFound);
  take(dot);
  EXPECT_EQ(refusal(revoke_dot("mallory", dot.id, past())), ErrorCode::kDenied);
  EXPECT_EQ(refusal(revoke_entity("mallory", "alice", past())), ErrorCode::kDenied);
  take(revoke_dot("alice", dot.id, past()));
  EXPECT_EQ(refusal(revoke_dot("ns", dot.id, past())), ErrorCode::kConflict);
}

TEST_P(LedgerConformance, GivesAnAliasToTheFirst) {
  for (const char* name : {"alice", "bob"}) take(somebody(name));
  take(alias("alice", "hall", id("alice").bytes, past()));
  EXPECT_EQ(refusal(alias("bob", "hall", id("bob").bytes, past())), ErrorCode::kConflict);
}

TEST_P(LedgerConformance, HoldsAffinityToItsOrder) {
  for (const char* name : {"ns", "router"}) take(somebody(name));
  const auto accepts = [&](bool retracted) {
    return acceptance("ns", "router", 1, retracted, 0, past());
  };
  EXPECT_EQ(refusal(accepts(false)), ErrorCode::kNotFound);
  take(offer("router", "ns", 5, false, past()));
  EXPECT_EQ(refusal(address("router", 5, "host:1", past())), ErrorCode::kConflict);
  take(address("router", 6, "host:1", past()));
  take(accepts(false));
  EXPECT_EQ(refusal(accepts(true)), ErrorCode::kConflict);
}

// What one entry of a submission does counts for the next, and a refused one leaves no gap.
TEST_P(LedgerConformance, JudgesEntriesOfOneSubmissionOneAfterTheOther) {
  const auto dot = grant("ns", "alice");
  const Outcomes outcomes =
      submit({grant("ns", "bob"), somebody("ns"), dot, dot, alias("ns", "hall", {}, past()),
              alias("ns", "hall", id("ns").bytes, past()), revoke_dot("ns", dot.id, past()),
              revoke_dot("ns", dot.id, past())});
  ASSERT_TRUE(outcomes.has_value()) << outcomes.error().message;
  ASSERT_EQ(outcomes->size(), 8U);
  const auto& all = *outcomes;
  EXPECT_EQ(all[0].refusal.code, ErrorCode::kNotFound);
  EXPECT_EQ(all[1].index, 0U);
  EXPECT_EQ(all[2].index, 1U);
  EXPECT_EQ(all[3].refusal.code, ErrorCode::kConflict);
  EXPECT_EQ(all[4].index, 2U);
  EXPECT_EQ(all[5].refusal.code, ErrorCode::kConflict);
  EXPECT_EQ(all[6].index, 3U);
  EXPECT_EQ(all[7].refusal.code, ErrorCode::kConflict);
  for (const std::size_t refused : {0U, 3U, 5U, 7U}) EXPECT_FALSE(all[refused].index);
  ASSERT_TRUE(follower_has(4));
  EXPECT_EQ(under_->followed().size(), 4U);
}

// One caller's rubbish must not cost the others their session.
TEST_P(LedgerConformance, HoldsSubmissionsToTheirLimits) {
  const Outcomes nothing = submit({});
  ASSERT_TRUE(nothing.has_value());
  EXPECT_TRUE(nothing->empty());
  EXPECT_EQ(refusal(Bytes{}), ErrorCode::kMalformed);
  EXPECT_EQ(refusal(Bytes(limits::kObjectBytes + 1)), ErrorCode::kTooLarge);
  EXPECT_EQ(refusal(Bytes(100'000)), ErrorCode::kTooLarge);
  const Outcomes many = submit_bytes(std::vector<Bytes>(limits::kLedgerBatchEntries + 1, Bytes(1)));
  ASSERT_FALSE(many.has_value());
  EXPECT_EQ(many.error().code, ErrorCode::kInvalidArgument);
  const Outcomes heavy =
      submit_bytes(std::vector<Bytes>(limits::kLedgerBatchEntries, Bytes(limits::kObjectBytes)));
  ASSERT_FALSE(heavy.has_value());
  EXPECT_EQ(heavy.error().code, ErrorCode::kTooLarge);
  take(somebody("ns"));
}

TEST_P(LedgerConformance, AnswersEachOfManyAtOnceAndGivesEachAPlace) {
  take(somebody("ns"));
  constexpr std::size_t kMany = 60;
  std::multiset<std::uint64_t> places;
  std::size_t answers = 0;
  for (std::size_t i = 0; i < kMany; ++i) {
    const auto dot = grant("ns", "alice", {.comment = std::to_string(i)});
    under_->ledger().submit({dot.bytes}, [&](Outcomes outcomes) {
      ++answers;
      ASSERT_TRUE(outcomes.has_value()) << outcomes.error().message;
      ASSERT_TRUE(outcomes->front().index.has_value()) << outcomes->front().refusal.message;
      places.insert(*outcomes->front().index);
    });
  }
  ASSERT_TRUE(under_->run_until([&] { return answers == kMany; }));
  std::multiset<std::uint64_t> expected;
  for (std::uint64_t i = 1; i <= kMany; ++i) expected.insert(i);
  EXPECT_EQ(places, expected);
  ASSERT_TRUE(follower_has(kMany + 1));
  EXPECT_EQ(answers, kMany);
}

TEST_P(LedgerConformance, StatusTellsSizeRootAndThatItSpeaks) {
  take(somebody("ns"));
  take(grant("ns", "alice"));
  ASSERT_TRUE(follower_has(2));
  ASSERT_TRUE(under_->run_until([&] { return under_->ledger().status().connected; }));
  const Status status = under_->ledger().status();
  EXPECT_FALSE(status.kind.empty());
  EXPECT_FALSE(status.where.empty());
  EXPECT_EQ(status.size, 2U);
  EXPECT_EQ(status.head, 2U);
  EXPECT_FALSE(status.trouble.has_value());
  EXPECT_LE(status.heard_at, under_->now() + limits::kClockSkew);
  EXPECT_GE(status.heard_at, under_->now() - limits::kDefaultStaleness);
  std::vector<Hash> leaves;
  for (const Bytes& entry : under_->followed()) leaves.push_back(crypto::leaf_hash(entry));
  EXPECT_EQ(status.root, crypto::merkle_root(leaves));
}

}  // namespace bw::ledger::testing
