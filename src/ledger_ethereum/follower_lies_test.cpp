// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ledger/testing/objects.hpp"
#include "ledger_ethereum/registry_log.hpp"
#include "ledger_ethereum/testing/followed_chain.hpp"

// An endpoint that lies about the Registry's logs is found out and named, whether it takes care or
// not, and an honest one carries on.
namespace bw::ledger_ethereum {
namespace {

using namespace testing;
using ::testing::HasSubstr;
namespace lt = ledger::testing;

Bytes data_at(const json& logs, std::size_t at) {
  return *read_data(logs.at(at), "data");
}

// Tells the entries of all logs anew, with the numbers that follow, one log for each.
void tell(json& logs, const std::function<void(std::vector<Bytes>&)>& change) {
  if (logs.empty()) return;
  std::vector<Bytes> entries;
  const std::uint64_t first = parse_entries(data_at(logs, 0))->first;
  for (std::size_t i = 0; i < logs.size(); ++i) {
    for (Bytes& entry : parse_entries(data_at(logs, i))->entries) entries.push_back(entry);
  }
  change(entries);
  json log = logs[0];
  logs = json::array();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    log["data"] = to_data(log_data(first + i, {entries[i]}));
    log["logIndex"] = to_quantity(i);
    logs.push_back(log);
  }
}

struct Lie {
  const char* name;
  std::function<void(json&)> tell;
  const char* words;         // of what is confirmed
  const char* latest_words;  // of the newest blocks, where entries are not kept
};
void PrintTo(const Lie& lie, std::ostream* out) {
  *out << lie.name;
}

const Lie kLies[] = {
    {"OmitsALog", [](json& logs) { logs.erase(1); }, "omitted entries 4 to 5",
     "omitted entries 4 to 5"},
    {"OmitsTheFirst", [](json& logs) { logs.erase(0); }, "omitted entries 3 to 3",
     "omitted entries 3 to 3"},
    {"OmitsTheLast", [](json& logs) { logs.erase(2); }, "omitted entries 6 to 7",
     "omitted entries 6 to 7"},
    {"OmitsAll", [](json& logs) { logs = json::array(); }, "omitted entries 3 to 7",
     "omitted entries 3 to 7"},
    {"OmitsWithCare",
     [](json& logs) { tell(logs, [](auto& entries) { entries.erase(entries.begin() + 2); }); },
     "omitted entries 7 to 7", "omitted entries 7 to 7"},
    {"AltersAnEntry",
     [](json& logs) { tell(logs, [](auto& entries) { entries.at(2).at(70) ^= 1U; }); },
     "altered entry 5", "altered or reordered entries"},
    {"AltersALogBeyondForm", [](json& logs) { logs.at(1)["data"] = "0x00000000040005"; },
     "altered entry 4", "altered entry 4"},
    {"ReordersLogs", [](json& logs) { std::swap(logs.at(0)["data"], logs.at(2)["data"]); },
     "reordered entries: 6 comes before 3", "reordered entries: 6 comes before 3"},
    {"ReordersWithCare",
     [](json& logs) { tell(logs, [](auto& entries) { std::swap(entries.at(1), entries.at(3)); }); },
     "reordered or exchanged entries", "altered or reordered entries"},
    {"ShowsALogTwice",
     [](json& logs) {
       const json again = logs.at(0);
       logs.insert(logs.begin() + 1, again);
       for (std::size_t i = 0; i < logs.size(); ++i) logs[i]["logIndex"] = to_quantity(i);
     },
     "invented an entry 3", "invented an entry 3"},
    {"InventsWithCare",
     [](json& logs) {
       tell(logs, [](auto& entries) {
         entries.insert(entries.begin() + 1, lt::entity("mallory").bytes);
       });
     },
     "invented entries", "invented entries"},
};

class LyingEndpoint : public ::testing::TestWithParam<Lie>, public FollowedChain {
 protected:
  LyingEndpoint() {
    chain.mine({{lt::entity("a").bytes, lt::entity("b").bytes}, {lt::entity("c").bytes}});
    chain.mine_empty(2);
    EXPECT_TRUE(look().has_value());
    EXPECT_EQ(sink.size(), 3U);
    chain.mine({{lt::entity("d").bytes},
                {lt::dot("a", "b").bytes, lt::dot("a", "c").bytes},
                {lt::dot("a", "d").bytes, lt::revoke_entity("d", "d").bytes}});
    a.lie = [](json& logs) {
      if (!logs.empty()) GetParam().tell(logs);
    };
  }
};

TEST_P(LyingEndpoint, IsNamedForWhatItDidAndTheHonestOneIsFollowed) {
  chain.mine_empty(2);
  const auto done = look();
  ASSERT_TRUE(done.has_value()) << done.error().message;
  EXPECT_EQ(sink.entries, chain.entries());
  ASSERT_TRUE(lie_of(0).has_value());
  EXPECT_EQ(lie_of(0)->code, ErrorCode::kFork);
  EXPECT_THAT(lie_of(0)->message, HasSubstr(std::string("a: it ") + GetParam().words));
  EXPECT_FALSE(lie_of(1).has_value());
  const std::size_t asked = a.asked["eth_getLogs"];
  chain.mine({{lt::entity("e").bytes}});
  EXPECT_TRUE(look().has_value());
  EXPECT_EQ(a.asked["eth_getLogs"], asked) << "it is not asked any more";
}

TEST_P(LyingEndpoint, IsNamedForTheNewestBlocksToo) {
  const auto done = look();
  ASSERT_TRUE(done.has_value()) << done.error().message;
  EXPECT_EQ(sink.size(), 3U);
  EXPECT_EQ(sink.suspected.size(), 1U);
  ASSERT_TRUE(lie_of(0).has_value());
  EXPECT_THAT(lie_of(0)->message, HasSubstr(std::string("a: it ") + GetParam().latest_words));
}

TEST_P(LyingEndpoint, WhereAllLieNothingIsTaken) {
  b.lie = a.lie;
  for (const std::size_t more : {std::size_t{0}, std::size_t{2}}) {
    connect();
    chain.mine_empty(more);
    const auto done = look();
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(sink.size(), 3U);
    EXPECT_TRUE(sink.suspected.empty());
    EXPECT_TRUE(lie_of(0).has_value());
    EXPECT_TRUE(lie_of(1).has_value());
  }
  a.lie = nullptr;
  connect();
  EXPECT_TRUE(look().has_value());
  EXPECT_EQ(sink.entries, chain.entries());
}

INSTANTIATE_TEST_SUITE_P(Logs, LyingEndpoint, ::testing::ValuesIn(kLies),
                         [](const auto& info) { return std::string(info.param.name); });

class LyingEndpoints : public ::testing::Test, public FollowedChain {};

TEST_F(LyingEndpoints, LetTheViewBecomeStale) {
  chain.mine({{lt::entity("a").bytes}});
  a.lie = b.lie = [](json& logs) { logs = json::array(); };
  Follower follower(*endpoints, *heads, sink, clock, log, options);
  net::TaskGroup tasks(context.get_executor());
  tasks.spawn(follower.run());
  ASSERT_TRUE(turn_until([&] { return follower.status().trouble.has_value(); }));
  const FollowerStatus status = follower.status();
  EXPECT_EQ(status.head, 1U) << "what is withheld is known to be there";
  EXPECT_EQ(status.heard_at, Time{});
  EXPECT_EQ(sink.heard_at, Time{});
  run(tasks.join());
}

// A proof is right or is none.
TEST_F(LyingEndpoints, ProveNothing) {
  chain.mine({{lt::entity("a").bytes}});
  chain.mine_empty(2);
  a.lie_of_state = [this](json& proof) {
    proof = chain.proof(json::array({to_data(Hash{}.bytes)}), chain.height() - 3);
  };
  ASSERT_TRUE(look().has_value());
  EXPECT_EQ(sink.size(), 1U);
  EXPECT_TRUE(endpoints->status()[0].trouble.has_value());
}

}  // namespace
}  // namespace bw::ledger_ethereum
