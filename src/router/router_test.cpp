// SPDX-License-Identifier: Apache-2.0
#include "router/router.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/keys.hpp"
#include "ledger/testing/objects.hpp"
#include "net/loopback_testing.hpp"
#include "session/session.hpp"
#include "store/message_store.hpp"
#include "store/testing/authority_probe.hpp"
#include "syndication/client_session.hpp"

// A router of one thread and of several, with real sockets. The test's own thread is the router's
// first one and that of all clients.
namespace bw::router {
namespace {

namespace lt = ledger::testing;
namespace sy = syndication;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RunningClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override {
    const auto since = std::chrono::steady_clock::now() - began_;
    return lt::kNow + std::chrono::duration_cast<Duration>(since);
  }

 private:
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

// One agent's session.
class Client {
 public:
  Client(net::testing::Loop& loop, const wave::AuthorityView& view, const Clock& clock)
      : loop_(loop), clock_(clock), grants_(view, 1000), tasks_(loop.context.get_executor()) {}
  ~Client() { loop_.run(tasks_.join()); }

  // Why it did not work, if it did not.
  std::optional<Error> open(const std::string& address, std::string_view name) {
    auto channel = loop_.run(net::connect(address, 20s));
    if (!channel) return channel.error();
    channel_ = *std::move(channel);
    const session::Self self{&lt::key(name), sy::Role::kAgent, {}};
    const auto peer = loop_.run(session::open(channel_, self, lt::id("router"), sy::Role::kRouter));
    if (!peer) return peer.error();
    session_ =
        std::make_unique<sy::ClientSession>(channel_->exporter(), grants_, crypto::system_random());
    tasks_.spawn(run());
    return std::nullopt;
  }

  void send(std::string_view who, std::string_view uri, std::string_view text,
            std::shared_ptr<const wave::Proof> proof, bool persist = false) {
    auto message = outgoing(who, uri, std::move(proof));
    message.type = persist ? sy::MessageType::kPersist : sy::MessageType::kPublish;
    message.payload = sy::encode_payload({{.type = 1, .content = to_bytes(text)}});
    session_->send_value(message, [this](const Result<void>& outcome) {
      outcome ? ++accepted : ++refused;
      if (!outcome) last_refusal = outcome.error().code;
    });
  }
  void subscribe(std::string_view who, std::string_view uri,
                 std::shared_ptr<const wave::Proof> proof) {
    auto request = outgoing(who, uri, std::move(proof));
    request.type = sy::MessageType::kSubscribe;
    session_->consume(
        request,
        {.on_message =
             [this](const sy::Delivery& delivery) {
               const auto objects = sy::parse_payload(delivery.payload);
               heard[delivery.topic.uri.text()].emplace_back(as_text(objects->at(0).content));
             },
         .on_state = [this](const Result<void>& state) { state ? ++standing : ++over; },
         .on_lost = {}});
    flush();
    ASSERT_TRUE(loop_.turn_until([&] { return standing > 0 || over > 0; }));
  }
  void flush() {
    Bytes out;
    session_->flush(clock_.now(), out);
    if (!out.empty()) channel_->send(std::move(out));
  }
  // Until the router has answered all that was sent.
  void settle() {
    flush();
    ASSERT_TRUE(loop_.turn_until([&] { return session_->unacknowledged() == 0 || ended; }));
  }

  std::map<std::string, std::vector<std::string>> heard;
  int accepted = 0;
  int refused = 0;
  int standing = 0;
  int over = 0;
  std::optional<ErrorCode> last_refusal;
  std::optional<Error> ended;

 private:
  static sy::Outgoing outgoing(std::string_view who, std::string_view uri,
                               std::shared_ptr<const wave::Proof> proof) {
    sy::Outgoing message;
    message.key = {&lt::key(who), [](const crypto::SigningKey*) {}};
    message.topic = {lt::id("ns"), wave::proof_hash(*proof), *wave::Pattern::parse(uri)};
    message.proof = std::move(proof);
    return message;
  }
  net::Task<void> run() {
    session::OnFrames on_frames = [this](std::span<const ByteView> frames) -> Result<void> {
      auto received = session_->receive(frames, clock_.now());
      flush();
      return received;
    };
    ended = co_await session::run(channel_, std::move(on_frames));
    session_->end(*ended);
  }

  net::testing::Loop& loop_;
  const Clock& clock_;
  sy::GrantCache grants_;
  net::TaskGroup tasks_;
  net::ChannelPtr channel_;
  std::unique_ptr<sy::ClientSession> session_;
};

class RouterTest : public ::testing::TestWithParam<std::size_t> {
 protected:
  RouterTest() {
    tell({lt::entity("ns"), lt::entity("router"), lt::entity("alice"), lt::entity("bob"),
          lt::entity("mallory"), lt::offer("router", "ns", 1), lt::acceptance("ns", "router", 1)});
    for (const char* name : {"alice", "bob"}) grant(name, "*");
    grant("mallory", "hers/*");
    auto opened = store::open_message_store(directory / "messages");
    EXPECT_TRUE(opened.has_value());
    messages = *std::move(opened);
    Options options;
    options.listen = "127.0.0.1:0";
    options.threads = GetParam();
    router = std::make_unique<Router>(loop.context, replica, *messages, lt::key("router"), clock,
                                      log, HeadExchange{}, options);
    const auto started = router->start();
    EXPECT_TRUE(started.has_value());
  }
  ~RouterTest() override {
    clients.clear();
    stop();
  }
  void stop() {
    if (router) loop.run(router->stop());
    router.reset();
  }

  void tell(const std::vector<wave::Object>& objects) {
    const auto taken = replica.append(lt::all_bytes(objects));
    ASSERT_TRUE(taken.has_value()) << taken.error().message;
  }
  void grant(const std::string& to, std::string_view uri) {
    const auto dot = lt::dot("ns", to, {.on = uri});
    tell({dot});
    proofs[to] = std::make_shared<const wave::Proof>(wave::Proof{{dot}});
  }
  Client& client(std::string_view name) {
    clients.push_back(std::make_unique<Client>(loop, replica, clock));
    const auto trouble = clients.back()->open(router->address(), name);
    EXPECT_FALSE(trouble.has_value()) << trouble->message;
    return *clients.back();
  }
  // The router has dealt with whatever it had.
  void pass_a_moment(Client& through) {
    through.send("bob", "moment", "x", proofs["bob"]);
    through.settle();
  }

  net::testing::Loop loop;
  RunningClock clock;
  telemetry::Log log{{.level = telemetry::Level::kError}};
  store::testing::TempDirectory directory;
  std::unique_ptr<store::AuthorityStore> authority = store::testing::opened_store(directory / "a");
  replica::Replica replica{*authority, clock, true};
  std::unique_ptr<syndication::MessageStore> messages;
  std::unique_ptr<Router> router;
  std::map<std::string, std::shared_ptr<const wave::Proof>> proofs;
  std::vector<std::unique_ptr<Client>> clients;
};

std::vector<std::string> numbers(int count) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) all.push_back(std::to_string(i));
  return all;
}

TEST_P(RouterTest, EverySubscriberHearsEveryPublisherInOrder) {
  constexpr int kRounds = 40;
  constexpr int kEach = 25;
  std::vector<Client*> listeners{&client("bob"), &client("bob"), &client("alice")};
  for (Client* listener : listeners) listener->subscribe("bob", "*", proofs["bob"]);
  std::vector<Client*> publishers{&client("alice"), &client("alice"), &client("bob"),
                                  &client("alice")};
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t i = 0; i < publishers.size(); ++i) {
      for (int k = 0; k < kEach; ++k) {
        publishers[i]->send("alice", "from/" + std::to_string(i), std::to_string(round * kEach + k),
                            proofs["alice"]);
      }
      publishers[i]->flush();
    }
    loop.context.poll();
  }
  for (Client* publisher : publishers) publisher->settle();
  for (Client* publisher : publishers) EXPECT_EQ(publisher->accepted, kRounds * kEach);
  const auto expected = numbers(kRounds * kEach);
  for (Client* listener : listeners) {
    const auto all_there = [&] {
      return listener->heard.size() == publishers.size() &&
             std::ranges::all_of(listener->heard, [&](const auto& entry) {
               return entry.second.size() >= expected.size();
             });
    };
    ASSERT_TRUE(loop.turn_until(all_there));
    for (const auto& [uri, texts] : listener->heard) EXPECT_EQ(texts, expected) << uri;
  }
  EXPECT_EQ(router->stats().sessions, listeners.size() + publishers.size());
  EXPECT_EQ(router->stats().messages_out, 3U * 4U * kRounds * kEach);
}

TEST_P(RouterTest, PersistedMessagesAreThereForWhoeverAsks) {
  Client& alice = client("alice");
  for (int i = 0; i < 50; ++i) {
    alice.send("alice", "kept/" + std::to_string(i), "x", proofs["alice"], true);
  }
  alice.settle();
  EXPECT_EQ(alice.accepted, 50);
  EXPECT_EQ(router->stats().persisted, 50U);
}

TEST_P(RouterTest, NothingIsDeliveredAfterARevocation) {
  Client& bob = client("bob");
  bob.subscribe("bob", "*", proofs["bob"]);
  Client& alice = client("alice");
  Client& other = client("bob");
  for (int i = 0; i < 200; ++i) {
    alice.send("alice", "a", std::to_string(i), proofs["alice"]);
    i == 0 ? alice.settle() : alice.flush();  // a right in use
  }
  loop.context.poll();
  tell({lt::revoke_dot("ns", proofs["alice"]->dots[0].id)});
  // The news is the first thing that the router's thread does next.
  pass_a_moment(other);
  const std::size_t heard = bob.heard["a"].size();
  for (int i = 0; i < 50; ++i) {
    alice.send("alice", "a", "late", proofs["alice"]);
    alice.flush();
  }
  alice.settle();
  pass_a_moment(other);
  ASSERT_TRUE(loop.turn_until([&] { return bob.heard["moment"].size() == 2; }));
  EXPECT_EQ(alice.last_refusal, ErrorCode::kRevoked);
  EXPECT_GE(alice.refused, 50);
  EXPECT_THAT(router->blacklist(), IsEmpty());
  const auto& texts = bob.heard["a"];
  EXPECT_EQ(std::ranges::count(texts, "late"), 0);
  EXPECT_EQ(texts, numbers(static_cast<int>(texts.size())));
  EXPECT_GE(texts.size(), heard);
  EXPECT_EQ(texts.size(), static_cast<std::size_t>(alice.accepted));
}

TEST_P(RouterTest, RevokedSubscriberIsToldAndHearsNoMore) {
  Client& bob = client("bob");
  bob.subscribe("bob", "*", proofs["bob"]);
  Client& alice = client("alice");
  tell({lt::revoke_dot("ns", proofs["bob"]->dots[0].id)});
  ASSERT_TRUE(loop.turn_until([&] { return bob.over == 1; }));
  alice.send("alice", "a", "late", proofs["alice"]);
  alice.settle();
  EXPECT_THAT(bob.heard, IsEmpty());
  EXPECT_EQ(router->stats().subscriptions, 0U);
}

TEST_P(RouterTest, BanHoldsOnEveryThreadAndAtTheDoor) {
  std::vector<Client*> hers;
  for (int i = 0; i < 4; ++i) hers.push_back(&client("mallory"));
  Client& bob = client("bob");
  for (int i = 0; i < 20; ++i) hers[0]->send("mallory", "not/hers", "x", proofs["mallory"]);
  hers[0]->flush();
  for (Client* session : hers) {
    ASSERT_TRUE(loop.turn_until([&] { return session->ended.has_value(); }));
    EXPECT_EQ(session->ended->code, ErrorCode::kBlacklisted);
  }
  ASSERT_THAT(router->blacklist(), SizeIs(1));
  EXPECT_EQ(router->blacklist()[0].entity, lt::id("mallory"));
  Client again(loop, replica, clock);
  const auto trouble = again.open(router->address(), "mallory");
  ASSERT_TRUE(trouble.has_value());
  EXPECT_EQ(trouble->code, ErrorCode::kBlacklisted);
  pass_a_moment(bob);
  EXPECT_EQ(bob.accepted, 1);
}

TEST_P(RouterTest, MoreThanTheThreadsMayHoldBetweenThemGetsThroughAll) {
  Client& bob = client("bob");
  bob.subscribe("bob", "big", proofs["bob"]);
  Client& alice = client("alice");
  const std::string big(256 * 1024, 'x');
  constexpr int kMany = 160;  // 40 MiB, more than the channel between two threads takes
  for (int i = 0; i < kMany; ++i) {
    alice.send("alice", "big", big, proofs["alice"]);
    alice.flush();
  }
  alice.settle();
  EXPECT_EQ(alice.accepted, kMany);
  ASSERT_TRUE(loop.turn_until([&] { return bob.heard["big"].size() == kMany; }));
}

TEST_P(RouterTest, WhoBringsSomethingLeavesTheBackgroundAndWhoIsRefusedComesBack) {
  Client& alice = client("alice");
  Client& mallory = client("mallory");
  EXPECT_EQ(router->background_sessions(), 2U);
  alice.send("alice", "a", "x", proofs["alice"]);
  alice.settle();
  mallory.send("mallory", "hers/a", "x", proofs["mallory"]);
  mallory.settle();
  ASSERT_TRUE(loop.turn_until([&] { return router->background_sessions() == 0; }));
  const Time before = clock.now();
  mallory.send("mallory", "not/hers", "x", proofs["mallory"]);
  mallory.settle();
  EXPECT_EQ(mallory.refused, 1);
  ASSERT_TRUE(loop.turn_until([&] { return router->background_sessions() == 1; }));
  while (router->background_sessions() == 1) {
    mallory.send("mallory", "hers/a", "x", proofs["mallory"]);
    mallory.settle();
  }
  EXPECT_GE(clock.now() - before, 1s);  // of good conduct
  EXPECT_EQ(mallory.refused, 1);
}

TEST_P(RouterTest, NothingIsLostOnTheWayFromThreadToThread) {
  Client& mallory = client("mallory");
  mallory.subscribe("mallory", "hers/*", proofs["mallory"]);
  Client& alice = client("alice");
  constexpr int kMany = 2000;
  constexpr int kFaults = 5;  // fewer than lead to a ban
  for (int i = 0; i < kMany; ++i) {
    alice.send("alice", "hers/a", std::to_string(i), proofs["alice"]);
    alice.flush();
    if (i % (kMany / kFaults) == 0) {
      mallory.send("mallory", "not/hers", "x", proofs["mallory"]);
      mallory.flush();
    }
    if (i % 10 == 0) loop.context.poll();
  }
  alice.settle();
  mallory.settle();
  EXPECT_EQ(mallory.refused, kFaults);
  ASSERT_TRUE(loop.turn_until([&] { return mallory.heard["hers/a"].size() == kMany; }));
  EXPECT_EQ(mallory.heard["hers/a"], numbers(kMany));
}

TEST_P(RouterTest, StopEndsEverySessionWithTheReason) {
  std::vector<Client*> all;
  for (int i = 0; i < 6; ++i) all.push_back(&client("alice"));
  all[0]->subscribe("alice", "*", proofs["alice"]);
  stop();
  for (Client* one : all) {
    ASSERT_TRUE(loop.turn_until([&] { return one->ended.has_value(); }));
    EXPECT_EQ(one->ended->code, ErrorCode::kUnavailable);
    EXPECT_NE(one->ended->message.find("shutting down"), std::string::npos);
  }
}

TEST_P(RouterTest, SessionsThatGoLeaveNothingBehind) {
  for (int round = 0; round < 5; ++round) {
    client("alice").subscribe("alice", "*", proofs["alice"]);
    client("bob").subscribe("bob", "a/*", proofs["bob"]);
    clients.clear();
  }
  ASSERT_TRUE(loop.turn_until([&] { return router->stats().sessions == 0; }));
  EXPECT_EQ(router->stats().subscriptions, 0U);
}

INSTANTIATE_TEST_SUITE_P(Threads, RouterTest, ::testing::Values(1, 2, 3, 5));

}  // namespace
}  // namespace bw::router
