// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ledger/pending_state.hpp"
#include "store/testing/authority_probe.hpp"
#include "store/testing/small_world.hpp"
#include "wave/testing/memory_graph.hpp"

// Random histories of a small world, applied to the store and to maps in memory: every answer must
// be the same, also after reopening and from an index that is made again.
namespace bw::store {
namespace {

using ledger::testing::id;
using ledger::testing::kNow;
using testing::drain;
using testing::kNames;
using testing::kPatterns;
using testing::kPeople;

class History {
 public:
  explicit History(std::uint64_t seed) : world_(seed) {}

  // Admitted by the rules, or such that a store must ignore it; never anything else.
  void take(std::size_t count) {
    std::vector<wave::Object> run;
    while (run.size() < count) {
      const wave::Object object = world_.any_object();
      const auto judged = ledger::admissible(object, truth_, kNow);
      if (judged) {
        ASSERT_TRUE(truth_.add(object).has_value());
        learn(object);
      } else if (judged.error().code != ErrorCode::kConflict &&
                 judged.error().code != ErrorCode::kDenied) {
        continue;
      }
      run.push_back(object);
      if (const auto* dot = std::get_if<wave::Signed<wave::Dot>>(&object)) world_.learn(*dot);
    }
    testing::put(*store_, run);
  }

  void reopen(bool remake_index) {
    store_.reset();
    if (remake_index) std::filesystem::remove_all(directory_ / "index");
    store_ = testing::opened_store(directory_.path());
    EXPECT_EQ(store_->recovery().applied_entries, remake_index ? store_->log().size() : 0);
  }

  void compare() const {
    for (const auto person : kPeople) compare_person(id(person));
    for (const auto& dot : world_.dots()) compare_dot(dot.id);
    for (const auto name : kNames) {
      const auto mine = *store_->alias(name);
      const auto expected = *truth_.alias(name);
      ASSERT_EQ(mine.has_value(), expected.has_value());
      if (mine) EXPECT_EQ(mine->bytes, expected->bytes);
    }
    for (const auto ns : kPeople) {
      for (const auto other : kPeople) compare_pair(id(ns), id(other));
    }
  }

 private:
  void learn(const wave::Object& object) {
    if (const auto* entity = std::get_if<wave::Signed<wave::Entity>>(&object)) graph_.add(*entity);
    if (const auto* dot = std::get_if<wave::Signed<wave::Dot>>(&object)) graph_.add(*dot);
    if (const auto* gone = std::get_if<wave::Signed<wave::Revocation>>(&object)) graph_.add(*gone);
  }

  void compare_person(const EntityKey& key) const {
    const auto mine = *store_->entity_status(key);
    const auto expected = *graph_.entity(key);
    ASSERT_EQ(mine.has_value(), expected.has_value());
    if (mine) {
      EXPECT_EQ(mine->created, expected->created);
      EXPECT_EQ(mine->expires, expected->expires);
      EXPECT_EQ(mine->revoked, expected->revoked);
      EXPECT_EQ((*store_->entity_record(key))->object.bytes,
                (*truth_.entity_record(key))->object.bytes);
    }
    EXPECT_EQ(*store_->router_nonce(key), *truth_.router_nonce(key));
    EXPECT_EQ(*store_->namespace_nonce(key), *truth_.namespace_nonce(key));
    compare_edges(store_->all_granted_by(key), graph_.all_granted_by(key));
    compare_edges(store_->all_granted_to(key), graph_.all_granted_to(key));
  }
  void compare_dot(const ObjectId& dot) const {
    const auto mine = *store_->dot_status(dot);
    const auto expected = *graph_.dot(dot);
    ASSERT_EQ(mine.has_value(), expected.has_value());
    EXPECT_EQ(mine->revoked, expected->revoked);
    EXPECT_EQ((*store_->dot_record(dot))->object.id, dot);
  }
  void compare_pair(const EntityKey& ns, const EntityKey& other) const {
    EXPECT_EQ(*store_->has_offer(other, ns), *truth_.has_offer(other, ns));
    compare_edges(store_->granted_to(ns, other), graph_.granted_to(ns, other));
    compare_edges(store_->granted_to(ns, kEveryone), graph_.granted_to(ns, kEveryone));
    for (const auto pattern : kPatterns) {
      const auto parsed = *wave::Pattern::parse(pattern);
      compare_edges(store_->granted_by(ns, other, parsed), graph_.granted_by(ns, other, parsed));
    }
    for (const auto third : kPeople) {
      compare_edges(store_->between(ns, other, id(third)), graph_.between(ns, other, id(third)));
    }
  }
  static void compare_edges(std::unique_ptr<wave::EdgeCursor> mine,
                            std::unique_ptr<wave::EdgeCursor> expected) {
    const auto found = drain(std::move(mine));
    const auto oracle = drain(std::move(expected));
    ASSERT_EQ(found.size(), oracle.size());
    for (const auto& [dot, edge] : oracle) {
      ASSERT_TRUE(found.contains(dot));
      EXPECT_EQ(found.at(dot).grantee, edge.grantee);
      EXPECT_EQ(found.at(dot).pattern, edge.pattern);
      EXPECT_EQ(found.at(dot).ttl, edge.ttl);
    }
  }

  testing::SmallWorld world_;
  testing::TempDirectory directory_;
  std::unique_ptr<AuthorityStore> store_ = testing::opened_store(directory_.path());
  ledger::testing::EmptyState nothing_;
  ledger::PendingState truth_{nothing_};
  wave::testing::MemoryGraph graph_;
};

class RandomHistory : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(RandomHistory, GivesTheSameAnswersAsMapsInMemory) {
  History history(GetParam());
  history.take(40);
  history.compare();
  for (const bool remake_index : {false, true, false}) {
    for (int run = 0; run < 5; ++run) {
      history.take(1 + static_cast<std::size_t>(run) * 11);
      history.compare();
    }
    history.reopen(remake_index);
    history.compare();
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomHistory, ::testing::Range<std::uint64_t>(1, 9));

}  // namespace
}  // namespace bw::store
