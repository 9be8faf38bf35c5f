// SPDX-License-Identifier: Apache-2.0
#include "ledger_embedded/server.hpp"

#include "ledger_embedded/testing/world.hpp"
#include "session/session.hpp"
#include "store/testing/file_size_limit.hpp"

namespace bw::ledger_embedded {
namespace {

namespace wire = syndication;
namespace lt = ledger::testing;
using testing::ServerNode;

// The server as a client sees it that speaks for itself.
class Serving : public net::testing::Loopback {
 protected:
  void TearDown() override {
    node.stop();
    Loopback::TearDown();
  }
  net::ChannelPtr connect() {
    auto channel = run(net::connect(node.server->address(), 20s));
    EXPECT_TRUE(channel.has_value());
    const auto peer = run(session::open(*channel, {nullptr, wire::Role::kFollower, {}},
                                        lt::id("ledger"), wire::Role::kLedger));
    EXPECT_TRUE(peer.has_value());
    return *channel;
  }
  template <class T>
  static void send(net::Channel& channel, const T& frame) {
    Bytes out;
    wire::encode_frame(frame, out);
    channel.send(std::move(out));
  }
  // The error that the session ends with.
  Error last_words(net::ChannelPtr channel) {
    return run(session::run(std::move(channel), [](auto) { return Result<void>{}; }));
  }

  testing::ManualClock clock;
  ServerNode node{*this, clock};
};

TEST_F(Serving, TellsItsNodeOfWhatWasAppended) {
  ASSERT_TRUE(node.put({lt::entity("ns")}).has_value());
  EXPECT_EQ(node.news, 1);
  ASSERT_TRUE(node.put({lt::entity("ns")}).has_value());  // refused
  EXPECT_EQ(node.news, 1);
  EXPECT_EQ(node.server->stats().accepted, 1U);
  EXPECT_EQ(node.server->stats().refused, 1U);
}

TEST_F(Serving, EndsSessionsThatMakeNoSense) {
  auto channel = connect();
  send(*channel, wire::Ack{});
  EXPECT_EQ(last_words(channel).code, ErrorCode::kMalformed);
  channel = connect();
  channel->send(net::testing::frame("\x7frubbish"));
  EXPECT_EQ(last_words(channel).code, ErrorCode::kUnsupported);
}

TEST_F(Serving, CountsFollowersWhileTheyAreThere) {
  auto channel = connect();
  ASSERT_TRUE(turn_until([&] { return node.server->stats().followers == 1; }));
  channel->abort();
  EXPECT_TRUE(turn_until([&] { return node.server->stats().followers == 0; }));
}

TEST_F(Serving, SaysWhyItGoes) {
  auto channel = connect();
  ASSERT_TRUE(turn_until([&] { return node.server->stats().followers == 1; }));
  node.stop();
  const Error why = last_words(channel);
  EXPECT_EQ(why.code, ErrorCode::kUnavailable);
  EXPECT_NE(why.message.find("shutting down"), std::string::npos) << why.message;
}

TEST_F(Serving, ServesItsHeadToOneThatClaimsToHoldMore) {
  ASSERT_TRUE(node.put({lt::entity("ns")}).has_value());
  auto channel = connect();
  send(*channel, wire::Follow{1000});
  const auto frames = run(receive(channel, 1));
  ASSERT_TRUE(frames.has_value());
  const auto parsed = wire::parse_frame(frames->front());
  ASSERT_TRUE(parsed.has_value());
  const auto head = ledger::parse_head(std::get<wire::HeadFrame>(parsed->frame).head);
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->head.size, 1U);
  EXPECT_TRUE(ledger::verify_head(*head));
}

TEST_F(Serving, AFullDiskTakesNothingAndLosesNothing) {
  ASSERT_TRUE(node.put({lt::entity("ns")}).has_value());
  const std::uint64_t size = std::filesystem::file_size(node.directory / "ledger.log");
  {
    const store::testing::FileSizeLimit full(size);
    const auto outcomes = node.put({lt::entity("alice")});
    ASSERT_FALSE(outcomes.has_value());
    EXPECT_EQ(outcomes.error().code, ErrorCode::kIo);
  }
  EXPECT_EQ(node.store->log().size(), 1U);
  EXPECT_EQ(node.server->stats().accepted, 1U);
  const auto again = node.put({lt::entity("alice")});
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_EQ((*again)[0].index, 1U);
}

class Limited : public Serving {
 protected:
  static ServerOptions few() {
    ServerOptions options;
    options.entries_per_second = 1;
    options.burst = 4;
    return options;
  }
  Limited() {
    node.stop();
    limited = std::make_unique<ServerNode>(*this, clock, few());
  }
  void TearDown() override {
    limited->stop();
    Serving::TearDown();
  }

  net::ChannelPtr connect() {
    auto channel = run(net::connect(limited->server->address(), 20s));
    EXPECT_TRUE(channel.has_value());
    const auto peer = run(session::open(*channel, {nullptr, wire::Role::kFollower, {}},
                                        lt::id("ledger"), wire::Role::kLedger));
    EXPECT_TRUE(peer.has_value());
    return *channel;
  }
  // 'y' for each of them that was taken, 'l' for each over the limit.
  std::string put(net::ChannelPtr channel, int first, int count) {
    std::vector<Bytes> objects;
    for (int i = first; i < first + count; ++i) {
      objects.push_back(lt::entity(std::to_string(i)).bytes);
    }
    send(*channel, wire::Submit{1, {objects.begin(), objects.end()}});
    const auto frames = run(receive(channel, 1));
    EXPECT_TRUE(frames.has_value());
    const auto parsed = wire::parse_frame(frames->front());
    std::string outcome;
    for (const auto& each : std::get<wire::SubmittedFrame>(parsed->frame).outcomes) {
      outcome += each.index ? 'y' : each.refusal.code == ErrorCode::kLimited ? 'l' : '?';
    }
    return outcome;
  }

  std::unique_ptr<ServerNode> limited;
};

TEST_F(Limited, AnAddressHasOneAllowanceHoweverManyConnections) {
  const auto one = connect();
  const auto other = connect();
  EXPECT_EQ(put(one, 0, 3), "yyy");
  EXPECT_EQ(put(other, 3, 1), "y");
  EXPECT_EQ(put(other, 4, 1), "l");
  EXPECT_EQ(put(connect(), 4, 1), "l");
  clock.advance(1s);
  EXPECT_EQ(put(one, 4, 1), "y");
  EXPECT_EQ(put(other, 5, 1), "l");
}

TEST_F(Limited, ASubmissionLargerThanTheBurstPassesInSlices) {
  const auto channel = connect();
  EXPECT_EQ(put(channel, 0, 10), "yyyyllllll");
  clock.advance(4s);
  EXPECT_EQ(put(channel, 4, 6), "yyyyll");
  clock.advance(2s);
  EXPECT_EQ(put(channel, 8, 2), "yy");
  EXPECT_EQ(limited->server->stats().accepted, 10U);
  EXPECT_EQ(limited->server->stats().limited, 8U);
}

TEST_F(Serving, AnAddressThatOnlyAsksIsHeardMoreAndMoreSlowly) {
  ASSERT_TRUE(node.put({lt::entity("ns")}).has_value());
  const auto channel = connect();
  // Each is worth a consistency proof and a signature.
  constexpr int kQuestions = 600;
  for (int i = 0; i < kQuestions; ++i) send(*channel, wire::Follow{1000});
  const auto began = std::chrono::steady_clock::now();
  ASSERT_TRUE(run(receive(channel, kQuestions)));
  EXPECT_GE(std::chrono::steady_clock::now() - began, 1s);
}

TEST_F(Serving, CallersThatDoNotWaitForTheLedgerAreRefusedAboveSoManyBytes) {
  const std::vector<Bytes> large(1000, Bytes(limits::kObjectBytes));
  int refused = 0;
  int answered = 0;
  constexpr int kSubmissions = 40;  // of 4 MB, while the loop does not turn
  for (int i = 0; i < kSubmissions; ++i) {
    node.server->submit(large, [&](const auto& outcomes) {
      ++answered;
      if (!outcomes && outcomes.error().code == ErrorCode::kLimited) ++refused;
    });
  }
  EXPECT_EQ(refused, kSubmissions - 16);
  ASSERT_TRUE(turn_until([&] { return answered == kSubmissions; }));
  EXPECT_TRUE(node.put({lt::entity("ns")}).has_value()) << "there is room again";
}

TEST(ServerAddress, IsTakenOnlyOnce) {
  net::testing::Loop loop;
  testing::ManualClock clock;
  ServerNode first(loop, clock);
  ServerOptions options;
  options.listen = first.server->address();
  Server second(loop.context, *first.store, lt::key("ledger"), clock, options, nullptr);
  const auto started = second.start();
  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(started.error().code, ErrorCode::kIo);
  EXPECT_NE(started.error().message.find(options.listen), std::string::npos);
}

}  // namespace
}  // namespace bw::ledger_embedded
