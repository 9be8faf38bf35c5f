// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "store/authority_index.hpp"
#include "store/testing/authority_probe.hpp"
#include "store/testing/small_world.hpp"

namespace bw::store {
namespace {

using ledger::testing::dot;
using ledger::testing::entity;
using ledger::testing::id;
using ledger::testing::revoke_dot;
using ledger::testing::revoke_entity;
namespace fs = std::filesystem;

constexpr std::uint64_t kUndoEntries = 400;

std::unique_ptr<AuthorityStore> opened(const fs::path& directory,
                                       std::uint64_t undo_entries = kUndoEntries) {
  auto store = AuthorityStore::open(directory, {.undo_entries = undo_entries});
  EXPECT_TRUE(store.has_value()) << store.error().message;
  return store ? *std::move(store) : nullptr;
}

// Every row of a closed store's index, but for those that rewind() itself needs.
std::map<std::string, std::string> rows_of(const fs::path& directory) {
  auto index = AuthorityIndex::open(directory / "index", {});
  EXPECT_TRUE(index.has_value());
  std::map<std::string, std::string> rows;
  const auto cursor = (*index)->iterate();
  for (cursor->SeekToFirst(); cursor->Valid(); cursor->Next()) {
    const std::string key = cursor->key().ToString();
    if (key.front() != table::kUndo) rows.emplace(key, cursor->value().ToString());
  }
  return rows;
}

std::vector<wave::Object> random_run(testing::SmallWorld& world, std::size_t count) {
  std::vector<wave::Object> run;
  while (run.size() < count) {
    run.push_back(world.any_object());
    if (const auto* dot = std::get_if<wave::Signed<wave::Dot>>(&run.back())) world.learn(*dot);
  }
  return run;
}

class RandomRewind : public ::testing::TestWithParam<std::uint64_t> {};

// Whatever came after them, in runs of whatever length, the first entries alone give the same rows.
TEST_P(RandomRewind, LeavesWhatTheFirstEntriesAloneWouldHaveMade) {
  testing::SmallWorld world(GetParam());
  const std::vector<wave::Object> all = random_run(world, 300);
  std::mt19937_64 random(GetParam());
  for (int round = 0; round < 4; ++round) {
    const std::size_t kept = random() % all.size();
    const testing::TempDirectory longer;
    const testing::TempDirectory plain;
    {
      const auto store = opened(longer.path());
      for (std::size_t at = 0; at < all.size();) {
        const std::size_t run = std::min<std::size_t>(1 + random() % 40, all.size() - at);
        testing::put(*store, {all.begin() + static_cast<std::ptrdiff_t>(at),
                              all.begin() + static_cast<std::ptrdiff_t>(at + run)});
        at += run;
      }
      ASSERT_TRUE(store->rewind(kept).has_value());
      EXPECT_EQ(store->log().size(), kept);
      const auto first = opened(plain.path());
      testing::put(*first, {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept)});
      EXPECT_EQ(store->log().root(), first->log().root());
      EXPECT_EQ(store->counts().dots, first->counts().dots);
      EXPECT_EQ(store->counts().revocations, first->counts().revocations);
    }
    EXPECT_EQ(rows_of(longer.path()), rows_of(plain.path()));
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomRewind, ::testing::Range<std::uint64_t>(1, 7));

class Rewind : public ::testing::Test {
 protected:
  Rewind() { testing::put(*store_, {entity("ns"), entity("alice"), dot_}); }

  testing::TempDirectory directory_;
  std::unique_ptr<AuthorityStore> store_ = opened(directory_.path());
  wave::Signed<wave::Dot> dot_ = dot("ns", "alice");
};

TEST_F(Rewind, SaysWhatNoLongerHolds) {
  const auto other = dot("ns", "bob");
  testing::put(*store_, {other, revoke_dot("ns", dot_.id), entity("router")});
  testing::put(*store_, {ledger::testing::offer("router", "ns", 1)});
  testing::put(*store_, {ledger::testing::acceptance("ns", "router", 1)});
  const auto effects = store_->rewind(3);
  ASSERT_TRUE(effects.has_value()) << effects.error().message;
  EXPECT_EQ(effects->revoked_dots, std::vector{other.id});
  EXPECT_EQ(effects->granted_in, std::vector{id("ns")});
  EXPECT_TRUE(std::ranges::count(effects->entities, id("router")) > 0);
  EXPECT_TRUE(std::ranges::count(effects->affinity, id("ns")) > 0);
  EXPECT_FALSE((*store_->dot_status(dot_.id))->revoked);
  EXPECT_FALSE(store_->dot_status(other.id)->has_value());
}

TEST_F(Rewind, TakesOtherEntriesInThePlaceOfThoseWithdrawn) {
  testing::put(*store_, {dot("ns", "bob"), dot("ns", "carol")});
  ASSERT_TRUE(store_->rewind(3).has_value());
  const auto other = dot("ns", "dan", {.comment = "of the other branch"});
  testing::put(*store_, {other});
  store_.reset();
  store_ = opened(directory_.path());
  EXPECT_FALSE(store_->recovery().index_remade);
  EXPECT_EQ(store_->recovery().log.cut_bytes, 0U);
  EXPECT_EQ(store_->log().size(), 4U);
  EXPECT_EQ((*store_->dot_record(other.id))->object.bytes, other.bytes);
  EXPECT_EQ(testing::dots_of(store_->all_granted_by(id("ns"))), testing::ids_of(dot_, other));
}

// A crash after the index went back and before the log was cut: the log tells the rest again, and
// the next attempt can withdraw it.
TEST_F(Rewind, CanBeRepeatedAfterACrashInBetween) {
  testing::put(*store_, {dot("ns", "bob"), dot("ns", "carol")});
  store_.reset();
  const fs::path log = directory_.path() / "ledger.log";
  fs::copy(log, directory_.path() / "whole");
  store_ = opened(directory_.path());
  ASSERT_TRUE(store_->rewind(3).has_value());
  store_.reset();
  fs::copy(directory_.path() / "whole", log, fs::copy_options::overwrite_existing);
  store_ = opened(directory_.path());
  EXPECT_EQ(store_->log().size(), 5U);
  EXPECT_EQ(store_->recovery().applied_entries, 2U);
  ASSERT_TRUE(store_->rewind(3).has_value());
  EXPECT_EQ(testing::dots_of(store_->all_granted_by(id("ns"))), testing::ids_of(dot_));
}

TEST_F(Rewind, GoesBackNoFurtherThanItWasToldTo) {
  store_.reset();
  store_ = opened(directory_.path(), 10);
  for (int i = 0; i < 20; ++i) testing::put(*store_, {dot("ns", "bob", {.ttl = i})});
  const auto too_far = store_->rewind(5);
  ASSERT_FALSE(too_far.has_value());
  EXPECT_EQ(too_far.error().code, ErrorCode::kLimited);
  EXPECT_EQ(store_->log().size(), 23U);
  EXPECT_TRUE(store_->rewind(13).has_value());
  EXPECT_EQ(store_->counts().dots, 11U);
}

TEST_F(Rewind, SuspectedRevocationsActWithoutBeingOnTheLedger) {
  const auto other = dot("ns", "bob");
  testing::put(*store_, {other});
  store_->suspect({.entities = {id("alice")}, .dots = {dot_.id}});
  EXPECT_TRUE((*store_->dot_status(dot_.id))->revoked);
  EXPECT_FALSE((*store_->dot_status(other.id))->revoked);
  EXPECT_TRUE((*store_->entity_status(id("alice")))->revoked);
  EXPECT_FALSE((*store_->entity_status(id("ns")))->revoked);
  EXPECT_EQ(testing::dots_of(store_->all_granted_by(id("ns"))), testing::ids_of(other));
  // What the ledger says does not change: the revocation itself is still to be admitted.
  EXPECT_FALSE((*store_->dot_record(dot_.id))->revoked);
  store_->suspect({});
  EXPECT_FALSE((*store_->dot_status(dot_.id))->revoked);
  EXPECT_EQ(testing::dots_of(store_->all_granted_by(id("ns"))), testing::ids_of(dot_, other));
}

TEST_F(Rewind, ARouterThatIsSuspectedIsNotDesignated) {
  testing::put(*store_, {entity("router"), ledger::testing::offer("router", "ns", 1)});
  testing::put(*store_, {ledger::testing::acceptance("ns", "router", 1)});
  ASSERT_TRUE(store_->designated_router(id("ns"), ledger::testing::kNow)->has_value());
  store_->suspect({.entities = {id("router")}, .dots = {}});
  EXPECT_FALSE(store_->designated_router(id("ns"), ledger::testing::kNow)->has_value());
}

}  // namespace
}  // namespace bw::store
