// SPDX-License-Identifier: Apache-2.0
#include "syndication/grant_cache.hpp"

#include <atomic>
#include <thread>

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
  EXPECT_EQ(cache.remembered(), 2U);
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
  EXPECT_EQ(cache.remembered(), 1U);
  EXPECT_EQ(cache.live(), 2U);
  EXPECT_EQ(*ask(cache, "bob", "a"), held);
  EXPECT_EQ(cache.live(), 1U);
  EXPECT_EQ(cache.changed({}, {&proofs["bob"]->dots[0].id, 1}).size(), 1);
  EXPECT_FALSE(held->valid);
  held.reset();
  EXPECT_EQ(cache.remembered(), 0U);
  EXPECT_EQ(cache.live(), 0U);
}

TEST_F(GrantCacheTest, OneGrantForAllThatIsAskedByOneProof) {
  GrantCache cache(world.graph, 1);
  const GrantPtr on_a = *ask(cache, "bob", "a");
  const GrantPtr on_b = *ask(cache, "bob", "b");
  const GrantPtr carols = *ask(cache, "carol", "a");
  EXPECT_EQ(on_a, on_b);
  EXPECT_NE(on_a, carols);
  EXPECT_EQ(cache.live(), 2U);
  EXPECT_EQ(cache.changed({}, {&proofs["bob"]->dots[0].id, 1}).size(), 1);
  EXPECT_FALSE(on_a->valid);
  const GrantPtr again = *ask(cache, "bob", "a");
  EXPECT_TRUE(again->valid);
  EXPECT_NE(again, on_a);
  EXPECT_EQ(*ask(cache, "bob", "b"), again);
}

TEST_F(GrantCacheTest, AYesToOneQuestionIsNoneToAnother) {
  proofs["bob"] = world.granted("bob", {.uri = "a/*"});
  GrantCache cache(world.graph, 10);
  EXPECT_TRUE(ask(cache, "bob", "a/b"));
  EXPECT_FALSE(ask(cache, "bob", "b"));
}

// The ledger's news come to the cache a moment after they are in the ledger: what is asked in
// between must not hide, from the news after that, who got an older yes.
TEST_F(GrantCacheTest, OlderYesIsToldOfChangesBesideANewerOne) {
  GrantCache cache(world.graph, 10);
  world.graph.add_entity(world.id("bob"), world.now, world.now + 10s);
  const GrantPtr older = *ask(cache, "bob", "a");
  world.graph.add_entity(world.id("bob"), world.now, world.now + 20s);
  const GrantPtr newer = *ask(cache, "bob", "b");
  ASSERT_NE(newer, older);
  EXPECT_EQ(*ask(cache, "bob", "b"), newer);
  const auto invalid = cache.changed({}, {&proofs["bob"]->dots[0].id, 1});
  EXPECT_EQ(invalid.size(), 2U);
  EXPECT_FALSE(older->valid);
  EXPECT_FALSE(newer->valid);
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

// Another thread's change comes between the question and the answer.
class ChangedWhileAsked final : public wave::AuthorityView {
 public:
  explicit ChangedWhileAsked(wave::testing::MemoryGraph& graph) : graph_(graph) {}
  Result<std::optional<wave::EntityStatus>> entity(const EntityKey& key) const override {
    return graph_.entity(key);
  }
  Result<std::optional<wave::DotStatus>> dot(const ObjectId& id) const override {
    const auto as_it_was = graph_.dot(id);
    if (meanwhile) std::exchange(meanwhile, {})();
    return as_it_was;
  }
  Time heard_at() const override { return graph_.heard_at(); }
  Duration max_staleness(const EntityKey& ns) const override { return graph_.max_staleness(ns); }

  mutable std::function<void()> meanwhile;

 private:
  wave::testing::MemoryGraph& graph_;
};

TEST_F(GrantCacheTest, YesFromBeforeAChangeIsNotKept) {
  ChangedWhileAsked authority(world.graph);
  GrantCache cache(authority, 10);
  proofs["bob"] = world.granted("bob");
  const ObjectId dot = proofs["bob"]->dots[0].id;
  authority.meanwhile = [&] {
    world.graph.revoke_dot(dot);
    EXPECT_TRUE(cache.changed({}, {&dot, 1}).empty());
  };
  const auto asked = ask(cache, "bob", "a");
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().code, ErrorCode::kRevoked);
  EXPECT_EQ(cache.live(), 0U);
}

// For a thread sanitizer above all: grants are asked for, invalidated and let go on many threads.
TEST_F(GrantCacheTest, ManyThreadsShareOne) {
  GrantCache cache(world.graph, 3);
  std::vector<ObjectId> dots;
  for (const char* who : {"bob", "carol"}) {
    proofs[who] = world.granted(who);
    dots.push_back(proofs[who]->dots[0].id);
  }
  std::atomic<int> served{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 500; ++round) {
        const GrantPtr grant = *ask(cache, round % 2 == 0 ? "bob" : "carol",
                                    std::string(1, static_cast<char>('a' + round % 5)));
        served += grant->grant.dots.empty() ? 0 : 1;
      }
    });
  }
  for (int round = 0; round < 200; ++round) (void)cache.changed({}, dots);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(served, 1500);
  (void)cache.changed({}, dots);
  EXPECT_EQ(cache.live(), 0U);
}

}  // namespace
}  // namespace bw::syndication
