// SPDX-License-Identifier: Apache-2.0
#include <random>

#include <gtest/gtest.h>

#include "ledger/pending_state.hpp"
#include "store/testing/authority_probe.hpp"
#include "wave/testing/memory_graph.hpp"

// Random histories of a small world, applied to the store and to maps in memory: every answer must
// be the same, also after reopening and from an index that is made again.
namespace bw::store {
namespace {

using ledger::testing::id;
using ledger::testing::kEarlier;
using ledger::testing::kNow;
using testing::drain;

constexpr std::array<std::string_view, 5> kPeople{"ann", "ben", "cat", "dan", "eve"};
constexpr std::array<std::string_view, 10> kPatterns{"*",   "a",     "a/*",   "a/b", "a/b/*",
                                                     "+/b", "a/+/c", "a/b/c", "ab",  "ab/*"};
constexpr std::array<std::string_view, 3> kNames{"hall", "lobby", "roof"};

class History {
 public:
  explicit History(std::uint64_t seed) : random_(seed) {}

  // Admitted by the rules, or such that a store must ignore it; never anything else.
  void take(std::size_t count) {
    std::vector<wave::Object> run;
    while (run.size() < count) {
      const wave::Object object = any_object();
      const auto judged = ledger::admissible(object, truth_, kNow);
      if (judged) {
        ASSERT_TRUE(truth_.add(object).has_value());
        learn(object);
      } else if (judged.error().code != ErrorCode::kConflict &&
                 judged.error().code != ErrorCode::kDenied) {
        continue;
      }
      run.push_back(object);
      if (const auto* dot = std::get_if<wave::Signed<wave::Dot>>(&object)) dots_.push_back(*dot);
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
    for (const auto& dot : dots_) compare_dot(dot.id);
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
  std::size_t pick(std::size_t below) { return random_() % below; }
  std::string_view person() { return kPeople[pick(kPeople.size())]; }

  wave::Object any_object() {
    const std::string_view by = person();
    switch (pick(12)) {
      case 0:
      case 1:
        return ledger::testing::entity(by, random_entity());
      case 2:
        return random_revocation(by);
      case 3:
        return ledger::testing::alias(by, std::string(kNames[pick(3)]), id(person()).bytes);
      case 4:
        return ledger::testing::offer(by, person(), ++nonce_ - pick(2), pick(3) == 0);
      case 5:
        return ledger::testing::acceptance(by, person(), ++nonce_ - pick(2), pick(3) == 0);
      case 6:
        return ledger::testing::address(by, ++nonce_ - pick(2), fmt::format("h:{}", nonce_));
      default:
        return random_dot(by);
    }
  }
  ledger::testing::EntityTerms random_entity() {
    return {.created = kEarlier + std::chrono::seconds(pick(50)), .revokers = {person()}};
  }
  wave::Object random_dot(std::string_view by) {
    if (!dots_.empty() && pick(10) == 0) return dots_[pick(dots_.size())];
    const std::size_t to = pick(kPeople.size() + 1);
    const std::string_view grantee = to < kPeople.size() ? kPeople[to] : "everyone";
    if (grantee == by) return random_dot(by);
    return ledger::testing::dot(by, grantee,
                                {.ns = person(),
                                 .on = kPatterns[pick(kPatterns.size())],
                                 .ttl = grantee == "everyone" ? 0 : static_cast<int>(pick(4)),
                                 .comment = std::to_string(random_())});
  }
  wave::Object random_revocation(std::string_view by) {
    if (pick(12) == 0) return ledger::testing::revoke_entity(by, person());
    if (dots_.empty()) return ledger::testing::revoke_dot(by, {});
    return ledger::testing::revoke_dot(by, dots_[pick(dots_.size())].id);
  }

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

  std::mt19937_64 random_;
  std::uint64_t nonce_ = 1;
  testing::TempDirectory directory_;
  std::unique_ptr<AuthorityStore> store_ = testing::opened_store(directory_.path());
  ledger::testing::EmptyState nothing_;
  ledger::PendingState truth_{nothing_};
  wave::testing::MemoryGraph graph_;
  std::vector<wave::Signed<wave::Dot>> dots_;
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
