// SPDX-License-Identifier: Apache-2.0
#include "agent/agent.hpp"

#include <gtest/gtest.h>

#include "ledger/testing/objects.hpp"
#include "net/loopback_testing.hpp"
#include "router/router.hpp"
#include "session/session.hpp"
#include "store/message_store.hpp"
#include "store/testing/authority_probe.hpp"
#include "syndication/message.hpp"

// Agent and routers over real sockets on one event loop, each with its own copy of the ledger, so
// that a test says who hears what when.
namespace bw::agent {
namespace {

namespace lt = ledger::testing;
using lt::id;

// Goes with the machine's, from where the test objects are valid.
class RunningClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override {
    const auto since = std::chrono::steady_clock::now() - began_;
    return lt::kNow + skipped_ + std::chrono::duration_cast<Duration>(since);
  }
  void skip(Duration by) { skipped_ += by; }

 private:
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  Duration skipped_{};
};

KeyPtr key(std::string_view name) {
  return {&lt::key(name), [](const crypto::SigningKey*) {}};
}
wave::Pattern pattern(std::string_view text) {
  auto parsed = wave::Pattern::parse(text);
  BW_ASSERT(parsed.has_value());
  return *std::move(parsed);
}
Bytes payload(std::string_view text) {
  return syndication::encode_payload({{.type = 1, .content = to_bytes(text)}});
}

struct Side {
  explicit Side(const Clock& clock) : replica(*store, clock, true) {}
  store::testing::TempDirectory directory;
  std::unique_ptr<store::AuthorityStore> store = store::testing::opened_store(directory / "a");
  replica::Replica replica;
};

struct RouterNode : Side {
  RouterNode(net::testing::Loop& turned, const Clock& wall_clock, telemetry::Log& logger,
             std::string_view name)
      : Side(wall_clock), loop(turned), clock(wall_clock), log(logger), key_name(name) {
    auto opened = store::open_message_store(directory / "messages");
    EXPECT_TRUE(opened.has_value());
    messages = *std::move(opened);
    start("127.0.0.1:0");
  }
  ~RouterNode() { stop(); }
  void start(const std::string& listen) {
    router::Options options;
    options.listen = listen;
    router = std::make_unique<router::Router>(loop.context, replica, *messages, lt::key(key_name),
                                              clock, log, router::HeadExchange{}, options);
    const auto started = router->start();
    ASSERT_TRUE(started.has_value()) << started.error().message;
  }
  void stop() {
    if (router) loop.run(router->stop());
    router.reset();
  }

  net::testing::Loop& loop;
  const Clock& clock;
  telemetry::Log& log;
  std::string_view key_name;
  std::unique_ptr<syndication::MessageStore> messages;
  std::unique_ptr<router::Router> router;
};

// What a subscription or query was told.
struct Heard {
  std::vector<std::string> texts;
  std::vector<SubscriptionEvent::Kind> events;
  std::vector<Result<void>> ends;

  [[nodiscard]] std::size_t count(SubscriptionEvent::Kind kind) const {
    return static_cast<std::size_t>(std::ranges::count(events, kind));
  }
  ConsumeHandlers handlers() {
    return {.on_message =
                [this](const Received& message) {
                  EXPECT_TRUE(ends.empty()) << "a message after the end";
                  const auto objects = syndication::parse_payload(message.payload);
                  ASSERT_TRUE(objects.has_value());
                  texts.push_back(message.uri + "=" + std::string(as_text(objects->at(0).content)));
                },
            .on_event =
                [this](const SubscriptionEvent& event) {
                  EXPECT_TRUE(ends.empty()) << "an event after the end";
                  events.push_back(event.kind);
                },
            .on_end = [this](Result<void> outcome) { ends.push_back(std::move(outcome)); }};
  }
};

using Kind = SubscriptionEvent::Kind;
using Texts = std::vector<std::string>;

class AgentTest : public ::testing::Test {
 protected:
  AgentTest() {
    tell_all({lt::entity("ns"), lt::entity("alice"), lt::entity("bob"), lt::entity("agent"),
              lt::entity("router"), lt::entity("router2"), lt::offer("router", "ns", 1),
              lt::address("router", 2, first.router->address()), lt::acceptance("ns", "router", 1),
              lt::dot("ns", "alice")});
    agent.start();
  }
  ~AgentTest() override { stop(); }
  void stop() {
    if (!std::exchange(stopped, true)) loop.run(agent.stop());
  }

  static void tell(Side& side, const std::vector<wave::Object>& objects) {
    const auto taken = side.replica.append(lt::all_bytes(objects));
    ASSERT_TRUE(taken.has_value()) << taken.error().message;
  }
  void tell_all(const std::vector<wave::Object>& objects) {
    for (Side* side : std::initializer_list<Side*>{&first, &second, &own}) tell(*side, objects);
  }

  void publish(std::string_view uri, std::string_view text, bool persist = false,
               std::string_view who = "alice") {
    agent.publish(key(who), {{id("ns"), pattern(uri), persist, {}, 0, payload(text)}},
                  [this](const std::vector<Result<void>>& outcomes) {
                    ASSERT_EQ(outcomes.size(), 1U);
                    published.push_back(outcomes[0]);
                  });
  }
  void publish_and_wait(std::string_view uri, std::string_view text, bool persist = false) {
    const std::size_t before = published.size();
    publish(uri, text, persist);
    ASSERT_TRUE(loop.turn_until([&] { return published.size() > before; }));
    ASSERT_TRUE(published.back().has_value()) << published.back().error().message;
  }
  ConsumeRequest request(std::string_view what, std::string_view who = "alice") {
    ConsumeRequest out;
    out.key = key(who);
    out.ns = id("ns");
    out.pattern = pattern(what);
    return out;
  }
  Agent::ConsumeId subscribe(Heard& told, std::string_view what = "*",
                             std::string_view who = "alice") {
    return agent.subscribe(request(what, who), told.handlers());
  }
  bool standing(const Heard& told, std::size_t times = 1) {
    return loop.turn_until([&] { return told.count(Kind::kStanding) >= times; });
  }
  bool ended(const Heard& told) {
    return loop.turn_until([&] { return !told.ends.empty(); });
  }
  // Everything under way gets its time; nothing is waited for in particular.
  void let_pass(Duration time) {
    const Time until = clock.now() + time;
    ASSERT_TRUE(loop.turn_until([&] { return clock.now() >= until; }));
  }
  static std::optional<ErrorCode> code(const Result<void>& outcome) {
    return outcome ? std::nullopt : std::optional(outcome.error().code);
  }

  net::testing::Loop loop;
  RunningClock clock;
  telemetry::Log log{{.level = telemetry::Level::kError}};
  RouterNode first{loop, clock, log, "router"};
  RouterNode second{loop, clock, log, "router2"};
  Side own{clock};
  Agent agent{loop.context, own.replica, key("agent"), clock, log, {}};
  bool stopped = false;
  std::vector<Result<void>> published;
  Heard heard;
  Heard other;
};

TEST_F(AgentTest, WhatIsPublishedArrives) {
  subscribe(heard, "a/+");
  ASSERT_TRUE(standing(heard));
  publish_and_wait("a/b", "one");
  publish_and_wait("b", "not asked for");
  publish_and_wait("a/c", "two");
  ASSERT_TRUE(loop.turn_until([&] { return heard.texts.size() == 2; }));
  EXPECT_EQ(heard.texts, (Texts{"a/b=one", "a/c=two"}));
}

TEST_F(AgentTest, ManyValuesGetAnOutcomeEach) {
  std::vector<Result<void>> outcomes;
  int calls = 0;
  agent.publish(key("alice"),
                {{id("ns"), pattern("a"), false, {}, 0, payload("1")},
                 {id("bob"), pattern("a"), false, {}, 0, payload("no grant there")},
                 {id("ns"), pattern("b"), true, {}, 0, payload("2")}},
                [&](std::vector<Result<void>> all) {
                  ++calls;
                  outcomes = std::move(all);
                });
  clock.skip(3s);
  ASSERT_TRUE(loop.turn_until([&] { return calls > 0 || (clock.skip(1s), false); }));
  ASSERT_EQ(outcomes.size(), 3U);
  EXPECT_TRUE(outcomes[0].has_value());
  EXPECT_EQ(code(outcomes[1]), ErrorCode::kNotFound);
  EXPECT_TRUE(outcomes[2].has_value());
  EXPECT_EQ(calls, 1);
  calls = 0;
  agent.publish(key("alice"), {}, [&](const auto& none) {
    EXPECT_TRUE(none.empty());
    ++calls;
  });
  EXPECT_EQ(calls, 1);
}

TEST_F(AgentTest, WithoutAGrantItIsRefusedAtOnce) {
  publish("a", "x", false, "bob");
  subscribe(heard, "*", "bob");
  ASSERT_TRUE(loop.turn_until([&] { return !published.empty(); }));
  EXPECT_EQ(code(published[0]), ErrorCode::kDenied);
  ASSERT_TRUE(ended(heard));
  ASSERT_EQ(heard.ends.size(), 1U);
  EXPECT_EQ(code(heard.ends[0]), ErrorCode::kDenied);
}

// Nodes follow the ledger each at its own pace.
TEST_F(AgentTest, WaitsForARouterThatDoesNotKnowTheGrantYet) {
  const auto grant = lt::dot("ns", "bob");
  tell(own, {grant});
  publish("a", "x", false, "bob");
  subscribe(heard, "*", "bob");
  ASSERT_TRUE(loop.turn_until([&] { return first.router->stats().refused >= 2; }));
  EXPECT_TRUE(published.empty());
  EXPECT_TRUE(heard.ends.empty());
  tell(first, {grant});
  ASSERT_TRUE(loop.turn_until([&] { return !published.empty(); }));
  EXPECT_TRUE(published[0].has_value()) << published[0].error().message;
  EXPECT_TRUE(standing(heard));
}

TEST_F(AgentTest, PersistedValuesAreFoundByQueryAndList) {
  publish_and_wait("a/b", "parent", true);
  publish_and_wait("a/b/c", "child", true);
  publish_and_wait("a/b/d/e", "below", true);
  agent.query(request("a/*"), heard.handlers());
  ASSERT_TRUE(ended(heard));
  std::ranges::sort(heard.texts);
  EXPECT_EQ(heard.texts, (Texts{"a/b/c=child", "a/b/d/e=below", "a/b=parent"}));
  ASSERT_EQ(heard.ends.size(), 1U);
  EXPECT_TRUE(heard.ends[0].has_value());
  std::optional<Result<std::vector<std::string>>> names;
  agent.list(key("alice"), id("ns"), pattern("a/b/+"), [&](auto found) { names = found; });
  ASSERT_TRUE(loop.turn_until([&] { return names.has_value(); }));
  ASSERT_TRUE(names->has_value()) << names->error().message;
  EXPECT_EQ(**names, (Texts{"c", "d"}));
}

TEST_F(AgentTest, ReplayBringsWhatStandsFirst) {
  publish_and_wait("a", "stored", true);
  auto wanted = request("*");
  wanted.replay = true;
  agent.subscribe(wanted, heard.handlers());
  ASSERT_TRUE(loop.turn_until([&] { return heard.texts.size() == 1; }));
  EXPECT_EQ(heard.texts[0], "a=stored");
}

TEST_F(AgentTest, CancellingEndsItOnceAndForGood) {
  const auto cancelled = subscribe(heard);
  subscribe(other);
  ASSERT_TRUE(standing(heard) && standing(other));
  agent.cancel(cancelled);
  ASSERT_EQ(heard.ends.size(), 1U);
  EXPECT_TRUE(heard.ends[0].has_value());
  agent.cancel(cancelled);
  publish_and_wait("a", "after");
  ASSERT_TRUE(loop.turn_until([&] { return other.texts.size() == 1; }));
  EXPECT_EQ(heard.ends.size(), 1U);
  EXPECT_TRUE(heard.texts.empty());
  ASSERT_TRUE(loop.turn_until([&] { return first.router->stats().subscriptions == 1; }));
}

TEST_F(AgentTest, CancellingBeforeItWasAskedIsFine) {
  agent.cancel(subscribe(heard));
  EXPECT_EQ(heard.ends.size(), 1U);
  publish_and_wait("a", "x");
  EXPECT_EQ(heard.ends.size(), 1U);
  EXPECT_EQ(first.router->stats().subscriptions, 0U);
}

TEST_F(AgentTest, RevocationEndsALiveSubscription) {
  const auto grant = lt::dot("ns", "bob");
  tell_all({grant});
  subscribe(heard, "*", "bob");
  ASSERT_TRUE(standing(heard));
  tell_all({lt::revoke_dot("ns", grant.id)});
  ASSERT_TRUE(ended(heard));
  ASSERT_EQ(heard.ends.size(), 1U);
  EXPECT_FALSE(heard.ends[0].has_value());
}

// ---- routers come, go and move

TEST_F(AgentTest, SubscriptionsSurviveARestartOfTheRouter) {
  subscribe(heard);
  ASSERT_TRUE(standing(heard));
  const std::string address = first.router->address();
  first.stop();
  ASSERT_TRUE(loop.turn_until([&] { return heard.count(Kind::kDisconnected) == 1; }));
  first.start(address);
  ASSERT_TRUE(standing(heard, 2));
  publish_and_wait("a", "after");
  EXPECT_TRUE(loop.turn_until([&] { return heard.texts == Texts{"a=after"}; }));
  EXPECT_TRUE(heard.ends.empty());
}

TEST_F(AgentTest, SubscriptionsFollowTheRoutersAddress) {
  subscribe(heard);
  ASSERT_TRUE(standing(heard));
  first.stop();
  first.start("127.0.0.1:0");
  tell_all({lt::address("router", 3, first.router->address())});
  ASSERT_TRUE(standing(heard, 2));
  publish_and_wait("a", "there");
  EXPECT_TRUE(loop.turn_until([&] { return heard.texts == Texts{"a=there"}; }));
}

TEST_F(AgentTest, SubscriptionsFollowAChangeOfRouter) {
  subscribe(heard);
  ASSERT_TRUE(standing(heard));
  tell_all({lt::offer("router2", "ns", 1), lt::address("router2", 2, second.router->address()),
            lt::acceptance("ns", "router2", 2)});
  ASSERT_TRUE(standing(heard, 2));
  EXPECT_EQ(heard.count(Kind::kMoved), 1U);
  publish_and_wait("a", "there");
  EXPECT_TRUE(loop.turn_until([&] { return heard.texts == Texts{"a=there"}; }));
  EXPECT_EQ(second.router->stats().subscriptions, 1U);
  EXPECT_TRUE(heard.ends.empty());
}

TEST_F(AgentTest, ANamespaceWithoutARouterIsToldOfOnce) {
  subscribe(heard);
  ASSERT_TRUE(standing(heard));
  tell_all({lt::acceptance("ns", "router", 2, true)});
  ASSERT_TRUE(loop.turn_until([&] { return heard.count(Kind::kDisconnected) == 1; }));
  let_pass(1s);  // it is tried again several times
  EXPECT_EQ(heard.count(Kind::kMoved), 1U);
  EXPECT_EQ(heard.count(Kind::kDisconnected), 1U);
  tell_all({lt::acceptance("ns", "router", 3)});
  EXPECT_TRUE(standing(heard, 2));
  EXPECT_TRUE(heard.ends.empty());
}

TEST_F(AgentTest, AFirstAttemptGivesUpWhenNobodyAnswers) {
  first.stop();
  subscribe(heard);
  publish("a", "x");
  ASSERT_TRUE(loop.turn_until([&] { return !agent.sessions().empty(); }));
  EXPECT_TRUE(heard.ends.empty() && published.empty());
  clock.skip(10s);
  ASSERT_TRUE(ended(heard));
  EXPECT_EQ(code(heard.ends[0]), ErrorCode::kUnavailable);
  ASSERT_TRUE(loop.turn_until([&] { return !published.empty(); }));
  EXPECT_EQ(code(published[0]), ErrorCode::kUnavailable);
}

// A router that ends each session at its first frame, with a reason of its own.
class RudeRouter {
 public:
  RudeRouter(net::testing::Loop& loop, ErrorCode reason)
      : loop_(loop), reason_(reason), tasks_(loop.context.get_executor()) {
    auto bound = net::Listener::bind(loop.context, "127.0.0.1:0");
    BW_ASSERT(bound.has_value());
    listener_ = *std::move(bound);
    tasks_.spawn(listener_->run([this](net::ChannelPtr channel) { tasks_.spawn(serve(channel)); }));
  }
  ~RudeRouter() {
    listener_->stop();
    loop_.run(tasks_.join());
  }
  [[nodiscard]] std::string address() const { return listener_->address(); }
  [[nodiscard]] int asked() const { return asked_; }

 private:
  net::Task<void> serve(net::ChannelPtr channel) {
    session::Self self{&lt::key("router2"), syndication::Role::kRouter, {}};
    session::Welcome anybody = [](const session::Peer&) { return Result<void>{}; };
    const auto peer = co_await session::accept(channel, std::move(self), std::move(anybody));
    if (!peer) co_return;
    session::OnFrames on_frames = [this](auto) -> Result<void> {
      ++asked_;
      return fail(reason_, "I do not like it");
    };
    co_await session::run(channel, std::move(on_frames));
  }

  net::testing::Loop& loop_;
  ErrorCode reason_;
  net::TaskGroup tasks_;
  decltype(net::Listener::bind(loop_.context, ""))::value_type listener_;
  int asked_ = 0;
};

// What ends a session is nobody's subscription, whatever the router says.
TEST_F(AgentTest, ASubscriptionOutlivesSessionsThatEndWithAnyReason) {
  const RudeRouter rude(loop, ErrorCode::kMalformed);
  subscribe(heard);
  ASSERT_TRUE(standing(heard));
  tell_all({lt::offer("router2", "ns", 1), lt::address("router2", 2, rude.address()),
            lt::acceptance("ns", "router2", 2)});
  EXPECT_TRUE(loop.turn_until([&] { return rude.asked() >= 2; }));
  EXPECT_TRUE(heard.ends.empty());
  tell_all({lt::acceptance("ns", "router2", 3, true), lt::acceptance("ns", "router", 4)});
  EXPECT_TRUE(standing(heard, 2));
  stop();
}

// The router may have delivered it before the session ended.
TEST_F(AgentTest, WhatWasSentAndNotAnsweredIsNotSentAgain) {
  const RudeRouter rude(loop, ErrorCode::kUnavailable);
  tell_all({lt::offer("router2", "ns", 1), lt::address("router2", 2, rude.address()),
            lt::acceptance("ns", "router2", 2)});
  publish("a", "x");
  publish("b", "y", true);
  ASSERT_TRUE(loop.turn_until([&] { return published.size() == 2; }));
  for (const auto& outcome : published) EXPECT_EQ(code(outcome), ErrorCode::kUnavailable);
  let_pass(1s);
  EXPECT_EQ(rude.asked(), 1);
  EXPECT_EQ(published.size(), 2U);
  stop();
}

// ---- the end

TEST_F(AgentTest, StoppingAnswersEverythingOnce) {
  first.stop();
  Heard query;
  Heard listed;
  int lists = 0;
  const auto list = [&] {
    agent.list(key("alice"), id("ns"), pattern("+"), [&](const auto& names) {
      EXPECT_FALSE(names.has_value());
      ++lists;
    });
  };
  publish("a", "waits for a session");
  agent.publish(key("alice"),
                {{id("bob"), pattern("a"), false, {}, 0, payload("waits for a router")}},
                [this](const auto& outcomes) { published.push_back(outcomes.at(0)); });
  subscribe(heard);
  agent.query(request("*"), query.handlers());
  list();
  ASSERT_TRUE(loop.turn_until([&] { return !agent.sessions().empty(); }));
  stop();
  EXPECT_EQ(published.size(), 2U);
  for (const auto& outcome : published) EXPECT_EQ(code(outcome), ErrorCode::kUnavailable);
  EXPECT_EQ(heard.ends.size(), 1U);
  EXPECT_EQ(query.ends.size(), 1U);
  EXPECT_EQ(lists, 1);
  // And what comes too late.
  publish("a", "late");
  subscribe(other);
  list();
  ASSERT_TRUE(ended(other));
  EXPECT_EQ(published.size(), 3U);
  EXPECT_EQ(lists, 2);
}

}  // namespace
}  // namespace bw::agent
