// SPDX-License-Identifier: Apache-2.0
#include "ledger_embedded/client.hpp"

#include "ledger_embedded/testing/world.hpp"

namespace bw::ledger_embedded {
namespace {

using testing::entries_of;
using testing::FollowerNode;
using testing::ManualClock;
using testing::ServerNode;
namespace lt = ledger::testing;

class Following : public ::testing::Test {
 protected:
  // `count` entries: the namespace, then DoTs of it that differ by `tag`.
  static std::vector<wave::Object> history(std::size_t count, const std::string& tag = "") {
    std::vector<wave::Object> out{lt::entity("ns")};
    while (out.size() < count) {
      out.emplace_back(lt::dot("ns", "alice", {.comment = tag + std::to_string(out.size())}));
    }
    return out;
  }
  static void put(ServerNode& server, const std::vector<wave::Object>& objects) {
    for (std::size_t i = 0; i < objects.size(); i += limits::kLedgerBatchEntries) {
      const std::size_t end = std::min(objects.size(), i + limits::kLedgerBatchEntries);
      const auto from = objects.begin();
      const auto outcomes = server.put(
          {from + static_cast<std::ptrdiff_t>(i), from + static_cast<std::ptrdiff_t>(end)});
      ASSERT_TRUE(outcomes.has_value()) << outcomes.error().message;
      for (const auto& outcome : *outcomes) ASSERT_TRUE(outcome.index) << outcome.refusal.message;
    }
  }
  void start(FollowerNode& follower, const ServerNode& server) {
    const auto started = follower.start(server.server->address());
    ASSERT_TRUE(started.has_value()) << started.error().message;
  }
  // A follower that held what `server` held, then stopped.
  void follow_once(FollowerNode& follower, ServerNode& server) {
    start(follower, server);
    ASSERT_TRUE(follower.has(server.store->log().size()));
    ASSERT_TRUE(loop.turn_until([&] { return follower.client->status().connected; }));
    follower.stop();
  }
  static ledger::SignedHead head(std::uint64_t size, const Hash& root) {
    return ledger::sign_head({size, root, lt::kNow}, lt::key("ledger"));
  }
  static Hash root_of(const std::vector<wave::Object>& objects, std::size_t size) {
    std::vector<Hash> leaves;
    for (std::size_t i = 0; i < size; ++i)
      leaves.push_back(crypto::leaf_hash(wave::bytes_of(objects[i])));
    return crypto::merkle_root(leaves);
  }
  // Neither trusted nor asked any more, and the node decides nothing.
  void expect_no_trust(FollowerNode& follower) {
    ASSERT_TRUE(follower.troubled(ErrorCode::kFork));
    EXPECT_EQ(follower.sink.heard_at, Time{});
    std::optional<ErrorCode> refusal;
    follower.client->submit({lt::entity("late").bytes},
                            [&](auto outcomes) { refusal = outcomes.error().code; });
    ASSERT_TRUE(loop.turn_until([&] { return refusal.has_value(); }));
    EXPECT_EQ(refusal, ErrorCode::kFork);
    EXPECT_FALSE(follower.client->status().connected);
  }

  net::testing::Loop loop;
  ManualClock clock;
};

TEST_F(Following, TakesEverythingFromTheBeginning) {
  ServerNode server(loop, clock);
  put(server, history(7));
  FollowerNode follower(loop, clock);
  start(follower, server);
  ASSERT_TRUE(follower.has(7));
  EXPECT_EQ(entries_of(*follower.store), entries_of(*server.store));
  ASSERT_TRUE(loop.turn_until([&] { return follower.client->status().connected; }));
  EXPECT_EQ(follower.sink.heard_at, clock.now());
}

TEST_F(Following, HearsNewEntriesAsTheyCome) {
  ServerNode server(loop, clock);
  const auto all = history(6);
  put(server, {all.begin(), all.begin() + 2});
  FollowerNode follower(loop, clock);
  start(follower, server);
  ASSERT_TRUE(follower.has(2));
  put(server, {all.begin() + 2, all.end()});
  ASSERT_TRUE(follower.has(6));
  EXPECT_EQ(entries_of(*follower.store), entries_of(*server.store));
}

TEST_F(Following, GoesOnFromTheMiddle) {
  ServerNode server(loop, clock);
  const auto all = history(6);
  put(server, {all.begin(), all.begin() + 4});
  FollowerNode follower(loop, clock);
  follow_once(follower, server);
  put(server, {all.begin() + 4, all.end()});
  const std::size_t appends = follower.sink.appends;
  start(follower, server);
  ASSERT_TRUE(follower.has(6));
  EXPECT_EQ(entries_of(*follower.store), entries_of(*server.store));
  EXPECT_EQ(follower.sink.appends, appends + 1);
}

TEST_F(Following, TakesManyEntriesInChunks) {
  ServerNode server(loop, clock);
  put(server, history(5000));
  FollowerNode follower(loop, clock);
  start(follower, server);
  ASSERT_TRUE(follower.has(5000));
  EXPECT_EQ(entries_of(*follower.store), entries_of(*server.store));
  EXPECT_GE(follower.sink.appends, 5U);
}

TEST_F(Following, KeepsUpWithAnEmptyLedgerToo) {
  ServerNode server(loop, clock);
  FollowerNode follower(loop, clock);
  start(follower, server);
  ASSERT_TRUE(loop.turn_until([&] { return follower.client->status().connected; }));
  EXPECT_EQ(follower.sink.heard_at, clock.now());
  EXPECT_EQ(follower.sink.appends, 0U);
}

TEST_F(Following, HearsFromAQuietLedgerAgainAndAgain) {
  ServerNode server(loop, clock);
  FollowerNode follower(loop, clock);
  start(follower, server);
  ASSERT_TRUE(loop.turn_until([&] { return follower.sink.heard_at == clock.now(); }));
  clock.advance(15s);
  EXPECT_TRUE(loop.turn_until([&] { return follower.sink.heard_at == clock.now(); }));
}

TEST_F(Following, ComesBackAfterTheLedgerRestarts) {
  auto server = std::make_unique<ServerNode>(loop, clock);
  put(*server, history(2));
  FollowerNode follower(loop, clock);
  start(follower, *server);
  ASSERT_TRUE(follower.has(2));
  ServerOptions options;
  options.listen = server->server->address();
  loop.run(server->server->stop());
  ASSERT_TRUE(follower.troubled(ErrorCode::kUnavailable));
  server->server = std::make_unique<Server>(loop.context, *server->store, lt::key("ledger"), clock,
                                            options, nullptr);
  ASSERT_TRUE(server->server->start().has_value());
  put(*server, {lt::entity("more")});
  EXPECT_TRUE(follower.has(3));
  EXPECT_TRUE(loop.turn_until([&] { return follower.client->status().connected; }));
}

TEST_F(Following, FollowsNobodyButTheKeyItWasTold) {
  ServerNode server(loop, clock, {}, "impostor");
  put(server, history(2));
  FollowerNode follower(loop, clock);
  start(follower, server);
  ASSERT_TRUE(follower.troubled(ErrorCode::kDenied));
  EXPECT_EQ(follower.sink.size(), 0U);
  EXPECT_EQ(follower.sink.heard_times, 0U);
}

TEST_F(Following, KeepsTheHighestHeadAcrossRestarts) {
  ServerNode server(loop, clock);
  put(server, history(3));
  FollowerNode follower(loop, clock);
  follow_once(follower, server);
  const auto kept = ledger::parse_head(store::testing::file_bytes(follower.heads()));
  ASSERT_TRUE(kept.has_value());
  EXPECT_EQ(kept->head.size, 3U);
  EXPECT_TRUE(ledger::verify_head(*kept));
  ASSERT_TRUE(follower.start("127.0.0.1:1").has_value());
  EXPECT_EQ(follower.client->latest_head(), ledger::encode(*kept));
}

// A node that is killed must know it too.
TEST_F(Following, TheHighestHeadIsOnDiskWhileItFollows) {
  ServerNode server(loop, clock);
  FollowerNode follower(loop, clock);
  for (const std::size_t size : {3U, 5U}) {
    const auto all = history(size);
    put(server, {all.begin() + static_cast<std::ptrdiff_t>(server.store->log().size()), all.end()});
    if (!follower.client) start(follower, server);
    ASSERT_TRUE(follower.has(size));
    EXPECT_TRUE(loop.turn_until([&] {
      if (!std::filesystem::exists(follower.heads())) return false;
      const auto kept = ledger::parse_head(store::testing::file_bytes(follower.heads()));
      return kept && kept->head.size == size;
    }));
  }
}

TEST_F(Following, WillNotStartFromAHeadItCannotTrust) {
  ServerNode server(loop, clock);
  put(server, history(3));
  FollowerNode follower(loop, clock);
  follow_once(follower, server);
  const Bytes good = store::testing::file_bytes(follower.heads());
  const std::vector<Bytes> bad{
      {},
      Bytes(good.size()),
      Bytes(good.begin(), good.end() - 1),
      ledger::encode(ledger::sign_head({3, {}, lt::kNow}, lt::key("other"))),
      ledger::encode(head(3, {}))};
  for (const Bytes& bytes : bad) {
    store::testing::overwrite_file(follower.heads(), bytes);
    const auto started = follower.start(server.server->address());
    ASSERT_FALSE(started.has_value());
    EXPECT_EQ(started.error().code, ErrorCode::kCorrupt) << started.error().message;
    EXPECT_NE(started.error().message.find("heads"), std::string::npos) << started.error().message;
    follower.client.reset();
  }
}

// ---- ledgers that rewrite or forget

TEST_F(Following, RefusesALedgerThatWentBack) {
  const auto all = history(5);
  ServerNode honest(loop, clock);
  put(honest, all);
  FollowerNode follower(loop, clock);
  follow_once(follower, honest);
  ServerNode rewound(loop, clock);
  put(rewound, {all.begin(), all.begin() + 3});
  start(follower, rewound);
  expect_no_trust(follower);
  EXPECT_EQ(follower.sink.size(), 5U);
  // Both heads, for anybody to check.
  const Bytes evidence = store::testing::file_bytes(follower.evidence());
  ASSERT_EQ(evidence.size(), 2 * ledger::kSignedHeadBytes);
  for (const std::size_t at : {std::size_t{0}, ledger::kSignedHeadBytes}) {
    const auto shown = ledger::parse_head(ByteView(evidence).subspan(at, ledger::kSignedHeadBytes));
    ASSERT_TRUE(shown.has_value());
    EXPECT_TRUE(ledger::verify_head(*shown));
  }
  // For good: not even the honest one is followed again.
  follower.stop();
  const auto again = follower.start(honest.server->address());
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, ErrorCode::kFork);
}

TEST_F(Following, RefusesAnotherHistoryOfTheSameKey) {
  for (const std::size_t size : {3U, 5U, 2000U}) {
    ServerNode honest(loop, clock);
    put(honest, history(3));
    FollowerNode follower(loop, clock);
    follow_once(follower, honest);
    ServerNode other(loop, clock);
    put(other, history(size, "other"));
    start(follower, other);
    expect_no_trust(follower);
    EXPECT_EQ(entries_of(*follower.store), lt::all_bytes(history(3)));
    EXPECT_EQ(std::filesystem::exists(follower.evidence()), size == 3);
  }
}

TEST_F(Following, FetchesLostEntriesAgain) {
  ServerNode server(loop, clock);
  put(server, history(5));
  FollowerNode follower(loop, clock);
  follow_once(follower, server);
  follower.lose_entries();
  const std::size_t heard = follower.sink.heard_times;
  start(follower, server);
  ASSERT_TRUE(follower.has(5));
  EXPECT_TRUE(loop.turn_until([&] { return follower.sink.heard_times > heard; }));
  EXPECT_EQ(entries_of(*follower.store), entries_of(*server.store));
}

TEST_F(Following, LostEntriesMustGiveTheHeadThatWasHeard) {
  ServerNode honest(loop, clock);
  put(honest, history(5));
  FollowerNode follower(loop, clock);
  follow_once(follower, honest);
  follower.lose_entries();
  const std::size_t heard = follower.sink.heard_times;
  ServerNode other(loop, clock);
  put(other, history(7, "other"));
  start(follower, other);
  // A peer's head that is reached before changes nothing about it.
  ASSERT_TRUE(follower.client->compare(ledger::encode(head(2, root_of(history(2, "other"), 2)))));
  expect_no_trust(follower);
  EXPECT_EQ(follower.sink.heard_times, heard + 1) << "only the end of trust";
  EXPECT_TRUE(std::filesystem::exists(follower.evidence()));
}

TEST_F(Following, ALedgerThatForgotIsNotNewsToOneThatLostEntries) {
  const auto all = history(5);
  ServerNode honest(loop, clock);
  put(honest, all);
  FollowerNode follower(loop, clock);
  follow_once(follower, honest);
  follower.lose_entries();
  const std::size_t heard = follower.sink.heard_times;
  ServerNode rewound(loop, clock);
  put(rewound, {all.begin(), all.begin() + 3});
  start(follower, rewound);
  ASSERT_TRUE(follower.has(3));
  EXPECT_EQ(follower.sink.heard_times, heard);
  clock.advance(20s);  // the ledger says that there is nothing more
  expect_no_trust(follower);
}

// ---- heads that peers show

class Comparing : public Following {
 protected:
  Comparing() {
    put(server, all);
    start(follower, server);
    EXPECT_TRUE(follower.has(3));
    EXPECT_TRUE(loop.turn_until([&] { return follower.client->status().connected; }));
  }
  Result<void> compare(std::uint64_t size, const Hash& root) {
    return follower.client->compare(ledger::encode(head(size, root)));
  }

  std::vector<wave::Object> all = history(3);
  std::vector<wave::Object> longer = history(6);
  ServerNode server{loop, clock};
  FollowerNode follower{loop, clock};
};

TEST_F(Comparing, TheSameHistoryIsFine) {
  for (const std::size_t size : {0U, 1U, 2U, 3U}) {
    EXPECT_TRUE(compare(size, root_of(all, size)).has_value()) << size;
  }
  EXPECT_TRUE(follower.client->compare(follower.client->latest_head()).has_value());
}

TEST_F(Comparing, HeadsOfOthersSayNothing) {
  const auto of_another = ledger::sign_head({2, {}, lt::kNow}, lt::key("another"));
  EXPECT_TRUE(follower.client->compare(ledger::encode(of_another)).has_value());
  auto forged = head(2, {});
  forged.signature[5] ^= 1U;
  EXPECT_TRUE(follower.client->compare(ledger::encode(forged)).has_value());
  EXPECT_FALSE(follower.client->compare(to_bytes("rubbish")).has_value());
  EXPECT_TRUE(follower.client->status().connected);
}

TEST_F(Comparing, AnotherHistoryIsAFork) {
  const auto compared = compare(2, root_of(history(2, "other"), 2));
  ASSERT_FALSE(compared.has_value());
  EXPECT_EQ(compared.error().code, ErrorCode::kFork);
  expect_no_trust(follower);
  EXPECT_TRUE(std::filesystem::exists(follower.evidence()));
}

TEST_F(Comparing, AForkStaysTheTroubleWhileTheLedgerIsAway) {
  server.stop();
  ASSERT_TRUE(follower.troubled(ErrorCode::kUnavailable));
  ASSERT_FALSE(compare(2, {}).has_value());
  expect_no_trust(follower);
}

TEST_F(Comparing, AHeadAheadIsComparedWhenReached) {
  ASSERT_TRUE(compare(5, root_of(longer, 5)).has_value());
  put(server, {longer.begin() + 3, longer.end()});
  ASSERT_TRUE(follower.has(6));
  put(server, {lt::entity("more")});
  EXPECT_TRUE(follower.has(7));
  EXPECT_TRUE(follower.client->status().connected);
}

TEST_F(Comparing, AForkAheadIsCaughtWhenReached) {
  ASSERT_TRUE(compare(5, root_of(history(5, "other"), 5)).has_value());
  EXPECT_TRUE(follower.client->status().connected);
  put(server, {longer.begin() + 3, longer.end()});
  expect_no_trust(follower);
  EXPECT_TRUE(std::filesystem::exists(follower.evidence()));
}

// ---- submissions and their ends

class Submitting : public Following {
 protected:
  using Outcomes = Result<std::vector<ledger::Submitted>>;
  void submit(const wave::Object& object) {
    follower.client->submit({to_bytes(wave::bytes_of(object))}, [this](Outcomes outcomes) {
      ++answers;
      last = std::move(outcomes);
    });
  }
  bool answered(int count = 1) {
    return loop.turn_until([&] { return answers == count; });
  }

  int answers = 0;
  std::optional<Outcomes> last;
  FollowerNode follower{loop, clock};
};

TEST_F(Submitting, WaitsForTheLedgerToBeReached) {
  ServerNode server(loop, clock);
  const std::string address = server.server->address();
  start(follower, server);
  submit(lt::entity("ns"));  // not connected yet
  ASSERT_TRUE(answered());
  EXPECT_EQ((**last)[0].index, 0U);
}

TEST_F(Submitting, GivesUpWhenTheLedgerDoesNotAnswer) {
  ASSERT_TRUE(follower.start("127.0.0.1:1").has_value());
  submit(lt::entity("ns"));
  ASSERT_TRUE(follower.troubled(ErrorCode::kUnavailable));
  EXPECT_EQ(answers, 0);
  clock.advance(15s);
  ASSERT_TRUE(answered());
  ASSERT_FALSE(last->has_value());
  EXPECT_EQ(last->error().code, ErrorCode::kUnavailable);
  EXPECT_NE(last->error().message.find("127.0.0.1:1"), std::string::npos);
}

TEST_F(Submitting, StoppingAnswersWhatWaitsAndWhatComesLater) {
  ASSERT_TRUE(follower.start("127.0.0.1:1").has_value());
  for (int i = 0; i < 3; ++i) submit(lt::entity("ns"));
  loop.run(follower.client->stop());
  EXPECT_TRUE(answered(3));
  submit(lt::entity("ns"));
  ASSERT_TRUE(answered(4));
  EXPECT_EQ(last->error().code, ErrorCode::kUnavailable);
}

TEST_F(Submitting, WhatWaitsForALedgerOutOfReachIsBounded) {
  ASSERT_TRUE(follower.start("127.0.0.1:1").has_value());
  const std::vector<Bytes> large(1000, Bytes(limits::kObjectBytes));
  int refused = 0;
  for (int i = 0; i < 40; ++i) {
    follower.client->submit(large, [&](const auto& outcomes) {
      if (!outcomes && outcomes.error().code == ErrorCode::kLimited) ++refused;
    });
  }
  ASSERT_TRUE(loop.turn_until([&] { return refused > 0; }));
  while (loop.context.poll() != 0) {
  }
  EXPECT_EQ(refused, 40 - 16);
  loop.run(follower.client->stop());
}

TEST_F(Submitting, SlowsThoseDownWhoSendTooMuch) {
  ServerOptions options;
  options.entries_per_second = 1;
  options.burst = 2;
  ServerNode server(loop, clock, options);
  start(follower, server);
  for (int i = 0; i < 3; ++i) submit(lt::entity(std::to_string(i)));
  ASSERT_TRUE(answered(3));
  EXPECT_EQ((**last)[0].refusal.code, ErrorCode::kLimited);
  EXPECT_FALSE((**last)[0].index);
  EXPECT_EQ(server.server->stats().limited, 1U);
  EXPECT_EQ(server.server->stats().accepted, 2U);
  clock.advance(1s);
  submit(lt::entity("2"));
  ASSERT_TRUE(answered(4));
  EXPECT_EQ((**last)[0].index, 2U);
  // The ledger's own process is not limited.
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE((*server.put({lt::entity("own" + std::to_string(i))}))[0].index);
  }
}

}  // namespace
}  // namespace bw::ledger_embedded
