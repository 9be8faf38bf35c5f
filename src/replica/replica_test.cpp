// SPDX-License-Identifier: Apache-2.0
#include "replica/replica.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "ledger/pending_state.hpp"
#include "ledger/testing/objects.hpp"
#include "store/testing/authority_probe.hpp"

namespace bw::replica {
namespace {

namespace lt = ledger::testing;
using lt::id;
using lt::kEarlier;
using lt::kNow;

class FixedClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override { return at; }
  Time at = kNow;
};

struct Node {
  store::testing::TempDirectory directory;
  std::unique_ptr<store::AuthorityStore> store = store::testing::opened_store(directory.path());
  FixedClock clock;
  Replica replica{*store, clock, false};
};

class ReplicaTest : public ::testing::Test {
 protected:
  ReplicaTest() { node.replica.heard(kNow); }

  Result<void> append(const std::vector<wave::Object>& objects) {
    return node.replica.append(lt::all_bytes(objects));
  }
  void take(const std::vector<wave::Object>& objects) {
    const auto taken = append(objects);
    ASSERT_TRUE(taken.has_value()) << taken.error().message;
  }
  // Refused as a whole, naming the position of the bad entry.
  void expect_refused(const std::vector<Bytes>& entries, ErrorCode code, std::uint64_t at) {
    const std::uint64_t before = node.replica.size();
    const auto appended = node.replica.append(entries);
    ASSERT_FALSE(appended.has_value());
    EXPECT_EQ(appended.error().code, code) << appended.error().message;
    const std::string position = fmt::format("a bad entry at {}:", at);
    EXPECT_NE(appended.error().message.find(position), std::string::npos)
        << appended.error().message;
    EXPECT_EQ(node.replica.size(), before);
  }
  void expect_refused(const std::vector<wave::Object>& objects, ErrorCode code, std::uint64_t at) {
    expect_refused(lt::all_bytes(objects), code, at);
  }
  static wave::Request wants(std::string_view who, std::string_view on = "a/b",
                             std::string_view what = "P") {
    return {id(who), id("ns"), *wave::Pattern::parse(on), *wave::Permissions::parse(what)};
  }
  Result<Replica::Found> find(const wave::Request& request, Time now = kNow) {
    return node.replica.find_proof(request, now);
  }

  Node node;
  Replica& replica = node.replica;
};

TEST_F(ReplicaTest, TakesWhatAnHonestLedgerServes) {
  take({lt::entity("ns"), lt::entity("alice")});
  take({lt::dot("ns", "alice"), lt::alias("alice", "hall", id("ns").bytes)});
  EXPECT_EQ(replica.size(), 4U);
  EXPECT_TRUE((*replica.entity(id("alice"))).has_value());
}

TEST_F(ReplicaTest, RefusesRunsWithABadEntryAndSaysWhich) {
  take({lt::entity("ns"), lt::entity("alice"), lt::entity("mallory")});
  const auto good = lt::dot("ns", "alice");
  auto forged = lt::entity("bob").bytes;
  forged.back() ^= 1U;
  expect_refused({good.bytes, to_bytes("\x01")}, ErrorCode::kMalformed, 4);
  expect_refused({good.bytes, good.bytes, forged}, ErrorCode::kBadSignature, 5);
  expect_refused({lt::dot("stranger", "alice")}, ErrorCode::kNotFound, 3);
  expect_refused({good, lt::revoke_dot("mallory", good.id)}, ErrorCode::kDenied, 4);
  expect_refused({lt::revoke_entity("mallory", "ns")}, ErrorCode::kDenied, 3);
  expect_refused({lt::alias("ns", "hall", {}), lt::alias("alice", "hall", {})},
                 ErrorCode::kConflict, 4);
  expect_refused({lt::offer("ns", "alice", 2), lt::address("ns", 2, "host:1")},
                 ErrorCode::kConflict, 4);
  expect_refused({lt::revoke_entity("ns", "ns"), good}, ErrorCode::kRevoked, 4);
  EXPECT_FALSE((*replica.dot(good.id)).has_value()) << "a refused run leaves nothing";
}

TEST_F(ReplicaTest, ADotTwiceIsHarmless) {
  const auto dot = lt::dot("ns", "alice");
  take({lt::entity("ns"), lt::entity("alice"), dot, dot});
  take({dot});
  EXPECT_EQ(replica.size(), 5U);
  EXPECT_TRUE(find(wants("alice")).has_value());
  // Nor does it bring a revoked one back.
  take({lt::revoke_dot("ns", dot.id), dot});
  EXPECT_TRUE((**replica.dot(dot.id)).revoked);
  EXPECT_FALSE(find(wants("alice")).has_value());
}

TEST_F(ReplicaTest, ShowsWhatItHoldsForComparison) {
  const std::vector<wave::Object> objects{lt::entity("ns"), lt::entity("alice"),
                                          lt::dot("ns", "alice")};
  take(objects);
  const auto all = lt::all_bytes(objects);
  EXPECT_EQ(*replica.read(0, 1'000'000), all);
  EXPECT_EQ(*replica.read(1, 1), std::vector<Bytes>(1, all[1]));
  EXPECT_TRUE(replica.read(3, 1000)->empty());
  crypto::Frontier two;
  two.add(crypto::leaf_hash(all[0]));
  two.add(crypto::leaf_hash(all[1]));
  EXPECT_EQ(replica.tree(2)->root(), two.root());
}

TEST_F(ReplicaTest, EntriesThatExpiredLongAgoAreStillTaken) {
  take({lt::entity("ns", {.created = kNow - 5000s, .expires = kNow - 3000s}),
        lt::dot("ns", "alice", {.created = kNow - 4000s, .expires = kNow - 3500s})});
  EXPECT_EQ(replica.size(), 2U);
}

// ---- news

TEST_F(ReplicaTest, ListenersHearWhatChangedUntilForgotten) {
  std::vector<ledger::Effects> heard;
  const auto listener = replica.listen([&](const auto& effects) { heard.push_back(effects); });
  take({lt::entity("ns"), lt::entity("alice")});
  const auto dot = lt::dot("ns", "alice");
  take({dot});
  take({lt::revoke_dot("alice", dot.id)});
  ASSERT_EQ(heard.size(), 3U);
  EXPECT_EQ(heard[0].entities.size(), 2U);
  EXPECT_EQ(heard[1].granted_in, std::vector{id("ns")});
  EXPECT_EQ(heard[2].revoked_dots, std::vector{dot.id});
  EXPECT_FALSE(append({lt::dot("stranger", "alice")}).has_value());
  EXPECT_EQ(heard.size(), 3U);
  replica.forget(listener);
  take({lt::entity("bob")});
  EXPECT_EQ(heard.size(), 3U);
}

// ---- proofs

TEST_F(ReplicaTest, TheNamespaceNeedsNoProof) {
  const auto found = find(wants("ns"));
  ASSERT_TRUE(found.has_value());
  EXPECT_TRUE(found->proof->dots.empty());
  EXPECT_EQ(found->hash, wave::proof_hash({}));
}

TEST_F(ReplicaTest, FindsPathsAndSaysWhenThereIsNone) {
  take({lt::entity("ns"), lt::entity("alice"), lt::entity("bob")});
  const auto first = lt::dot("ns", "alice", {.on = "a/*", .ttl = 1});
  const auto second = lt::dot("alice", "bob", {.on = "a/b"});
  take({first, second});
  const auto found = find(wants("bob"));
  ASSERT_TRUE(found.has_value()) << found.error().message;
  ASSERT_EQ(found->proof->dots.size(), 2U);
  EXPECT_EQ(found->proof->dots[0].id, first.id);
  EXPECT_EQ(found->proof->dots[1].id, second.id);
  EXPECT_EQ(found->hash, wave::proof_hash(*found->proof));
  EXPECT_TRUE(wave::authorize(wants("bob"), *found->proof, replica, kNow).has_value());
  const auto denied = find(wants("bob", "a/c"));
  ASSERT_FALSE(denied.has_value());
  EXPECT_EQ(denied.error().code, ErrorCode::kDenied);
  EXPECT_NE(denied.error().message.find("a/c"), std::string::npos);
}

TEST_F(ReplicaTest, ProofsAreRememberedUntilTheirPathChanges) {
  take({lt::entity("ns"), lt::entity("alice"), lt::entity("bob")});
  const auto first = lt::dot("ns", "alice", {.on = "a/*", .ttl = 1});
  const auto second = lt::dot("alice", "bob");
  const auto aside = lt::dot("ns", "bob", {.on = "elsewhere"});
  take({first, second, aside});
  const auto found = find(wants("bob"));
  ASSERT_TRUE(found.has_value());
  // Not by what happens beside it: another grant, revocation, entity.
  take({lt::entity("carol"), lt::dot("ns", "carol"), lt::revoke_dot("ns", aside.id)});
  EXPECT_EQ(find(wants("bob"))->proof, found->proof) << "found again without a search";
  // By a renewal on it, which may bring another expiry.
  take({lt::entity("alice", {.created = kEarlier + 1s, .expires = kNow + 10s})});
  const auto renewed = find(wants("bob"));
  ASSERT_TRUE(renewed.has_value());
  EXPECT_NE(renewed->proof, found->proof);
  EXPECT_FALSE(find(wants("bob"), kNow + 10s).has_value());
  EXPECT_TRUE(find(wants("bob")).has_value());
  take({lt::revoke_dot("alice", second.id)});
  const auto denied = find(wants("bob"));
  ASSERT_FALSE(denied.has_value());
  EXPECT_EQ(denied.error().code, ErrorCode::kDenied);
}

TEST_F(ReplicaTest, ALaterGrantTurnsANoIntoAYes) {
  take({lt::entity("ns"), lt::entity("alice")});
  EXPECT_FALSE(find(wants("alice")).has_value());
  take({lt::dot("ns", "alice")});
  EXPECT_TRUE(find(wants("alice")).has_value());
}

TEST_F(ReplicaTest, ProofsExpireWithTheirPath) {
  take({lt::entity("ns"), lt::entity("alice"), lt::dot("ns", "alice", {.expires = kNow + 5s})});
  EXPECT_TRUE(find(wants("alice"), kNow + 4s).has_value());
  EXPECT_FALSE(find(wants("alice"), kNow + 5s).has_value());
}

// ---- names, freshness

TEST_F(ReplicaTest, ResolvesKeysAndAliases) {
  take({lt::entity("ns"), lt::alias("ns", "hall", id("ns").bytes)});
  EXPECT_EQ(replica.resolve("hall"), id("ns"));
  EXPECT_EQ(replica.resolve(id("alice").text()), id("alice"));
  for (const char* unknown : {"nobody", "", "Not A Name", "\x1b[31m"}) {
    const auto resolved = replica.resolve(unknown);
    ASSERT_FALSE(resolved.has_value());
    EXPECT_EQ(resolved.error().code, ErrorCode::kNotFound);
    EXPECT_EQ(resolved.error().message.find('\x1b'), std::string::npos);
  }
}

TEST_F(ReplicaTest, IsAsFreshAsTheLedgerSpoke) {
  EXPECT_EQ(replica.heard_at(), kNow);
  replica.heard(kNow - 70s);
  EXPECT_EQ(replica.heard_at(), kNow - 70s);
  replica.heard(Time{});  // not trusted any more
  EXPECT_EQ(replica.heard_at(), Time{});
  take({lt::entity("ns"), lt::entity("alice"), lt::dot("ns", "alice")});
  const auto stale = find(wants("alice"));
  ASSERT_FALSE(stale.has_value());
  EXPECT_EQ(stale.error().code, ErrorCode::kStale);
  Replica local(*node.store, node.clock, true);
  EXPECT_EQ(local.heard_at(), kNow);
  EXPECT_TRUE(local.find_proof(wants("alice"), kNow).has_value());
}

TEST_F(ReplicaTest, TheNamespaceChoosesHowStaleIsTooStale) {
  EXPECT_EQ(replica.max_staleness(id("ns")), limits::kDefaultStaleness);
  take({lt::entity("ns"), lt::entity("router"), lt::offer("router", "ns", 1),
        lt::acceptance("ns", "router", 1, false, 7)});
  EXPECT_EQ(replica.max_staleness(id("ns")), 7s);
  EXPECT_EQ(replica.max_staleness(id("router")), limits::kDefaultStaleness);
}

// ---- whatever an honest ledger admitted, whenever that was

// Objects of a few people at times around `now`, many of them inadmissible.
wave::Object any_object(Time now, const std::vector<ObjectId>& dots) {
  const auto seconds = [](int least, int most) {
    return std::chrono::seconds(*rc::gen::inRange(least, most));
  };
  const auto name = rc::gen::element<std::string_view>("ns", "alice", "bob");
  const std::string_view who = *name;
  const std::string_view whom = *name;
  const Time created = now + seconds(-100, 90);
  switch (*rc::gen::inRange(0, 6)) {
    case 0:
    case 1:
      return lt::entity(
          who, {.created = created, .expires = created + seconds(1, 400), .revokers = {whom}});
    case 2:
      return lt::dot(who, who == whom ? "everyone" : whom,
                     {.created = created, .expires = created + seconds(1, 200)});
    case 3:
      if (!dots.empty()) return lt::revoke_dot(who, *rc::gen::elementOf(dots), created);
      return lt::revoke_entity(who, whom, created);
    case 4:
      return lt::alias(who, *rc::gen::element<std::string>("hall", "door", "roof"), {}, created);
    default:
      return lt::revoke_entity(who, whom, created);
  }
}

RC_GTEST_PROP(ReplicaProperty, TakesWhateverAnHonestLedgerAdmittedAtAnyTime, ()) {
  const lt::EmptyState nothing;
  ledger::PendingState honest(nothing);
  std::vector<Bytes> entries;
  std::vector<ObjectId> dots;
  Time now = kNow;
  const int steps = *rc::gen::inRange(1, 120);
  for (int i = 0; i < steps; ++i) {
    now += std::chrono::seconds(*rc::gen::inRange(0, 30));
    const wave::Object object = any_object(now, dots);
    if (!ledger::admissible(object, honest, now)) continue;
    RC_ASSERT(honest.add(object).has_value());
    entries.push_back(to_bytes(wave::bytes_of(object)));
    if (wave::kind_of(object) == wave::Kind::kDot) dots.push_back(wave::id_of(object));
  }
  RC_CLASSIFY(entries.size() > 10);
  Node node;
  for (std::size_t begin = 0; begin < entries.size();) {
    const std::size_t end = std::min(entries.size(), begin + *rc::gen::inRange<std::size_t>(1, 20));
    const auto taken = node.replica.append({entries.begin() + static_cast<std::ptrdiff_t>(begin),
                                            entries.begin() + static_cast<std::ptrdiff_t>(end)});
    if (!taken) RC_FAIL(taken.error().message);
    begin = end;
  }
  RC_ASSERT(node.replica.size() == entries.size());
}

class SuspectedRevocations : public ReplicaTest {
 protected:
  SuspectedRevocations() {
    replica.listen([this](const ledger::Effects& effects) { heard.push_back(effects); });
  }

  wave::Signed<wave::Dot> grant = lt::dot("ns", "alice");
  std::vector<ledger::Effects> heard;
};

TEST_F(SuspectedRevocations, ActWithoutBeingHeldUntilTheyAreLifted) {
  take({lt::entity("ns"), lt::entity("alice"), grant});
  ASSERT_TRUE(find(wants("alice")).has_value());
  ASSERT_TRUE(replica.suspect({lt::revoke_dot("ns", grant.id).bytes}).has_value());
  EXPECT_EQ(find(wants("alice")).error().code, ErrorCode::kDenied);
  EXPECT_TRUE((*replica.dot(grant.id))->revoked);
  EXPECT_EQ(heard.back().revoked_dots, std::vector{grant.id});
  ASSERT_TRUE(replica.suspect({}).has_value());
  EXPECT_TRUE(find(wants("alice")).has_value());
  EXPECT_EQ(heard.back().granted_in, std::vector{id("ns")});
}

TEST_F(SuspectedRevocations, OfOneGrantLeaveAnotherPath) {
  const auto second = lt::dot("ns", "alice", {.comment = "second"});
  take({lt::entity("ns"), lt::entity("alice"), grant, second});
  ASSERT_TRUE(replica.suspect({lt::revoke_dot("alice", grant.id).bytes}).has_value());
  const auto found = find(wants("alice"));
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(found->proof->dots.front().id, second.id);
}

TEST_F(SuspectedRevocations, OfEntitiesStopThem) {
  take({lt::entity("ns"), lt::entity("alice"), grant});
  ASSERT_TRUE(replica.suspect({lt::revoke_entity("alice", "alice").bytes}).has_value());
  EXPECT_EQ(find(wants("alice")).error().code, ErrorCode::kDenied);
  EXPECT_EQ(heard.back().entities, std::vector{id("alice")});
}

TEST_F(SuspectedRevocations, CountOnlyFromWhoIsEntitledAndSigned) {
  take({lt::entity("ns"), lt::entity("alice"), lt::entity("mallory"), grant});
  ASSERT_TRUE(replica
                  .suspect({lt::revoke_dot("mallory", grant.id).bytes,
                            lt::revoke_entity("mallory", "alice").bytes,
                            lt::revoke_dot("ns", lt::dot("ns", "unheard of").id).bytes})
                  .has_value());
  EXPECT_TRUE(find(wants("alice")).has_value());
  Bytes forged = lt::revoke_dot("ns", grant.id).bytes;
  forged.back() ^= 1U;
  EXPECT_EQ(replica.suspect({forged}).error().code, ErrorCode::kBadSignature);
  EXPECT_EQ(replica.suspect({grant.bytes}).error().code, ErrorCode::kMalformed);
  EXPECT_TRUE(find(wants("alice")).has_value());
}

TEST_F(SuspectedRevocations, AreAdmittedLikeAnyOther) {
  const auto revocation = lt::revoke_dot("ns", grant.id);
  take({lt::entity("ns"), lt::entity("alice"), grant});
  ASSERT_TRUE(replica.suspect({revocation.bytes}).has_value());
  take({revocation});
  ASSERT_TRUE(replica.suspect({}).has_value());
  EXPECT_EQ(find(wants("alice")).error().code, ErrorCode::kDenied);
}

TEST(WithdrawnEntries, TakeTheirGrantsWithThem) {
  store::testing::TempDirectory directory;
  const auto store = *store::AuthorityStore::open(directory.path(), {.undo_entries = 100});
  FixedClock clock;
  Replica replica{*store, clock, false};
  replica.heard(kNow);
  std::vector<ledger::Effects> heard;
  replica.listen([&](const ledger::Effects& effects) { heard.push_back(effects); });
  const auto dot = lt::dot("ns", "alice");
  const wave::Request wanted{id("alice"), id("ns"), *wave::Pattern::parse("a/b"),
                             *wave::Permissions::parse("P")};
  ASSERT_TRUE(replica.append(lt::all_bytes({lt::entity("ns"), lt::entity("alice")})).has_value());
  ASSERT_TRUE(replica.append({dot.bytes}).has_value());
  ASSERT_TRUE(replica.find_proof(wanted, kNow).has_value());
  ASSERT_TRUE(replica.rewind(2).has_value());
  EXPECT_EQ(replica.size(), 2U);
  EXPECT_EQ(heard.back().revoked_dots, std::vector{dot.id});
  EXPECT_EQ(replica.find_proof(wanted, kNow).error().code, ErrorCode::kDenied);
  ASSERT_TRUE(replica.append({dot.bytes}).has_value());
  EXPECT_TRUE(replica.find_proof(wanted, kNow).has_value());
}

}  // namespace
}  // namespace bw::replica
