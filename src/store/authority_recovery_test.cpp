// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "store/testing/authority_probe.hpp"
#include "store/testing/file_size_limit.hpp"

namespace bw::store {
namespace {

using ledger::testing::dot;
using ledger::testing::entity;
using ledger::testing::id;
using ledger::testing::revoke_dot;
using ledger::testing::revoke_entity;
using testing::opened_store;
namespace fs = std::filesystem;

constexpr std::size_t kDots = 150;

std::vector<wave::Signed<wave::Dot>> sample_dots() {
  std::vector<wave::Signed<wave::Dot>> dots;
  for (std::size_t i = 0; i < kDots; ++i) {
    dots.push_back(dot("ns", i % 2 == 0 ? "alice" : "bob", {.on = fmt::format("room{}/*", i)}));
  }
  return dots;
}

// What the index answers for the sample; equal for any two stores with the same entries.
struct Answers {
  std::vector<ObjectId> forwards;
  std::vector<ObjectId> to_alice;
  std::vector<bool> revoked;
  std::optional<bool> bob_revoked;
  std::uint64_t dots = 0;
  Hash root;

  friend bool operator==(const Answers&, const Answers&) = default;
};

Answers ask(const AuthorityStore& store) {
  Answers out;
  out.forwards = testing::dots_of(store.all_granted_by(id("ns")));
  out.to_alice = testing::dots_of(store.granted_to(id("ns"), id("alice")));
  for (const auto& sample : sample_dots()) {
    const auto status = store.dot_status(sample.id);
    out.revoked.push_back(status && *status && (*status)->revoked);
  }
  const auto bob = store.entity_status(id("bob"));
  if (bob && *bob) out.bob_revoked = (*bob)->revoked;
  out.dots = store.counts().dots;
  out.root = store.log().root();
  return out;
}

class AuthorityRecovery : public ::testing::Test {
 protected:
  // The first half; fill_rest() revokes some of it.
  AuthorityRecovery() {
    const auto store = opened_store(home_);
    testing::put(*store, {entity("ns"), entity("alice"), entity("bob")});
    for (std::size_t i = 0; i < kDots / 2; ++i) testing::put(*store, {dots_[i]});
  }
  void fill_rest() {
    const auto store = opened_store(home_);
    testing::put(*store, {dots_.begin() + kDots / 2, dots_.end()});
    testing::put(*store, {revoke_dot("ns", dots_[3].id), revoke_dot("ns", dots_[kDots - 1].id)});
    testing::put(*store, {revoke_entity("bob", "bob")});
  }
  Answers reopened(bool remade, std::optional<std::uint64_t> applied = {}) const {
    const auto store = opened_store(home_);
    EXPECT_EQ(store->recovery().index_remade, remade);
    if (applied) EXPECT_EQ(store->recovery().applied_entries, *applied);
    return ask(*store);
  }
  static void copy(const fs::path& from, const fs::path& to) {
    fs::remove_all(to);
    fs::copy(from, to, fs::copy_options::recursive);
  }
  std::vector<fs::path> index_files() const {
    std::vector<fs::path> files;
    for (const auto& file : fs::directory_iterator(home_ / "index")) files.push_back(file.path());
    return files;
  }

  testing::TempDirectory directory_;
  fs::path home_ = directory_ / "home";
  std::vector<wave::Signed<wave::Dot>> dots_ = sample_dots();
};

TEST_F(AuthorityRecovery, ReopensWithoutWork) {
  fill_rest();
  const Answers answers = reopened(false, 0);
  EXPECT_EQ(answers.forwards.size(), kDots - 2);
  EXPECT_EQ(answers.bob_revoked, true);
  EXPECT_EQ(reopened(false, 0), answers);
}

TEST_F(AuthorityRecovery, RemakesAMissingIndex) {
  fill_rest();
  const Answers answers = reopened(false);
  fs::remove_all(home_ / "index");
  EXPECT_EQ(reopened(false, kDots + 6), answers);
  EXPECT_EQ(reopened(false, 0), answers);
}

TEST_F(AuthorityRecovery, CatchesUpAnIndexThatLags) {
  copy(home_ / "index", directory_ / "older");
  fill_rest();
  const Answers answers = reopened(false, 0);
  copy(directory_ / "older", home_ / "index");
  EXPECT_EQ(reopened(false, kDots - kDots / 2 + 3), answers);
  EXPECT_EQ(reopened(false, 0), answers);
}

TEST_F(AuthorityRecovery, CatchesUpAfterAKill) {
  const auto store = opened_store(home_);
  testing::put(*store, {dots_.begin() + kDots / 2, dots_.end()});
  // What the files hold while the store is open is what a kill leaves.
  copy(home_, directory_ / "killed");
  const auto killed = opened_store(directory_ / "killed");
  EXPECT_FALSE(killed->recovery().index_remade);
  EXPECT_EQ(killed->recovery().applied_entries, kDots - kDots / 2);
  EXPECT_EQ(ask(*killed), ask(*store));
}

TEST_F(AuthorityRecovery, ReplacesAnIndexThatIsAheadOfARestoredLog) {
  copy(home_, directory_ / "backup");
  const Answers before = reopened(false);
  fill_rest();
  fs::copy_file(directory_ / "backup/ledger.log", home_ / "ledger.log",
                fs::copy_options::overwrite_existing);
  EXPECT_EQ(reopened(true, kDots / 2 + 3), before);
}

TEST_F(AuthorityRecovery, ReplacesTheIndexOfAnotherLedger) {
  fill_rest();
  const Answers answers = reopened(false);
  const fs::path other = directory_ / "other";
  {
    testing::put(*opened_store(other), {entity("alice"), dot("ns", "alice")});
  }
  copy(other / "index", home_ / "index");
  EXPECT_EQ(reopened(true, kDots + 6), answers);
}

// Whatever file of the index is damaged or missing, the store opens and answers as before, at once
// or after the restart that the error asks for.
TEST_F(AuthorityRecovery, SurvivesDamageToAnyFileOfTheIndex) {
  fill_rest();
  const Answers answers = reopened(false);
  copy(home_, directory_ / "whole");
  std::size_t remade = 0;
  for (const fs::path& file : index_files()) {
    const std::string name = file.filename();
    if (name.starts_with("LOG") || name == "LOCK") continue;
    for (const bool remove : {false, true}) {
      copy(directory_ / "whole", home_);
      if (remove) {
        fs::remove(file);
      } else {
        Bytes bytes = testing::file_bytes(file);
        for (std::size_t i = 0; i < bytes.size(); i += 7) bytes[i] ^= 0x55U;
        testing::overwrite_file(file, bytes);
      }
      const auto store = opened_store(home_);
      ASSERT_NE(store, nullptr) << file;
      EXPECT_EQ(ask(*store), answers) << file;
      if (store->recovery().index_remade) ++remade;
    }
  }
  EXPECT_GE(remade, 2U);
}

TEST_F(AuthorityRecovery, RemakesTheIndexAfterAReadFoundDamage) {
  fill_rest();
  const Answers answers = reopened(false);
  testing::overwrite_file(home_ / "index.damaged", {});
  EXPECT_EQ(reopened(true), answers);
  EXPECT_EQ(reopened(false, 0), answers);
}

TEST_F(AuthorityRecovery, ReportsALogThatHoldsSomethingElse) {
  {
    auto log = EntryLog::open(home_ / "ledger.log");
    ASSERT_TRUE(log.has_value());
    const Bytes strange = to_bytes("no object");
    ASSERT_TRUE((*log)->append({strange}));
  }
  const auto store = AuthorityStore::open(home_);
  ASSERT_FALSE(store.has_value());
  EXPECT_EQ(store.error().message.find("ledger entry 78: "), 0U) << store.error().message;
}

TEST_F(AuthorityRecovery, AFullDiskLosesNothing) {
  const auto store = opened_store(home_);
  const Answers before = ask(*store);
  const std::vector<wave::Object> more{dots_.begin() + kDots / 2, dots_.end()};
  {
    const testing::FileSizeLimit limit(store->log().end_offset() + 1000);
    const auto refused = store->append(more);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kIo);
  }
  EXPECT_EQ(ask(*store), before);
  EXPECT_EQ(testing::put(*store, more).granted_in, std::vector{id("ns")});
  EXPECT_EQ(ask(*store).forwards.size(), kDots);
}

// The index begins to write its files while the disk has no room for them.
TEST_F(AuthorityRecovery, AnIndexThatCannotBeWrittenCatchesUpLater) {
  const fs::path fresh = directory_ / "fresh";
  {
    auto store = opened_store(fresh);
    testing::put(*store, {dots_.begin(), dots_.end()});
    const testing::FileSizeLimit limit(100);
    EXPECT_FALSE(store->append({entity("ns")}).has_value());
    EXPECT_EQ(testing::dots_of(store->all_granted_by(id("ns"))).size(), kDots);
    store.reset();
  }
  const auto store = opened_store(fresh);
  EXPECT_EQ(store->recovery().applied_entries, kDots);
  EXPECT_EQ(testing::dots_of(store->all_granted_by(id("ns"))).size(), kDots);
}

}  // namespace
}  // namespace bw::store
