// SPDX-License-Identifier: Apache-2.0
#include "store/message_store.hpp"

#include <algorithm>
#include <tuple>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "ledger/testing/objects.hpp"
#include "store/message_record.hpp"
#include "store/testing/file_size_limit.hpp"
#include "store/testing/temp_directory.hpp"
#include "syndication/testing/memory_message_store.hpp"

namespace bw::store {
namespace {

using ledger::testing::id;
using ledger::testing::kNow;
using syndication::MessageStore;
using syndication::StoredMessage;
using testing::TempDirectory;

std::unique_ptr<MessageStore> opened(const std::filesystem::path& directory) {
  auto store = open_message_store(directory);
  EXPECT_TRUE(store.has_value()) << store.error().message;
  return store ? *std::move(store) : nullptr;
}

wave::Pattern pattern(std::string_view text) {
  auto parsed = wave::Pattern::parse(text);
  BW_ASSERT(parsed.has_value());
  return *std::move(parsed);
}

ObjectId dot_id(std::string_view name) {
  return ObjectId{crypto::sha256(as_bytes(name)).bytes};
}

struct Terms {
  std::string_view ns = "ns";
  Time created = kNow;
  std::optional<Time> expires = {};
  std::uint64_t sequence = 1;
  std::uint32_t size = 100;
  bool deletion = false;
  std::vector<wave::PublishLimit> limits = {};
};
StoredMessage message(std::string_view uri, std::string_view content, const Terms& terms = {}) {
  StoredMessage out;
  out.topic = {id(terms.ns), crypto::sha256(as_bytes("proof")), pattern(uri)};
  out.proof = to_bytes("the proof");
  out.batch = to_bytes(content);
  out.id = {id("origin"), 7, terms.sequence, 3};
  out.created = terms.created;
  out.expires = terms.expires;
  out.accounted_bytes = terms.size;
  out.deletion = terms.deletion;
  out.limits = terms.limits;
  return out;
}
StoredMessage deletion(std::string_view uri, Time created) {
  return message(uri, "gone", {.created = created, .size = 0, .deletion = true});
}

void expect_same(const StoredMessage& a, const StoredMessage& b) {
  EXPECT_EQ(a.topic, b.topic);
  EXPECT_EQ(a.proof, b.proof);
  EXPECT_EQ(a.batch, b.batch);
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.created, b.created);
  EXPECT_EQ(a.expires, b.expires);
  EXPECT_EQ(a.accounted_bytes, b.accounted_bytes);
  EXPECT_EQ(a.deletion, b.deletion);
  ASSERT_EQ(a.limits.size(), b.limits.size());
  for (std::size_t i = 0; i < a.limits.size(); ++i) {
    EXPECT_EQ(a.limits[i].dot, b.limits[i].dot);
    EXPECT_EQ(a.limits[i].messages_per_second, b.limits[i].messages_per_second);
    EXPECT_EQ(a.limits[i].stored_bytes, b.limits[i].stored_bytes);
  }
}

class Messages : public ::testing::Test {
 protected:
  // The code of the refusal; nothing when it was taken.
  std::optional<ErrorCode> put(const StoredMessage& message) {
    const auto outcomes = store->put({message});
    if (!outcomes) return outcomes.error().code;
    EXPECT_EQ(outcomes->size(), 1U);
    if (outcomes->front()) return std::nullopt;
    return outcomes->front().error().code;
  }
  std::vector<StoredMessage> query(std::string_view what, std::string_view ns = "ns",
                                   Time now = kNow) const {
    std::vector<StoredMessage> out;
    const auto asked = store->query(id(ns), pattern(what), now, [&](const StoredMessage& found) {
      out.push_back(found);
      return true;
    });
    EXPECT_TRUE(asked.has_value()) << asked.error().message;
    return out;
  }
  std::vector<std::string> uris(std::string_view what, std::string_view ns = "ns",
                                Time now = kNow) const {
    std::vector<std::string> out;
    for (const StoredMessage& found : query(what, ns, now)) out.push_back(found.topic.uri.text());
    return out;
  }
  std::string content(std::string_view uri) const {
    const auto found = query(uri);
    return found.size() == 1 ? std::string(as_text(found[0].batch)) : "";
  }
  std::vector<std::string> children(std::string_view what, std::size_t most = 100,
                                    std::string_view ns = "ns", Time now = kNow) const {
    const auto names = store->children(id(ns), pattern(what), now, most);
    EXPECT_TRUE(names.has_value()) << names.error().message;
    return names.value_or(std::vector<std::string>{});
  }
  std::uint64_t used(std::string_view dot) const {
    return store->used_bytes(dot_id(dot)).value_or(999'999);
  }

  using Names = std::vector<std::string>;
  TempDirectory directory;
  std::unique_ptr<MessageStore> store = opened(directory / "messages");
};

TEST_F(Messages, ComeBackAsTheyWere) {
  const auto put_in =
      message("a/b", "content",
              {.created = kNow + 5us,
               .expires = kNow + 9s,
               .sequence = ~std::uint64_t{0},
               .limits = {{dot_id("one"), 3, 1000}, {dot_id("two"), 0, 1u << 31U}}});
  ASSERT_EQ(put(put_in), std::nullopt);
  const auto found = query("a/b");
  ASSERT_EQ(found.size(), 1U);
  expect_same(found[0], put_in);
}

TEST_F(Messages, TheNewestWinsWhateverTheOrder) {
  EXPECT_EQ(put(message("a", "second", {.created = kNow})), std::nullopt);
  EXPECT_EQ(put(message("a", "first", {.created = kNow - 1us})), ErrorCode::kConflict);
  EXPECT_EQ(content("a"), "second");
  EXPECT_EQ(put(message("a", "third", {.created = kNow + 1us})), std::nullopt);
  EXPECT_EQ(content("a"), "third");
}

TEST_F(Messages, OfEqualTimesTheGreaterIdWins) {
  EXPECT_EQ(put(message("a", "two", {.sequence = 2})), std::nullopt);
  EXPECT_EQ(put(message("a", "one", {.sequence = 1})), ErrorCode::kConflict);
  EXPECT_EQ(put(message("a", "two again", {.sequence = 2})), ErrorCode::kConflict);
  EXPECT_EQ(put(message("a", "three", {.sequence = 3})), std::nullopt);
  auto by_another = message("a", "another", {.sequence = 1});
  by_another.id.origin.bytes.fill(0xff);
  EXPECT_EQ(put(by_another), std::nullopt);
  EXPECT_EQ(content("a"), "another");
  auto higher_index = by_another;
  ++higher_index.id.index;
  EXPECT_EQ(put(higher_index), std::nullopt);
}

TEST_F(Messages, OfOneCallAreJudgedOneAfterTheOther) {
  const auto outcomes =
      store->put({message("a", "first"), message("a", "third", {.created = kNow + 2s}),
                  message("a", "second", {.created = kNow + 1s}), message("b", "other")});
  ASSERT_TRUE(outcomes.has_value());
  ASSERT_EQ(outcomes->size(), 4U);
  EXPECT_TRUE((*outcomes)[0] && (*outcomes)[1] && (*outcomes)[3]);
  ASSERT_FALSE((*outcomes)[2]);
  EXPECT_EQ((*outcomes)[2].error().code, ErrorCode::kConflict);
  EXPECT_EQ(content("a"), "third");
  EXPECT_EQ(content("b"), "other");
}

TEST_F(Messages, DeletionsHideAndKeepOlderValuesAway) {
  ASSERT_EQ(put(message("a", "value")), std::nullopt);
  ASSERT_EQ(put(deletion("a", kNow + 10s)), std::nullopt);
  EXPECT_EQ(uris("*"), Names{});
  EXPECT_EQ(children("+"), Names{});
  EXPECT_EQ(put(message("a", "late", {.created = kNow + 9s})), ErrorCode::kConflict);
  EXPECT_EQ(put(message("a", "new", {.created = kNow + 11s})), std::nullopt);
  EXPECT_EQ(content("a"), "new");
}

TEST_F(Messages, DeletionMarksGoAfterTheReplayWindow) {
  ASSERT_EQ(put(deletion("a", kNow)), std::nullopt);
  const Time old = kNow + 2 * limits::kReplayWindow;
  EXPECT_EQ(store->purge(old), 0U);
  EXPECT_EQ(put(message("a", "late", {.created = kNow - 1s})), ErrorCode::kConflict);
  EXPECT_EQ(store->purge(old + 1us), 1U);
  EXPECT_EQ(put(message("a", "late", {.created = kNow - 1s})), std::nullopt);
}

// One that expires could let an older value come back to life.
TEST_F(Messages, DeletionMarksDoNotExpire) {
  auto mark = deletion("a", kNow);
  mark.expires = kNow + 1s;
  ASSERT_EQ(put(mark), std::nullopt);
  EXPECT_EQ(store->purge(kNow + 2s), 0U);
  EXPECT_EQ(put(message("a", "late", {.created = kNow - 1s})), ErrorCode::kConflict);
}

TEST_F(Messages, ExpiredOnesAreNotShownAndThenPurged) {
  ASSERT_EQ(put(message("a", "short", {.expires = kNow + 1s})), std::nullopt);
  ASSERT_EQ(put(message("b", "long", {.expires = kNow + 9s})), std::nullopt);
  ASSERT_EQ(put(message("c", "for ever")), std::nullopt);
  EXPECT_EQ(uris("*", "ns", kNow + 1s - 1us), (Names{"a", "b", "c"}));
  EXPECT_EQ(uris("*", "ns", kNow + 1s), (Names{"b", "c"}));
  EXPECT_EQ(children("+", 9, "ns", kNow + 1s), (Names{"b", "c"}));
  EXPECT_EQ(store->purge(kNow + 1s), 1U);
  EXPECT_EQ(uris("*"), (Names{"b", "c"}));
  EXPECT_EQ(store->purge(kNow + 1s), 0U);
}

// ---- quotas

wave::PublishLimit quota(std::string_view dot, std::uint64_t bytes) {
  return {dot_id(dot), 0, bytes};
}

TEST_F(Messages, QuotasCountWhatStands) {
  const std::vector<wave::PublishLimit> limits{quota("dot", 250)};
  ASSERT_EQ(put(message("a", "1", {.size = 100, .limits = limits})), std::nullopt);
  ASSERT_EQ(put(message("b", "2", {.size = 150, .limits = limits})), std::nullopt);
  EXPECT_EQ(used("dot"), 250U);
  EXPECT_EQ(put(message("c", "3", {.size = 1, .limits = limits})), ErrorCode::kLimited);
  EXPECT_EQ(used("dot"), 250U);
  EXPECT_EQ(uris("*"), (Names{"a", "b"}));
  // A replacement gives back what it replaces.
  EXPECT_EQ(put(message("a", "1", {.created = kNow + 1s, .size = 40, .limits = limits})),
            std::nullopt);
  EXPECT_EQ(used("dot"), 190U);
  EXPECT_EQ(put(message("c", "3", {.size = 60, .limits = limits})), std::nullopt);
  // So does a deletion.
  ASSERT_EQ(put(deletion("b", kNow + 1s)), std::nullopt);
  EXPECT_EQ(used("dot"), 100U);
}

TEST_F(Messages, ARefusedReplacementChangesNothing) {
  const std::vector<wave::PublishLimit> limits{quota("dot", 100)};
  ASSERT_EQ(put(message("a", "old", {.size = 80, .limits = limits})), std::nullopt);
  EXPECT_EQ(put(message("a", "new", {.created = kNow + 1s, .size = 101, .limits = limits})),
            ErrorCode::kLimited);
  EXPECT_EQ(content("a"), "old");
  EXPECT_EQ(used("dot"), 80U);
}

TEST_F(Messages, EveryDotOfThePathCountsAndAnyMayRefuse) {
  const std::vector<wave::PublishLimit> limits{quota("wide", 1000), quota("narrow", 100)};
  ASSERT_EQ(put(message("a", "1", {.size = 90, .limits = limits})), std::nullopt);
  EXPECT_EQ(put(message("b", "2", {.size = 20, .limits = limits})), ErrorCode::kLimited);
  EXPECT_EQ(used("wide"), 90U) << "nothing was charged before the refusal";
  EXPECT_EQ(used("narrow"), 90U);
  // Taken over by another DoT's authority: the account changes hands.
  ASSERT_EQ(
      put(message("a", "1", {.created = kNow + 1s, .size = 70, .limits = {quota("new", 70)}})),
      std::nullopt);
  EXPECT_EQ(used("wide"), 0U);
  EXPECT_EQ(used("narrow"), 0U);
  EXPECT_EQ(used("new"), 70U);
}

TEST_F(Messages, QuotasHoldWithinOneCall) {
  const std::vector<wave::PublishLimit> limits{quota("dot", 250)};
  const auto outcomes =
      store->put({message("a", "1", {.size = 200, .limits = limits}),
                  message("b", "2", {.size = 100, .limits = limits}),
                  message("a", "3", {.created = kNow + 1s, .size = 50, .limits = limits}),
                  message("c", "4", {.size = 100, .limits = limits})});
  ASSERT_TRUE(outcomes.has_value());
  EXPECT_TRUE((*outcomes)[0] && (*outcomes)[2] && (*outcomes)[3]);
  ASSERT_FALSE((*outcomes)[1]);
  EXPECT_EQ((*outcomes)[1].error().code, ErrorCode::kLimited);
  EXPECT_EQ(used("dot"), 150U);
}

TEST_F(Messages, PurgingGivesQuotaBackToEachDot) {
  const auto put_for = [&](std::string_view uri, std::string_view dot,
                           std::optional<Time> expires) {
    ASSERT_EQ(put(message(uri, "x", {.expires = expires, .limits = {quota(dot, 1000)}})),
              std::nullopt);
  };
  put_for("a", "one", kNow + 1s);
  put_for("b", "one", kNow + 1s);
  put_for("c", "one", {});
  put_for("d", "two", kNow + 1s);
  put_for("e", "three", kNow + 2s);
  EXPECT_EQ(store->purge(kNow + 1s), 3U);
  EXPECT_EQ(used("one"), 100U);
  EXPECT_EQ(used("two"), 0U);
  EXPECT_EQ(used("three"), 100U);
}

// ---- queries

TEST_F(Messages, StayInTheirNamespace) {
  ASSERT_EQ(put(message("a", "mine")), std::nullopt);
  ASSERT_EQ(put(message("a", "theirs", {.ns = "other"})), std::nullopt);
  EXPECT_EQ(content("a"), "mine");
  EXPECT_EQ(uris("*", "other"), Names{"a"});
  EXPECT_EQ(uris("*", "nobody"), Names{});
  EXPECT_EQ(children("+", 9, "nobody"), Names{});
}

TEST_F(Messages, APrefixEndsWithItsCell) {
  for (const char* uri :
       {"room1", "room1/t", "room10", "room10/t", "lab/t", "labsecret/t", "lab-2/t"}) {
    ASSERT_EQ(put(message(uri, uri)), std::nullopt);
  }
  EXPECT_EQ(uris("room1"), Names{"room1"});
  EXPECT_EQ(uris("room1/*"), (Names{"room1", "room1/t"}));
  EXPECT_EQ(uris("room1/+"), Names{"room1/t"});
  EXPECT_EQ(uris("lab/*"), Names{"lab/t"});
  EXPECT_EQ(children("room1/+"), Names{"t"});
  EXPECT_EQ(children("lab/+"), Names{"t"});
}

TEST_F(Messages, AnswersMatchTheOneDefinitionOfMatching) {
  const Names stored{"a",    "a/b",     "a/b/c", "a/c",     "a/c/c/c", "ab",    "ab/b",
                     "b",    "b/a/b",   "b/c",   "c/a/b",   "a-b",     "a-b/c", "a.b/c",
                     "a/$x", "a/b/c/d", "b/b/b", "b/b/b/b", "c",       "c/b/b", "a,b/c"};
  for (const std::string& uri : stored) ASSERT_EQ(put(message(uri, uri)), std::nullopt);
  for (const char* what :
       {"*",       "+",     "+/+",     "+/+/+", "a/*",   "a/+",   "*/b",   "+/b",     "a/*/c",
        "+/*",     "*/+",   "a/+/*",   "+/b/*", "*/b/b", "a/b",   "a/b/*", "nothing", "a/*/c/c",
        "+/*/b/b", "b/b/*", "*/+/b/+", "a-b/*", "ab/*",  "a/+/c", "+/+/*", "b/*/b",   "a/*/+/c"}) {
    Names expected;
    for (const std::string& uri : stored) {
      if (wave::matches(pattern(what), pattern(uri))) expected.push_back(uri);
    }
    Names found = uris(what);
    EXPECT_TRUE(std::ranges::is_sorted(found, [](const auto& a, const auto& b) {
      return std::ranges::lexicographical_compare(pattern(a).cells(), pattern(b).cells());
    })) << what;
    std::ranges::sort(expected);
    std::ranges::sort(found);
    EXPECT_EQ(found, expected) << what;
  }
}

TEST_F(Messages, AQueryStopsWhenToldTo) {
  for (const char* uri : {"a", "b", "c"}) ASSERT_EQ(put(message(uri, uri)), std::nullopt);
  int seen = 0;
  const auto asked =
      store->query(id("ns"), pattern("*"), kNow, [&](const StoredMessage&) { return ++seen < 2; });
  EXPECT_TRUE(asked.has_value());
  EXPECT_EQ(seen, 2);
}

TEST_F(Messages, ChildrenComeOnceEachInOrder) {
  for (const char* uri : {"a/x/1", "a/x/2", "a/x", "a/xy/1", "a/w/deep/deeper", "a", "b/z"}) {
    ASSERT_EQ(put(message(uri, uri)), std::nullopt);
  }
  EXPECT_EQ(children("a/+"), (Names{"w", "x", "xy"}));
  EXPECT_EQ(children("+"), (Names{"a", "b"}));
  EXPECT_EQ(children("a/x/+"), (Names{"1", "2"}));
  EXPECT_EQ(children("a/x/1/+"), Names{});
  EXPECT_EQ(children("a/+", 2), (Names{"w", "x"}));
  EXPECT_EQ(children("a/+", 0), Names{});
  // A child whose own value is gone is there while something below it stands.
  ASSERT_EQ(put(deletion("a/x", kNow + 1s)), std::nullopt);
  ASSERT_EQ(put(deletion("a/x/1", kNow + 1s)), std::nullopt);
  EXPECT_EQ(children("a/+"), (Names{"w", "x", "xy"}));
  ASSERT_EQ(put(deletion("a/x/2", kNow + 1s)), std::nullopt);
  EXPECT_EQ(children("a/+"), (Names{"w", "xy"}));
}

// ---- durability

TEST_F(Messages, AreThereAfterReopening) {
  ASSERT_EQ(put(message("a", "kept", {.limits = {quota("dot", 500)}})), std::nullopt);
  ASSERT_EQ(put(deletion("b", kNow)), std::nullopt);
  store.reset();
  store = opened(directory / "messages");
  EXPECT_EQ(content("a"), "kept");
  EXPECT_EQ(used("dot"), 100U);
  EXPECT_EQ(put(message("b", "late", {.created = kNow - 1s})), ErrorCode::kConflict);
}

TEST_F(Messages, OneProcessAtATime) {
  const auto second = open_message_store(directory / "messages");
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  EXPECT_NE(second.error().message.find("messages"), std::string::npos);
}

TEST_F(Messages, ADirectoryThatCannotBeIsAnError) {
  testing::overwrite_file(directory / "file", to_bytes("in the way"));
  const auto failed = open_message_store(directory / "file");
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code, ErrorCode::kIo);
}

// What a full disk refused is not acknowledged, and what was acknowledged stays.
TEST_F(Messages, AFullDiskLosesNothingThatWasAcknowledged) {
  ASSERT_EQ(put(message("a", "kept", {.limits = {quota("dot", 1u << 30U)}})), std::nullopt);
  const std::string big(200'000, 'x');
  {
    const testing::FileSizeLimit full(100'000);
    EXPECT_EQ(put(message("big", big, {.limits = {quota("dot", 1u << 30U)}})), ErrorCode::kIo);
  }
  EXPECT_EQ(content("a"), "kept");
  EXPECT_EQ(used("dot"), 100U);
  // Goes on by itself once there is room.
  EXPECT_EQ(put(message("b", "after")), std::nullopt);
  store.reset();
  store = opened(directory / "messages");
  EXPECT_EQ(uris("*"), (Names{"a", "b"}));
  EXPECT_EQ(used("dot"), 100U);
}

// ---- records

TEST(MessageRecord, KeysSortByCellAndSayTheirUri) {
  EXPECT_LT(message_key(id("ns"), pattern("a/z")), message_key(id("ns"), pattern("a-b")));
  EXPECT_EQ(uri_of_key(message_key(id("ns"), pattern("a/b-c/$d"))), "a/b-c/$d");
  EXPECT_EQ(message_prefix(id("ns"), "").size(), 33U);
}

TEST(MessageRecord, DamageIsNoticedAndNamed) {
  const auto whole = message("a/b", "content", {.limits = {quota("dot", 5)}});
  const std::string key = message_key(id("ns"), pattern("a/b"));
  const std::string record = encode_record(whole);
  const auto parsed = parse_record(key, record);
  ASSERT_TRUE(parsed.has_value());
  expect_same(*parsed, whole);
  for (std::size_t cut = 0; cut < record.size(); ++cut) {
    const auto damaged = parse_record(key, std::string_view(record).substr(0, cut));
    ASSERT_FALSE(damaged.has_value()) << cut;
    EXPECT_EQ(damaged.error().code, ErrorCode::kCorrupt);
  }
  EXPECT_FALSE(parse_record(key, record + "x").has_value());
  std::string future = record;
  future[0] = 2;
  EXPECT_FALSE(parse_record(key, future).has_value());
  for (const std::string& bad_key : {std::string("m"), key.substr(0, 33), key.substr(0, 34)}) {
    EXPECT_FALSE(parse_record(bad_key, record).has_value());
  }
}

TEST(MessageRecord, HasOneFormUnderOneKey) {
  const std::string key = message_key(id("ns"), pattern("a/b"));
  const std::string record = encode_record(message("a/b", "content", {.expires = kNow}));
  ASSERT_TRUE(parse_record(key, record).has_value());
  const std::string start = key.substr(0, 33);
  for (const std::string& cells : {std::string("a/b\0", 4), std::string("a\0bc", 4),
                                   std::string("a\0*\0", 4), std::string("a\0+\0", 4)}) {
    EXPECT_FALSE(parse_record(start + cells, record).has_value()) << cells;
  }
  EXPECT_FALSE(parse_record("n" + key.substr(1), record).has_value());
  std::string flagged = record;
  flagged[1] = 2;
  EXPECT_FALSE(parse_record(key, flagged).has_value());
  std::string endless = record;
  endless[10] = '\xff';  // the first byte of when it expires
  EXPECT_FALSE(parse_record(key, endless).has_value());
}

// ---- against the model

// Every store that keeps the rules answers the same to the same calls.
class Model {
 public:
  explicit Model(const std::filesystem::path& directory) : disk_(opened(directory)) {}

  void step() {
    switch (*rc::gen::weightedElement<int>({{6, 0}, {1, 1}, {1, 2}})) {
      case 0:
        return put();
      case 1:
        return purge();
      default:
        now_ += std::chrono::seconds(*rc::gen::inRange(0, 200));
    }
  }

  void compare() {
    for (const char* ns : {"ns", "other"}) {
      for (const char* what : {"*", "+", "a/*", "+/b", "a/+/*", "*/b", "a", "b/b"}) {
        RC_ASSERT(found(*disk_, ns, what) == found(memory_, ns, what));
      }
      for (const char* what : {"+", "a/+", "a/b/+", "b/+"}) {
        for (const std::size_t most : {1U, 2U, 100U}) {
          RC_ASSERT(*disk_->children(id(ns), pattern(what), now_, most) ==
                    *memory_.children(id(ns), pattern(what), now_, most));
        }
      }
    }
    for (const char* dot : {"one", "two"}) {
      RC_ASSERT(*disk_->used_bytes(dot_id(dot)) == *memory_.used_bytes(dot_id(dot)));
    }
  }

 private:
  StoredMessage any_message() {
    Terms terms;
    terms.ns = *rc::gen::element("ns", "other");
    terms.created = now_ + std::chrono::seconds(*rc::gen::inRange(-3, 4));
    terms.sequence = *rc::gen::inRange<std::uint64_t>(0, 3);
    terms.deletion = *rc::gen::weightedElement<bool>({{1, true}, {4, false}});
    if (!terms.deletion) {
      terms.size = *rc::gen::inRange<std::uint32_t>(0, 300);
      if (*rc::gen::arbitrary<bool>()) {
        terms.expires = now_ + std::chrono::seconds(*rc::gen::inRange(0, 300));
      }
      if (*rc::gen::arbitrary<bool>()) terms.limits.push_back(quota("one", 500));
      if (*rc::gen::arbitrary<bool>()) terms.limits.push_back(quota("two", 300));
    }
    const std::string uri =
        *rc::gen::element<std::string>("a", "a/b", "a/b/c", "a/bc", "ab", "b/b", "b/a", "a/c/b");
    return message(uri, std::to_string(++made_), terms);
  }
  void put() {
    std::vector<StoredMessage> messages;
    const int count = *rc::gen::inRange(1, 5);
    for (int i = 0; i < count; ++i) messages.push_back(any_message());
    const auto here = disk_->put(messages);
    const auto there = memory_.put(messages);
    RC_ASSERT(here && there);
    for (std::size_t i = 0; i < messages.size(); ++i) {
      RC_ASSERT((*here)[i].has_value() == (*there)[i].has_value());
      if (!(*here)[i]) RC_ASSERT((*here)[i].error().code == (*there)[i].error().code);
    }
  }
  void purge() { RC_ASSERT(*disk_->purge(now_) == *memory_.purge(now_)); }

  std::map<std::string, Bytes> found(const MessageStore& in, std::string_view ns,
                                     std::string_view what) const {
    std::map<std::string, Bytes> out;
    const auto asked = in.query(id(ns), pattern(what), now_, [&](const StoredMessage& message) {
      RC_ASSERT(out.emplace(message.topic.uri.text(), message.batch).second);
      return true;
    });
    RC_ASSERT(asked.has_value());
    return out;
  }

  std::unique_ptr<MessageStore> disk_;
  syndication::testing::MemoryMessageStore memory_;
  Time now_ = kNow;
  int made_ = 0;
};

RC_GTEST_PROP(MessagesProperty, TheDiskDoesAsTheModelDoes, ()) {
  const TempDirectory directory;
  Model model(directory / "messages");
  const int steps = *rc::gen::inRange(1, 40);
  for (int i = 0; i < steps; ++i) {
    model.step();
    model.compare();
  }
}

}  // namespace
}  // namespace bw::store
