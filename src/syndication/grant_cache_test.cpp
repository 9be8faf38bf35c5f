// SPDX-License-Identifier: Apache-2.0
#include "syndication/grant_cache.hpp"

#include <gtest/gtest.h>

#include "syndication/testing/router_world.hpp"

namespace bw::syndication {
namespace {

using testing::ProofPtr;
using testing::World;

class GrantCacheTest : public ::testing::Test {
 protected:
  Result<GrantPtr, wave::Denial> ask(GrantCache& cache, const std::string& who,
                                     const std::string& uri) {
    ProofPtr& proof = proofs[who];
    if (proof == nullptr) proof = world.granted(who);
    const wave::Request request{world.id(who), world.id("ns"), testing::pattern(uri),
                                *wave::Permissions::parse("P")};
    return cache.authorize(request, wave::proof_hash(*proof), *proof, world.now);
  }

  World world;
  std::map<std::string, ProofPtr> proofs;
};

TEST_F(GrantCacheTest, RemembersAYesForTheSameRequestOnly) {
  GrantCache cache(world.graph, 10);
  const GrantPtr first = *ask(cache, "bob", "a");
  world.graph.break_with(Error{ErrorCode::kIo, "not to be asked"});
  EXPECT_EQ(*ask(cache, "bob", "a"), first);
  EXPECT_FALSE(ask(cache, "bob", "b"));
}

TEST_F(GrantCacheTest, ForgetsTheLeastRecentlyUsed) {
  GrantCache cache(world.graph, 2);
  (void)ask(cache, "bob", "a");
  (void)ask(cache, "bob", "b");
  (void)ask(cache, "bob", "a");
  (void)ask(cache, "bob", "c");
  EXPECT_EQ(cache.size(), 2);
  world.graph.break_with(Error{ErrorCode::kIo, "not to be asked"});
  EXPECT_TRUE(ask(cache, "bob", "a"));
  EXPECT_TRUE(ask(cache, "bob", "c"));
  EXPECT_FALSE(ask(cache, "bob", "b"));
}

TEST_F(GrantCacheTest, ChangeInvalidatesExactlyWhatRestsOnIt) {
  GrantCache cache(world.graph, 10);
  const GrantPtr bobs = *ask(cache, "bob", "a");
  const GrantPtr carols = *ask(cache, "carol", "a");
  const auto invalid = cache.changed({}, {&proofs["bob"]->dots[0].id, 1});
  ASSERT_EQ(invalid.size(), 1);
  EXPECT_EQ(invalid[0], bobs);
  EXPECT_FALSE(bobs->valid);
  EXPECT_TRUE(carols->valid);
  EXPECT_NE(*ask(cache, "bob", "a"), bobs);
  EXPECT_EQ(cache.changed({&world.id("ns"), 1}, {}).size(), 2);
  EXPECT_FALSE(carols->valid);
  EXPECT_TRUE(cache.changed({&world.id("ns"), 1}, {}).empty());
}

TEST_F(GrantCacheTest, HeldGrantsAreToldEvenAfterEviction) {
  GrantCache cache(world.graph, 1);
  GrantPtr held = *ask(cache, "bob", "a");
  (void)ask(cache, "carol", "a");
  EXPECT_EQ(cache.size(), 2);
  EXPECT_EQ(*ask(cache, "bob", "a"), held);
  EXPECT_EQ(cache.changed({}, {&proofs["bob"]->dots[0].id, 1}).size(), 1);
  EXPECT_FALSE(held->valid);
  held.reset();
  EXPECT_EQ(cache.size(), 0);
}

TEST_F(GrantCacheTest, GrantsByOneProofShareWhatTheyRestOn) {
  GrantCache cache(world.graph, 1);
  const GrantPtr on_a = *ask(cache, "bob", "a");
  const GrantPtr on_b = *ask(cache, "bob", "b");
  const GrantPtr carols = *ask(cache, "carol", "a");
  EXPECT_EQ(&on_a->grant, &on_b->grant);
  EXPECT_NE(&on_a->grant, &carols->grant);
  EXPECT_EQ(cache.changed({}, {&proofs["bob"]->dots[0].id, 1}).size(), 2);
  EXPECT_FALSE(on_a->valid || on_b->valid);
  const GrantPtr again = *ask(cache, "bob", "a");
  EXPECT_TRUE(again->valid);
  EXPECT_NE(&again->grant, &on_a->grant);
  EXPECT_EQ(&(*ask(cache, "bob", "b"))->grant, &again->grant);
}

TEST_F(GrantCacheTest, UsableUntilExpiryOrStaleness) {
  proofs["bob"] = world.granted("bob", {.expires = world.now + 10s});
  GrantCache cache(world.graph, 10);
  const GrantPtr grant = *ask(cache, "bob", "a");
  EXPECT_TRUE(cache.usable(*grant, world.now + 9s));
  EXPECT_FALSE(cache.usable(*grant, world.now + 10s));
  const GrantPtr carols = *ask(cache, "carol", "a");
  EXPECT_TRUE(cache.usable(*carols, world.now + limits::kDefaultStaleness));
  EXPECT_FALSE(cache.usable(*carols, world.now + limits::kDefaultStaleness + 1us));
  world.pass(10s);
  EXPECT_EQ(ask(cache, "bob", "a").error().code, ErrorCode::kExpired);
  EXPECT_EQ(*ask(cache, "carol", "a"), carols);
}

TEST_F(GrantCacheTest, GrantsOutliveTheCache) {
  GrantPtr grant;
  {
    GrantCache cache(world.graph, 10);
    grant = *ask(cache, "bob", "a");
  }
  EXPECT_TRUE(grant->valid);
}

}  // namespace
}  // namespace bw::syndication
