// SPDX-License-Identifier: Apache-2.0
#include "store/authority_store.hpp"

#include <gtest/gtest.h>

#include "store/testing/authority_probe.hpp"

namespace bw::store {
namespace {

using ledger::testing::acceptance;
using ledger::testing::address;
using ledger::testing::alias;
using ledger::testing::dot;
using ledger::testing::entity;
using ledger::testing::id;
using ledger::testing::kEarlier;
using ledger::testing::kNow;
using ledger::testing::offer;
using ledger::testing::revoke_dot;
using ledger::testing::revoke_entity;
using testing::dots_of;
using testing::ids_of;
using Keys = std::vector<EntityKey>;

class Authority : public ::testing::Test {
 protected:
  ledger::Effects put(const std::vector<wave::Object>& objects) {
    return testing::put(*store_, objects);
  }
  static wave::Pattern pattern(std::string_view text) { return *wave::Pattern::parse(text); }

  testing::TempDirectory directory_;
  std::unique_ptr<AuthorityStore> store_ = testing::opened_store(directory_.path());
};

TEST_F(Authority, KnowsNothingAtFirst) {
  EXPECT_EQ(store_->log().size(), 0U);
  EXPECT_FALSE(store_->entity_status(id("alice"))->has_value());
  EXPECT_FALSE(store_->dot_status({})->has_value());
  EXPECT_FALSE(store_->object({})->has_value());
  EXPECT_FALSE(store_->alias("hall")->has_value());
  EXPECT_FALSE(store_->designated_router(id("ns"), kNow)->has_value());
  EXPECT_TRUE(dots_of(store_->all_granted_by(id("ns"))).empty());
  EXPECT_EQ(*store_->max_staleness_s(id("ns")), 0U);
  EXPECT_TRUE(put({}).entities.empty());
}

TEST_F(Authority, EntitiesAreRegisteredRenewedAndRevoked) {
  const auto first = entity("alice", {.created = kEarlier, .expires = kNow});
  EXPECT_EQ(put({first}).entities, Keys{id("alice")});
  const auto later = entity("alice", {.created = kEarlier + 5s});
  EXPECT_EQ(put({later}).entities, Keys{id("alice")});
  // An older one that comes late changes nothing.
  EXPECT_TRUE(put({entity("alice", {.created = kEarlier + 4s})}).entities.empty());
  auto status = **store_->entity_status(id("alice"));
  EXPECT_EQ(status.created, kEarlier + 5s);
  EXPECT_EQ(status.expires, kNever);
  EXPECT_FALSE(status.revoked);
  EXPECT_EQ((*store_->entity_record(id("alice")))->object.bytes, later.bytes);

  EXPECT_EQ(put({revoke_entity("alice", "alice")}).entities, Keys{id("alice")});
  EXPECT_TRUE((*store_->entity_status(id("alice")))->revoked);
  EXPECT_TRUE(put({entity("alice", {.created = kEarlier + 9s})}).entities.empty());
  EXPECT_TRUE((*store_->entity_record(id("alice")))->revoked);
  EXPECT_EQ((*store_->entity_record(id("alice")))->object.bytes, later.bytes);
  EXPECT_EQ(store_->counts().entities, 1U);
  EXPECT_EQ(store_->counts().revocations, 1U);
}

TEST_F(Authority, OneAppendMayBuildOnItself) {
  const auto grant = dot("ns", "alice");
  const auto effects = put({entity("ns"), grant, grant, revoke_dot("ns", grant.id), entity("bob"),
                            revoke_entity("bob", "bob"), offer("r", "ns", 1),
                            acceptance("ns", "r", 1), address("r", 2, "host:1")});
  EXPECT_EQ(effects.revoked_dots, ids_of(grant));
  EXPECT_EQ(effects.granted_in, Keys{id("ns")});
  EXPECT_EQ(effects.affinity, Keys{id("ns")});
  EXPECT_EQ(effects.entities.size(), 2U);
  EXPECT_TRUE((*store_->dot_status(grant.id))->revoked);
  EXPECT_TRUE(dots_of(store_->all_granted_by(id("ns"))).empty());
  EXPECT_TRUE((*store_->entity_status(id("bob")))->revoked);
  EXPECT_EQ(store_->counts().dots, 1U);
  EXPECT_EQ(store_->log().size(), 9U);
}

TEST_F(Authority, ADotTwiceIsOneEdgeAndNoNews) {
  const auto grant = dot("ns", "alice");
  EXPECT_EQ(put({grant}).granted_in, Keys{id("ns")});
  EXPECT_TRUE(put({grant}).granted_in.empty());
  EXPECT_EQ(dots_of(store_->granted_to(id("ns"), id("alice"))), ids_of(grant));
  put({revoke_dot("ns", grant.id)});
  EXPECT_TRUE(put({grant}).granted_in.empty());
  EXPECT_TRUE(dots_of(store_->granted_to(id("ns"), id("alice"))).empty());
  EXPECT_TRUE((*store_->dot_record(grant.id))->revoked);
  EXPECT_EQ((*store_->dot_record(grant.id))->object.bytes, grant.bytes);
  EXPECT_EQ(store_->log().size(), 4U);
}

TEST_F(Authority, RevocationsByStrangersChangeNothing) {
  const auto grant = dot("ns", "alice", {.revokers = {"carol"}});
  put({entity("ns"), grant});
  EXPECT_TRUE(put({revoke_dot("bob", grant.id), revoke_dot("bob", {})}).revoked_dots.empty());
  EXPECT_TRUE(put({revoke_entity("bob", "ns"), revoke_entity("bob", "dave")}).entities.empty());
  EXPECT_FALSE((*store_->dot_status(grant.id))->revoked);
  EXPECT_FALSE((*store_->entity_status(id("ns")))->revoked);
  EXPECT_EQ(put({revoke_dot("carol", grant.id)}).revoked_dots, ids_of(grant));
  EXPECT_TRUE(put({revoke_dot("ns", grant.id)}).revoked_dots.empty());
}

TEST_F(Authority, AliasesGoToTheFirstBothWays) {
  const auto hall = alias("alice", "hall", id("ns").bytes);
  put({hall, alias("bob", "hall", id("bob").bytes), alias("bob", "lobby", id("ns").bytes)});
  EXPECT_EQ((*store_->alias("hall"))->bytes, hall.bytes);
  EXPECT_EQ((*store_->alias("lobby"))->value.claimer, id("bob"));
  EXPECT_FALSE(store_->alias("hal")->has_value());
  EXPECT_EQ(*store_->alias_of(id("ns").bytes), "hall");
  EXPECT_FALSE(store_->alias_of(id("bob").bytes)->has_value());
  EXPECT_EQ(store_->counts().aliases, 2U);
}

TEST_F(Authority, FindsAnyObjectByIdWithItsPosition) {
  const auto old_alice = entity("alice");
  const auto alice = entity("alice", {.created = kEarlier + 1s});
  const auto grant = dot("ns", "alice");
  const std::vector<wave::Object> objects{old_alice,
                                          alice,
                                          grant,
                                          revoke_dot("ns", grant.id),
                                          alias("alice", "hall", {}),
                                          offer("r", "ns", 1),
                                          acceptance("ns", "r", 1),
                                          address("r", 2, "host:1")};
  put(objects);
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const auto found = *store_->object(wave::id_of(objects[i]));
    ASSERT_TRUE(found.has_value()) << i;
    EXPECT_EQ(found->index, i);
    EXPECT_TRUE(std::ranges::equal(wave::bytes_of(found->object), wave::bytes_of(objects[i])));
  }
  EXPECT_EQ((*store_->object(ObjectId{id("alice").bytes}))->index, 1U);
  // The same first eight bytes are not the same id.
  ObjectId close = wave::id_of(objects[3]);
  close.bytes[31] ^= 1U;
  EXPECT_FALSE(store_->object(close)->has_value());
}

TEST_F(Authority, DesignatesTheRouterThatBothSidesChose) {
  put({entity("ns"), entity("r"), entity("s"), address("r", 1, "host:1")});
  EXPECT_TRUE(put({offer("r", "ns", 2), offer("s", "ns", 1)}).affinity.empty());
  Keys both{id("r"), id("s")};
  std::ranges::sort(both);
  EXPECT_EQ(*store_->offers_to(id("ns")), both);
  EXPECT_FALSE(store_->designated_router(id("ns"), kNow)->has_value());

  EXPECT_EQ(put({acceptance("ns", "r", 5, false, 90)}).affinity, Keys{id("ns")});
  auto chosen = **store_->designated_router(id("ns"), kNow);
  EXPECT_EQ(chosen.router, id("r"));
  EXPECT_EQ(chosen.address, "host:1");
  EXPECT_EQ(chosen.max_staleness_s, 90U);
  EXPECT_EQ(*store_->max_staleness_s(id("ns")), 90U);
  EXPECT_EQ(*store_->namespace_nonce(id("ns")), 5U);
  EXPECT_EQ(*store_->router_nonce(id("r")), 2U);

  // Only what concerns the designated router is news.
  EXPECT_TRUE(put({address("s", 2, "other:1")}).affinity.empty());
  EXPECT_EQ(put({address("r", 3, "host:2")}).affinity, Keys{id("ns")});
  EXPECT_EQ((*store_->designated_router(id("ns"), kNow))->address, "host:2");
  // Old nonces change nothing.
  EXPECT_TRUE(put({address("r", 3, "host:3"), acceptance("ns", "s", 5)}).affinity.empty());
  EXPECT_EQ((*store_->designated_router(id("ns"), kNow))->address, "host:2");

  // Another choice; then the old router no longer matters.
  EXPECT_EQ(put({acceptance("ns", "s", 6)}).affinity, Keys{id("ns")});
  EXPECT_EQ((*store_->designated_router(id("ns"), kNow))->router, id("s"));
  EXPECT_TRUE(put({address("r", 4, "host:4")}).affinity.empty());
}

TEST_F(Authority, DesignationEndsWithEitherSide) {
  put({entity("ns"), entity("r"), offer("r", "ns", 1), acceptance("ns", "r", 1, false, 7)});
  ASSERT_TRUE(store_->designated_router(id("ns"), kNow)->has_value());

  EXPECT_EQ(put({offer("r", "ns", 2, true)}).affinity, Keys{id("ns")});
  EXPECT_FALSE(store_->designated_router(id("ns"), kNow)->has_value());
  EXPECT_TRUE(store_->offers_to(id("ns"))->empty());
  EXPECT_EQ(put({offer("r", "ns", 3)}).affinity, Keys{id("ns")});
  EXPECT_TRUE(store_->designated_router(id("ns"), kNow)->has_value());

  EXPECT_EQ(put({acceptance("ns", "r", 2, true)}).affinity, Keys{id("ns")});
  EXPECT_FALSE(store_->designated_router(id("ns"), kNow)->has_value());
  EXPECT_EQ(*store_->max_staleness_s(id("ns")), 7U);
  EXPECT_TRUE(put({address("r", 4, "host:1")}).affinity.empty());
}

TEST_F(Authority, DesignationIsVoidWhileAPartyIsNotLive) {
  put({entity("ns", {.expires = kNow + 10s}), entity("r", {.expires = kNow + 20s}),
       offer("r", "ns", 1), acceptance("ns", "r", 1), address("r", 2, "host:1")});
  EXPECT_TRUE(store_->designated_router(id("ns"), kNow + 9s)->has_value());
  EXPECT_FALSE(store_->designated_router(id("ns"), kNow + 10s)->has_value());
  EXPECT_EQ(put({entity("ns", {.created = kEarlier + 1s})}).affinity, Keys{id("ns")});
  EXPECT_TRUE(store_->designated_router(id("ns"), kNow + 19s)->has_value());
  EXPECT_TRUE(store_->router_address(id("r"), kNow + 19s)->has_value());
  EXPECT_FALSE(store_->designated_router(id("ns"), kNow + 20s)->has_value());
  EXPECT_FALSE(store_->router_address(id("r"), kNow + 20s)->has_value());
  EXPECT_EQ(put({revoke_entity("r", "r")}).affinity, Keys{id("ns")});
  EXPECT_FALSE(store_->designated_router(id("ns"), kNow)->has_value());
}

TEST_F(Authority, GrantedByTakesTheLiteralPrefixesAndNothingElse) {
  const auto all = dot("ns", "alice", {.on = "*"});
  const auto a = dot("ns", "alice", {.on = "a/*"});
  const auto a_concrete = dot("ns", "alice", {.on = "a"});
  const auto ab = dot("ns", "alice", {.on = "a/b/+/c"});
  const auto abc = dot("ns", "alice", {.on = "a/b/c"});
  const auto longer = dot("ns", "alice", {.on = "a/bb/*"});
  const auto plus = dot("ns", "alice", {.on = "+/b"});
  const auto other_ns = dot("ns", "alice", {.ns = "other", .on = "a/*"});
  const auto other_granter = dot("bob", "alice", {.on = "a/*"});
  put({all, a, a_concrete, ab, abc, longer, plus, other_ns, other_granter});
  const auto by = [&](std::string_view text) {
    return dots_of(store_->granted_by(id("ns"), id("ns"), pattern(text)));
  };
  EXPECT_EQ(by("*"), ids_of(all, plus));
  EXPECT_EQ(by("a"), ids_of(all, plus, a, a_concrete));
  EXPECT_EQ(by("a/b/*"), ids_of(all, plus, a, a_concrete, ab));
  EXPECT_EQ(by("a/b/c"), ids_of(all, plus, a, a_concrete, ab, abc));
  EXPECT_EQ(by("a/bb"), ids_of(all, plus, a, a_concrete, longer));
  EXPECT_EQ(by("ab/c"), ids_of(all, plus));
}

TEST_F(Authority, EdgesCarryWhatTheDotSays) {
  auto value = ledger::testing::unsigned_dot("ns", "alice", {.on = "a/+", .ttl = 3});
  value.conditions = {1, 2};
  const auto grant = ledger::testing::signed_by("ns", value);
  put({grant});
  const auto edges = testing::drain(store_->between(id("ns"), id("ns"), id("alice")));
  ASSERT_EQ(edges.size(), 1U);
  const wave::Edge& edge = edges.begin()->second;
  EXPECT_EQ(edge.dot, grant.id);
  EXPECT_EQ(edge.ns, id("ns"));
  EXPECT_EQ(edge.granter, id("ns"));
  EXPECT_EQ(edge.grantee, id("alice"));
  EXPECT_EQ(edge.pattern.text(), "a/+");
  EXPECT_EQ(edge.permissions, value.permissions);
  EXPECT_EQ(edge.ttl, 3);
  EXPECT_EQ(edge.expires, value.expires);
  EXPECT_EQ(edge.not_before, value.not_before);
  EXPECT_TRUE(edge.has_conditions);
}

// Somebody may grind keys of which the first eight bytes are those of a victim.
TEST_F(Authority, KeysThatBeginAlikeAreKeptApart) {
  const auto close_to = [](EntityKey key) {
    key.bytes[20] ^= 1U;
    return key;
  };
  const auto made = [&](bool close_ns, bool close_grantee) {
    auto value = ledger::testing::unsigned_dot("ns", "alice");
    if (close_ns) value.ns = close_to(value.ns);
    if (close_grantee) value.grantee = close_to(value.grantee);
    return ledger::testing::signed_by("ns", std::move(value));
  };
  const auto plain = made(false, false);
  const auto in_close_ns = made(true, false);
  const auto to_close = made(false, true);
  put({in_close_ns, plain, to_close, made(true, true)});
  EXPECT_EQ(dots_of(store_->granted_by(id("ns"), id("ns"), pattern("*"))), ids_of(plain, to_close));
  EXPECT_EQ(dots_of(store_->granted_to(id("ns"), id("alice"))), ids_of(plain));
  EXPECT_EQ(dots_of(store_->between(id("ns"), id("ns"), id("alice"))), ids_of(plain));
  EXPECT_EQ(dots_of(store_->all_granted_to(id("alice"))), ids_of(plain, in_close_ns));
  EXPECT_TRUE(dots_of(store_->all_granted_by(close_to(id("ns")))).empty());
}

TEST_F(Authority, ACursorSeesTheStoreAsItWas) {
  const auto first = dot("ns", "alice", {.on = "a"});
  const auto second = dot("ns", "alice", {.on = "b"});
  put({first, second});
  auto cursor = store_->all_granted_by(id("ns"));
  put({revoke_dot("ns", first.id), dot("ns", "alice", {.on = "c"})});
  EXPECT_EQ(dots_of(std::move(cursor)), ids_of(first, second));
}

TEST_F(Authority, IsOpenedByOneAtATime) {
  const auto second = AuthorityStore::open(directory_.path());
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
}

}  // namespace
}  // namespace bw::store
