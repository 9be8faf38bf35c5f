// SPDX-License-Identifier: Apache-2.0
#include "ledger/admission.hpp"

#include <gtest/gtest.h>

#include "ledger/pending_state.hpp"
#include "ledger/testing/objects.hpp"

namespace bw::ledger {
namespace {

using testing::id;
using testing::kEarlier;
using testing::kNow;

class Admission : public ::testing::Test {
 protected:
  Admission() {
    for (const char* name : {"ns", "alice", "bob", "carol", "router"}) put(testing::entity(name));
    put(testing::entity("expired", {.expires = kNow}));
    put(testing::entity("revoked"));
    put(testing::revoke_entity("revoked", "revoked"));
  }

  void put(const wave::Object& object) {
    // Judged at a time when "expired" was not.
    const auto judged = admissible(object, state_, kNow - 1s);
    ASSERT_TRUE(judged.has_value()) << judged.error().message;
    ASSERT_TRUE(state_.add(object).has_value());
  }
  // Nothing: admitted.
  std::optional<ErrorCode> refusal(const wave::Object& object, Time now = kNow) const {
    const auto judged = admissible(object, state_, now);
    if (judged) return std::nullopt;
    EXPECT_FALSE(judged.error().message.empty());
    return judged.error().code;
  }

  testing::EmptyState nothing_;
  PendingState state_{nothing_};
};

TEST_F(Admission, EntitiesRegisterThemselves) {
  EXPECT_EQ(refusal(testing::entity("dave")), std::nullopt);
}

TEST_F(Admission, NothingExpiredIsAdmitted) {
  EXPECT_EQ(refusal(testing::entity("dave", {.expires = kNow})), ErrorCode::kExpired);
  EXPECT_EQ(refusal(testing::entity("dave", {.expires = kNow + 1s})), std::nullopt);
  EXPECT_EQ(refusal(testing::dot("ns", "alice", {.expires = kNow})), ErrorCode::kExpired);
  EXPECT_EQ(refusal(testing::dot("ns", "alice", {.expires = kNow + 1s})), std::nullopt);
}

TEST_F(Admission, NothingFromTheFutureIsAdmitted) {
  const Time edge = kNow + limits::kClockSkew;
  EXPECT_EQ(refusal(testing::entity("dave", {.created = edge})), std::nullopt);
  EXPECT_EQ(refusal(testing::entity("dave", {.created = edge + 1s})), ErrorCode::kExpired);
  EXPECT_EQ(refusal(testing::dot("ns", "alice", {.created = edge + 1s})), ErrorCode::kExpired);
  EXPECT_EQ(refusal(testing::alias("alice", "a", {}, edge + 1s)), ErrorCode::kExpired);
}

TEST_F(Admission, EntitiesAreRenewedByLaterOnesOnly) {
  EXPECT_EQ(refusal(testing::entity("alice")), ErrorCode::kConflict);
  EXPECT_EQ(refusal(testing::entity("alice", {.created = kEarlier - 1s})), ErrorCode::kConflict);
  EXPECT_EQ(refusal(testing::entity("alice", {.created = kEarlier + 1s})), std::nullopt);
  EXPECT_EQ(refusal(testing::entity("expired", {.created = kEarlier + 1s})), std::nullopt);
  EXPECT_EQ(refusal(testing::entity("revoked", {.created = kEarlier + 1s})), ErrorCode::kRevoked);
}

TEST_F(Admission, EverySignerIsRegisteredAndLive) {
  const std::vector<std::pair<std::string_view, ErrorCode>> bad{{"stranger", ErrorCode::kNotFound},
                                                                {"expired", ErrorCode::kExpired},
                                                                {"revoked", ErrorCode::kRevoked}};
  for (const auto& [name, code] : bad) {
    EXPECT_EQ(refusal(testing::dot(name, "alice")), code);
    EXPECT_EQ(refusal(testing::revoke_dot(name, {})), code);
    EXPECT_EQ(refusal(testing::alias(name, "a", {})), code);
    EXPECT_EQ(refusal(testing::offer(name, "ns", 1)), code);
    EXPECT_EQ(refusal(testing::acceptance(name, "router", 1, true)), code);
    EXPECT_EQ(refusal(testing::address(name, 1, "host:1")), code);
  }
}

TEST_F(Admission, GrantersNeedNotHoldAndGranteesNeedNotBeRegistered) {
  EXPECT_EQ(refusal(testing::dot("alice", "stranger", {.ns = "another"})), std::nullopt);
}

TEST_F(Admission, ADotTwiceIsAConflictEvenWhenRevoked) {
  const auto dot = testing::dot("ns", "alice");
  put(dot);
  EXPECT_EQ(refusal(dot), ErrorCode::kConflict);
  put(testing::revoke_dot("ns", dot.id));
  EXPECT_EQ(refusal(dot), ErrorCode::kConflict);
}

TEST_F(Admission, DotsAreRevokedByThoseEntitled) {
  const auto dot = testing::dot("alice", "bob", {.revokers = {"carol"}});
  EXPECT_EQ(refusal(testing::revoke_dot("alice", dot.id)), ErrorCode::kNotFound);
  put(dot);
  for (const char* name : {"alice", "bob", "carol"}) {
    EXPECT_EQ(refusal(testing::revoke_dot(name, dot.id)), std::nullopt) << name;
  }
  EXPECT_EQ(refusal(testing::revoke_dot("ns", dot.id)), ErrorCode::kDenied);
  put(testing::revoke_dot("bob", dot.id));
  EXPECT_EQ(refusal(testing::revoke_dot("alice", dot.id)), ErrorCode::kConflict);
}

TEST_F(Admission, EntitiesAreRevokedByThoseEntitled) {
  put(testing::entity("dave", {.revokers = {"carol"}}));
  EXPECT_EQ(refusal(testing::revoke_entity("dave", "dave")), std::nullopt);
  EXPECT_EQ(refusal(testing::revoke_entity("carol", "dave")), std::nullopt);
  EXPECT_EQ(refusal(testing::revoke_entity("alice", "dave")), ErrorCode::kDenied);
  EXPECT_EQ(refusal(testing::revoke_entity("alice", "stranger")), ErrorCode::kNotFound);
  // The revokers are those of the latest put.
  put(testing::entity("dave", {.created = kEarlier + 1s, .revokers = {"alice"}}));
  EXPECT_EQ(refusal(testing::revoke_entity("carol", "dave")), ErrorCode::kDenied);
  put(testing::revoke_entity("alice", "dave"));
  EXPECT_EQ(refusal(testing::revoke_entity("alice", "dave")), ErrorCode::kConflict);
}

TEST_F(Admission, AnEntityCannotBeRevokedAsADotNorTheReverse) {
  const auto dot = testing::dot("alice", "bob");
  put(dot);
  EXPECT_EQ(refusal(testing::revoke_dot("alice", ObjectId{id("alice").bytes})),
            ErrorCode::kNotFound);
  wave::Revocation crossed;
  crossed.revoker = id("alice");
  crossed.target_kind = wave::Revocation::Target::kEntity;
  crossed.target = dot.id.bytes;
  crossed.created = kEarlier;
  EXPECT_EQ(refusal(testing::signed_by("alice", crossed)), ErrorCode::kNotFound);
}

TEST_F(Admission, AliasesGoToTheFirst) {
  put(testing::alias("alice", "hall", id("ns").bytes));
  EXPECT_EQ(refusal(testing::alias("bob", "hall", id("bob").bytes)), ErrorCode::kConflict);
  EXPECT_EQ(refusal(testing::alias("alice", "hall", id("ns").bytes)), ErrorCode::kConflict);
  EXPECT_EQ(refusal(testing::alias("bob", "hall2", id("ns").bytes)), std::nullopt);
}

TEST_F(Admission, RouterNoncesRiseOverOffersAndAddressesTogether) {
  put(testing::offer("router", "ns", 5));
  EXPECT_EQ(refusal(testing::offer("router", "alice", 5)), ErrorCode::kConflict);
  EXPECT_EQ(refusal(testing::address("router", 5, "host:1")), ErrorCode::kConflict);
  EXPECT_EQ(refusal(testing::address("router", 6, "host:1")), std::nullopt);
  put(testing::address("router", 9, "host:1"));
  EXPECT_EQ(refusal(testing::offer("router", "ns", 9, true)), ErrorCode::kConflict);
  EXPECT_EQ(refusal(testing::offer("router", "ns", 10, true)), std::nullopt);
}

TEST_F(Admission, AcceptingNeedsAStandingOfferOfALiveRouter) {
  EXPECT_EQ(refusal(testing::acceptance("ns", "router", 1)), ErrorCode::kNotFound);
  put(testing::offer("router", "ns", 1));
  EXPECT_EQ(refusal(testing::acceptance("ns", "router", 1)), std::nullopt);
  EXPECT_EQ(refusal(testing::acceptance("alice", "router", 1)), ErrorCode::kNotFound);
  put(testing::offer("router", "ns", 2, true));
  EXPECT_EQ(refusal(testing::acceptance("ns", "router", 1)), ErrorCode::kNotFound);
  // Taking back needs neither.
  EXPECT_EQ(refusal(testing::acceptance("ns", "router", 1, true)), std::nullopt);
  put(testing::offer("router", "ns", 3));
  put(testing::revoke_entity("router", "router"));
  EXPECT_EQ(refusal(testing::acceptance("ns", "router", 1)), ErrorCode::kRevoked);
}

TEST_F(Admission, NamespaceNoncesRise) {
  put(testing::offer("router", "ns", 1));
  put(testing::acceptance("ns", "router", 7));
  EXPECT_EQ(refusal(testing::acceptance("ns", "router", 7)), ErrorCode::kConflict);
  EXPECT_EQ(refusal(testing::acceptance("ns", "router", 3, true)), ErrorCode::kConflict);
  EXPECT_EQ(refusal(testing::acceptance("ns", "router", 8, true)), std::nullopt);
}

// Storage trouble is not a verdict.
class BrokenState final : public StateView {
 public:
  Result<std::optional<EntityRecord>> entity_record(const EntityKey&) const override {
    return fail(ErrorCode::kIo, "broken");
  }
  Result<std::optional<DotRecord>> dot_record(const ObjectId&) const override {
    return fail(ErrorCode::kIo, "broken");
  }
  Result<std::optional<wave::Signed<wave::Alias>>> alias(std::string_view) const override {
    return fail(ErrorCode::kIo, "broken");
  }
  Result<std::uint64_t> router_nonce(const EntityKey&) const override {
    return fail(ErrorCode::kIo, "broken");
  }
  Result<std::uint64_t> namespace_nonce(const EntityKey&) const override {
    return fail(ErrorCode::kIo, "broken");
  }
  Result<bool> has_offer(const EntityKey&, const EntityKey&) const override {
    return fail(ErrorCode::kIo, "broken");
  }
};

TEST(AdmissionOnBrokenStorage, PassesTheErrorOn) {
  const BrokenState broken;
  const std::vector<wave::Object> objects{testing::entity("alice"),
                                          testing::dot("ns", "alice"),
                                          testing::revoke_dot("ns", {}),
                                          testing::alias("ns", "a", {}),
                                          testing::offer("router", "ns", 1),
                                          testing::acceptance("ns", "router", 1),
                                          testing::address("router", 1, "host:1")};
  for (const wave::Object& object : objects) {
    const auto judged = admissible(object, broken, kNow);
    ASSERT_FALSE(judged.has_value());
    EXPECT_EQ(judged.error().code, ErrorCode::kIo);
  }
}

}  // namespace
}  // namespace bw::ledger
