// SPDX-License-Identifier: Apache-2.0
#include "agent/sealing.hpp"

#include <gtest/gtest.h>

#include "agent/testing/logging_router.hpp"
#include "ledger/testing/objects.hpp"
#include "net/loopback_testing.hpp"
#include "store/file.hpp"
#include "store/testing/authority_probe.hpp"

// Two agents and a router that logs all it handles, over real sockets on one event loop, each with
// its own copy of the ledger.
namespace bw::agent {
namespace {

namespace lt = ledger::testing;
using lt::id;
using testing::LoggingRouter;
using Texts = std::vector<std::string>;

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
  return *wave::Pattern::parse(text);
}
Bytes text_payload(std::string_view text) {
  return syndication::encode_payload({{.type = 64U << 24U, .content = to_bytes(text)}});
}

struct Side {
  explicit Side(const Clock& clock) : replica(*store, clock, true) {}
  store::testing::TempDirectory directory;
  std::unique_ptr<store::AuthorityStore> store = store::testing::opened_store(directory / "a");
  replica::Replica replica;
};

// What a subscription or query was told.
struct Heard {
  std::vector<Received> messages;
  std::vector<SubscriptionEvent::Kind> events;
  std::string unopened_because;
  std::optional<Result<void>> end;

  [[nodiscard]] Texts texts() const {
    Texts out;
    for (const Received& message : messages) {
      const auto objects = syndication::parse_payload(message.payload);
      out.push_back(
          message.uri + "=" +
          (objects && !objects->empty() ? std::string(as_text(objects->at(0).content)) : ""));
    }
    return out;
  }
  [[nodiscard]] std::size_t count(SubscriptionEvent::Kind kind) const {
    return static_cast<std::size_t>(std::ranges::count(events, kind));
  }
  ConsumeHandlers handlers() {
    return {.on_message = [this](Received message) { messages.push_back(std::move(message)); },
            .on_event =
                [this](const SubscriptionEvent& event) {
                  events.push_back(event.kind);
                  if (event.kind == SubscriptionEvent::Kind::kUnopened) {
                    unopened_because = event.text;
                  }
                },
            .on_end = [this](Result<void> outcome) { end = std::move(outcome); }};
  }
};

using Kind = SubscriptionEvent::Kind;

class SealingTest : public ::testing::Test {
 protected:
  SealingTest() {
    tell_all({lt::entity("ns"), lt::entity("alice"), lt::entity("bob"), lt::entity("carol"),
              lt::entity("agent"), lt::entity("agent2"), lt::entity("router"),
              lt::offer("router", "ns", 1), lt::address("router", 2, router.address()),
              lt::acceptance("ns", "router", 1), lt::dot("ns", "alice")});
    restart();
    theirs = make_agent(their_side, "agent2", {});
  }
  ~SealingTest() override {
    loop.run(ours->stop());
    loop.run(theirs->stop());
    loop.run(router.stop());
  }

  std::unique_ptr<Agent> make_agent(Side& side, std::string_view name, SealingOptions options) {
    auto agent = std::make_unique<Agent>(loop.context, side.replica, key(name), clock, log,
                                         HeadExchange{}, std::move(options));
    agent->start();
    return agent;
  }
  // The publisher's agent, with what it remembers.
  void restart() {
    if (ours) loop.run(ours->stop());
    ours =
        make_agent(our_side, "agent",
                   {.directory = our_side.directory / "sealed", .key = [](const EntityKey& entity) {
                      for (const char* name : {"ns", "alice", "carol"}) {
                        if (id(name) == entity) return key(name);
                      }
                      return KeyPtr();
                    }});
  }

  static void tell(Side& side, const std::vector<wave::Object>& objects) {
    const auto taken = side.replica.append(lt::all_bytes(objects));
    ASSERT_TRUE(taken.has_value()) << taken.error().message;
  }
  void tell_all(const std::vector<wave::Object>& objects) {
    for (Side* side : {&router_side, &our_side, &their_side}) tell(*side, objects);
  }

  Result<void> publish(Value value, std::string_view who = "alice") {
    std::optional<Result<void>> outcome;
    ours->publish(key(who), {std::move(value)},
                  [&](const std::vector<Result<void>>& all) { outcome = all.at(0); });
    EXPECT_TRUE(loop.turn_until([&] { return outcome.has_value(); }));
    return *outcome;
  }
  static Value value(std::string_view uri, std::string_view text, bool persist, bool seal) {
    return {.ns = id("ns"),
            .uri = pattern(uri),
            .persist = persist,
            .expires = {},
            .consumers = 0,
            .payload = text_payload(text),
            .seal = seal};
  }
  void must_publish(std::string_view uri, std::string_view text, bool persist = false,
                    bool seal = true, std::string_view who = "alice") {
    const auto outcome = publish(value(uri, text, persist, seal), who);
    ASSERT_TRUE(outcome.has_value()) << outcome.error().message;
  }

  static ConsumeRequest request(std::string_view uri, std::string_view who) {
    ConsumeRequest out;
    out.key = key(who);
    out.ns = id("ns");
    out.pattern = pattern(uri);
    return out;
  }
  Agent::ConsumeId subscribe(Heard& told, std::string_view uri, std::string_view who,
                             bool keep_sealed = false) {
    ConsumeRequest wanted = request(uri, who);
    wanted.keep_sealed = keep_sealed;
    const auto subscription = theirs->subscribe(std::move(wanted), told.handlers());
    EXPECT_TRUE(loop.turn_until([&] { return told.count(Kind::kStanding) == 1 || told.end; }));
    return subscription;
  }
  Heard query(std::string_view uri, std::string_view who, bool keep_sealed = false) {
    Heard told;
    ConsumeRequest wanted = request(uri, who);
    wanted.keep_sealed = keep_sealed;
    theirs->query(std::move(wanted), told.handlers());
    EXPECT_TRUE(loop.turn_until([&] { return told.end.has_value(); }));
    return told;
  }
  bool reads(std::string_view uri, std::string_view who, const std::string& text) {
    return query(uri, who).texts() == Texts{std::string(uri) + "=" + text};
  }
  bool comes_to_read(std::string_view uri, std::string_view who, const std::string& text) {
    return loop.turn_until([&] { return reads(uri, who, text); });
  }
  // Everything under way gets its time; nothing is waited for in particular.
  void let_pass(Duration time) {
    const Time until = clock.now() + time;
    ASSERT_TRUE(loop.turn_until([&] { return clock.now() >= until; }));
  }
  void set_seals(const std::vector<std::string>& patterns) {
    syndication::SealSetting setting;
    for (const std::string& one : patterns) setting.patterns.push_back(pattern(one));
    Value put = value("!seal", "", true, false);
    put.payload = syndication::encode_payload({{syndication::kSealSettingType, encode(setting)}});
    ASSERT_TRUE(publish(std::move(put), "ns").has_value());
  }
  void announce() { tell_all({lt::dot("ns", "everyone", {.on = "!seal", .can = "C"})}); }

  net::testing::Loop loop;
  RunningClock clock;
  telemetry::Log log{{.level = telemetry::Level::kError}};
  Side router_side{clock};
  Side our_side{clock};
  Side their_side{clock};
  LoggingRouter router{loop.context, router_side.replica, lt::key("router"), clock};
  std::unique_ptr<Agent> ours;
  std::unique_ptr<Agent> theirs;
  Heard heard;
  Heard other;
};

// The test: all that the router handles, and no plaintext in it.
TEST_F(SealingTest, ARouterThatLogsAllItHandlesHasNoPlaintext) {
  tell_all({lt::dot("ns", "bob")});
  subscribe(heard, "*", "bob");
  must_publish("open", "words in clear", true, false);
  must_publish("shut/a", "very secret words", true);
  must_publish("shut/b", "whispered words");
  ASSERT_TRUE(loop.turn_until([&] { return heard.messages.size() == 3; }));
  EXPECT_EQ(heard.texts(),
            (Texts{"open=words in clear", "shut/a=very secret words", "shut/b=whispered words"}));
  EXPECT_FALSE(heard.messages[0].sealed);
  EXPECT_TRUE(heard.messages[1].sealed);
  EXPECT_TRUE(heard.messages[2].sealed);
  EXPECT_TRUE(reads("shut/a", "bob", "very secret words"));

  EXPECT_TRUE(router.has_handled("words in clear"));
  EXPECT_TRUE(router.has_handled("shut/a"));
  EXPECT_FALSE(router.has_handled("secret"));
  EXPECT_FALSE(router.has_handled("whispered"));
  // Nor of what kind it is: the payload object's number and length are inside.
  EXPECT_FALSE(router.has_handled(as_text(text_payload("very secret words")).substr(0, 8)));
}

TEST_F(SealingTest, AnEveryoneGrantKeepsItInClear) {
  tell_all({lt::dot("ns", "everyone", {.on = "public/*", .can = "C"})});
  must_publish("public/a", "for all", true);
  EXPECT_TRUE(router.has_handled("for all"));
  EXPECT_FALSE(query("public/a", "carol").messages.at(0).sealed);
}

TEST_F(SealingTest, ANewConsumerReadsWhatWasPersistedBefore) {
  subscribe(other, "a", "ns");
  must_publish("a", "old news", true);
  ASSERT_TRUE(loop.turn_until([&] { return other.messages.size() == 1; }));
  clock.skip(40s);
  tell_all({lt::dot("ns", "bob")});
  ASSERT_TRUE(comes_to_read("a", "bob", "old news"));
  EXPECT_TRUE(reads("a", "ns", "old news"));
  // It is as old as it was, and who had it is not told again.
  const Received renewed = query("a", "bob").messages.at(0);
  EXPECT_LT(renewed.created, clock.now() - 40s);
  EXPECT_EQ(ours->seal_stats().renewed, 1U);
  must_publish("a", "fresh news", true);
  ASSERT_TRUE(loop.turn_until([&] { return other.messages.size() == 2; }));
  EXPECT_EQ(other.texts(), (Texts{"a=old news", "a=fresh news"}));
  EXPECT_FALSE(router.has_handled("old news"));
}

TEST_F(SealingTest, ASubscriberThatCouldNotOpenItIsToldWhenItCan) {
  must_publish("a", "old news", true);
  // Consumer and router know of the grant before the publisher does.
  const auto grant = lt::dot("ns", "bob");
  tell(router_side, {grant});
  tell(their_side, {grant});
  ConsumeRequest wanted = request("a", "bob");
  wanted.replay = true;
  theirs->subscribe(std::move(wanted), heard.handlers());
  ASSERT_TRUE(loop.turn_until([&] { return heard.count(Kind::kUnopened) == 1; }));
  EXPECT_NE(heard.unopened_because.find("sealed for others"), std::string::npos);
  EXPECT_TRUE(heard.messages.empty());
  tell(our_side, {grant});
  ASSERT_TRUE(loop.turn_until([&] { return heard.messages.size() == 1; }));
  EXPECT_EQ(heard.texts(), Texts{"a=old news"});
}

TEST_F(SealingTest, ItIsRenewedAfterARestart) {
  must_publish("a", "kept", true);
  restart();
  let_pass(500ms);
  EXPECT_EQ(ours->seal_stats().renewed, 0U);  // nobody new
  tell_all({lt::dot("ns", "bob")});
  EXPECT_TRUE(comes_to_read("a", "bob", "kept"));
  // Nothing of it is in clear in the agent's directory.
  for (const auto& entry : std::filesystem::directory_iterator(our_side.directory / "sealed")) {
    const auto file = store::File::open(entry.path(), 0);
    const auto bytes = store::read_whole(*file, 1 << 20);
    EXPECT_EQ(as_text(*bytes).find("kept"), std::string_view::npos);
  }
}

TEST_F(SealingTest, AGrantToEveryoneOpensWhatWasSealed) {
  must_publish("a", "for all now", true);
  EXPECT_FALSE(router.has_handled("for all now"));
  tell_all({lt::dot("ns", "everyone", {.on = "a", .can = "C"})});
  EXPECT_TRUE(comes_to_read("a", "carol", "for all now"));
  EXPECT_FALSE(query("a", "carol").messages.at(0).sealed);
}

TEST_F(SealingTest, RenewingUndoesNobodysWords) {
  tell_all({lt::dot("ns", "carol")});
  must_publish("a", "mine", true);
  must_publish("a", "theirs, later", true, false, "carol");
  must_publish("b", "mine, stays", true);
  tell_all({lt::dot("ns", "bob")});
  ASSERT_TRUE(comes_to_read("b", "bob", "mine, stays"));
  let_pass(500ms);
  EXPECT_TRUE(reads("a", "bob", "theirs, later"));
  EXPECT_EQ(ours->seal_stats().renewed, 1U);
}

// Another writer comes between the look and the renewal.
TEST_F(SealingTest, RenewingLosesToWhoeverWritesMeanwhile) {
  tell_all({lt::dot("ns", "carol")});
  subscribe(other, "z", "carol");  // so that she writes at once
  must_publish("a", "mine", true);
  bool asked = false;
  bool written = false;
  router.on_query([&] {
    if (std::exchange(asked, true)) return;
    theirs->publish(key("carol"), {value("a", "theirs, meanwhile", true, false)},
                    [&](const auto& all) {
                      EXPECT_TRUE(all.at(0).has_value()) << all.at(0).error().message;
                      written = true;
                    });
  });
  clock.skip(40s);
  tell(our_side, {lt::dot("ns", "bob")});
  ASSERT_TRUE(loop.turn_until([&] { return written; }));
  let_pass(500ms);
  EXPECT_TRUE(reads("a", "ns", "theirs, meanwhile"));
}

TEST_F(SealingTest, WhatIsDeletedOrExpiredStaysSo) {
  must_publish("a", "gone", true);
  Value removal = value("a", "", true, true);
  removal.payload.clear();
  ASSERT_TRUE(publish(std::move(removal)).has_value());
  Value brief = value("b", "brief", true, true);
  brief.expires = clock.now() + 5s;
  ASSERT_TRUE(publish(std::move(brief)).has_value());
  clock.skip(6s);
  must_publish("c", "stays", true);
  tell_all({lt::dot("ns", "bob")});
  ASSERT_TRUE(comes_to_read("c", "bob", "stays"));
  EXPECT_TRUE(query("a", "bob").messages.empty());
  EXPECT_TRUE(query("b", "bob").messages.empty());
  EXPECT_EQ(ours->seal_stats().renewed, 1U);
}

// A publisher that may not read cannot see whether its value stands.
TEST_F(SealingTest, APublisherAloneRenewsWhereNobodyElseWrites) {
  tell_all({lt::dot("ns", "carol", {.on = "a/*", .can = "P"}),
            lt::dot("ns", "carol", {.on = "b/*", .can = "P"}),
            lt::dot("ns", "bob", {.on = "b/*", .can = "P"})});
  // alice, who may write everywhere, is gone.
  tell_all({lt::revoke_entity("alice", "alice")});
  must_publish("a/x", "mine", true, true, "carol");
  must_publish("b/x", "perhaps not mine", true, true, "carol");
  tell_all({lt::dot("ns", "bob", {.on = "*", .can = "C*"})});
  ASSERT_TRUE(comes_to_read("a/x", "bob", "mine"));
  let_pass(500ms);
  EXPECT_TRUE(query("b/x", "bob").messages.empty());
  EXPECT_EQ(query("b/x", "bob").count(Kind::kUnopened), 1U);
}

TEST_F(SealingTest, ARevokedConsumerCannotReadTheNextWhateverTheRouterLeaks) {
  const auto grant = lt::dot("ns", "bob");
  tell_all({grant});
  Heard& leaked = other;  // the bytes as they cross the router
  subscribe(leaked, "a", "ns", true);
  must_publish("a", "one");
  must_publish("a", "two");
  tell_all({lt::revoke_dot("ns", grant.id)});
  must_publish("a", "three");
  must_publish("a", "four", true);
  ASSERT_TRUE(loop.turn_until([&] { return leaked.messages.size() == 4; }));
  const EntityKey alice = id("alice");
  const EntityKey ns = id("ns");
  syndication::SealOpener bobs;
  syndication::SealOpener owners;
  for (std::size_t i = 0; i < 4; ++i) {
    const Bytes& payload = leaked.messages[i].payload;
    ASSERT_TRUE(syndication::is_sealed(payload));
    EXPECT_TRUE(owners.open({alice, ns, "a"}, payload, *key("ns")));
    EXPECT_EQ(bobs.open({alice, ns, "a"}, payload, *key("bob")).has_value(), i < 2) << i;
  }
}

TEST_F(SealingTest, ALateSubscriberGetsTheKeySoon) {
  tell_all({lt::dot("ns", "bob")});
  subscribe(other, "a", "ns");
  must_publish("a", "first");
  subscribe(heard, "a", "bob");
  // Within the pause this one carries no key, and waits for it at bob's agent.
  std::vector<Result<void>> outcomes;
  ours->publish(key("alice"), {value("a", "second", false, true)},
                [&](auto all) { outcomes = all; });
  ASSERT_TRUE(loop.turn_until([&] { return other.messages.size() == 2; }));
  clock.skip(1s);
  must_publish("a", "third");
  ASSERT_TRUE(loop.turn_until([&] { return heard.messages.size() == 2; }));
  EXPECT_EQ(heard.texts(), (Texts{"a=second", "a=third"}));
  EXPECT_EQ(heard.count(Kind::kUnopened), 0U);
}

// ---- the namespace's setting

TEST_F(SealingTest, TheNamespaceSaysWhereToSeal) {
  set_seals({"private/*"});
  must_publish("private/a", "not announced yet", true, false);
  EXPECT_TRUE(router.has_handled("not announced yet"));
  announce();
  must_publish("private/a", "kept private", true, false);
  must_publish("other", "kept open", true, false);
  EXPECT_FALSE(router.has_handled("kept private"));
  EXPECT_TRUE(router.has_handled("kept open"));
  EXPECT_TRUE(reads("private/a", "ns", "kept private"));
  // It is followed live.
  set_seals({"other"});
  let_pass(100ms);
  must_publish("other", "now closed", true, false);
  must_publish("private/a", "now open", true, false);
  EXPECT_FALSE(router.has_handled("now closed"));
  EXPECT_TRUE(router.has_handled("now open"));
  set_seals({});
  let_pass(100ms);
  must_publish("other", "open again", true, false);
  EXPECT_TRUE(router.has_handled("open again"));
}

TEST_F(SealingTest, ASettingThatIsWithheldSealsEverything) {
  announce();
  must_publish("a", "fails closed", true, false);
  EXPECT_FALSE(router.has_handled("fails closed"));
  EXPECT_TRUE(reads("a", "ns", "fails closed"));
}

TEST_F(SealingTest, AnOlderSettingIsNotBelieved) {
  set_seals({});
  announce();
  must_publish("other", "in clear", false, false);
  EXPECT_TRUE(router.has_handled("in clear"));
  set_seals({"*"});
  must_publish("a", "sealed one", false, false);
  EXPECT_FALSE(router.has_handled("sealed one"));
  restart();
  router.go_back_to(1);
  must_publish("a", "sealed two", false, false);
  EXPECT_FALSE(router.has_handled("sealed two"));
}

TEST_F(SealingTest, ADeletedSettingSealsEverything) {
  set_seals({});
  announce();
  Value removal = value("!seal", "", true, false);
  removal.payload.clear();
  ASSERT_TRUE(publish(std::move(removal), "ns").has_value());
  must_publish("a", "sealed", false, false);
  EXPECT_FALSE(router.has_handled("sealed"));
}

TEST_F(SealingTest, AGrantOnEverythingAnnouncesNothing) {
  tell_all({lt::dot("ns", "everyone", {.on = "+", .can = "C"})});
  must_publish("a/b", "in clear", true, false);
  EXPECT_TRUE(router.has_handled("in clear"));
}

TEST_F(SealingTest, WhatIsTooLargeOnceSealedIsRefused) {
  Value large = value("a", "", true, true);
  large.payload = text_payload(std::string(limits::kMessageBytes - 16, 'x'));
  const auto outcome = publish(std::move(large));
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().code, ErrorCode::kTooLarge);
}

}  // namespace
}  // namespace bw::agent
