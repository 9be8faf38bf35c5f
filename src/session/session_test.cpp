// SPDX-License-Identifier: Apache-2.0
#include "session/session.hpp"

#include "ledger/testing/objects.hpp"
#include "net/loopback_testing.hpp"
#include "syndication/handshake.hpp"

namespace bw::session {
namespace {

namespace wire = syndication;
using ledger::testing::id;
using ledger::testing::key;
using wire::Role;

template <class T>
Bytes frame_of(const T& frame) {
  Bytes out;
  wire::encode_frame(frame, out);
  return out;
}

struct Ends {
  Result<Peer> client = fail(ErrorCode::kInternal, "not yet");
  Result<Peer> server = fail(ErrorCode::kInternal, "not yet");
  net::testing::Loopback::Pair channels;
};

struct Meeting {
  Self client{&key("alice"), Role::kAgent, {}};
  Self server{&key("router"), Role::kRouter, {}};
  EntityKey expected = id("router");
  Role expected_role = Role::kRouter;
  Welcome welcome = [](const Peer&) { return Result<void>{}; };
};

class Sessions : public net::testing::Loopback {
 protected:
  Ends meet(Meeting terms = {}) {
    if (!listener) listen();
    Ends ends{.channels = pair()};
    bool answered = false;
    tasks.spawn(serve(ends, terms, answered));
    ends.client =
        run(open(ends.channels.client, terms.client, terms.expected, terms.expected_role));
    EXPECT_TRUE(turn_until([&] { return answered; }));
    return ends;
  }
  static net::Task<void> serve(Ends& ends, Meeting terms, bool& answered) {
    ends.server = co_await accept(ends.channels.server, terms.server, terms.welcome);
    answered = true;
  }

  // Runs the server's end of a session and remembers what it got and how it ended.
  struct Served {
    std::vector<Bytes> frames;
    std::size_t calls = 0;
    std::optional<Error> ended;
  };
  Served served;  // outlives the task that writes to it
  void serve_on(const net::ChannelPtr& channel, Result<void> verdict = {}) {
    tasks.spawn(run_into(channel, served, std::move(verdict)));
  }
  static net::Task<void> run_into(net::ChannelPtr channel, Served& served, Result<void> verdict) {
    served.ended = co_await session::run(channel, [&](std::span<const ByteView> frames) {
      ++served.calls;
      for (const ByteView frame : frames) served.frames.push_back(to_bytes(frame));
      return verdict;
    });
  }
  Error end_of_run(net::ChannelPtr channel) {
    return Loop::run(session::run(std::move(channel), [](auto) { return Result<void>{}; }));
  }
  using Loop::run;
};

TEST_F(Sessions, BothEndsLearnWhoTheOtherIs) {
  Meeting terms;
  terms.client.head = to_bytes("client's head");
  terms.server.head = to_bytes("server's head");
  const Ends ends = meet(terms);
  ASSERT_TRUE(ends.client.has_value()) << ends.client.error().message;
  ASSERT_TRUE(ends.server.has_value()) << ends.server.error().message;
  EXPECT_EQ(ends.client->key, id("router"));
  EXPECT_EQ(ends.client->role, Role::kRouter);
  EXPECT_EQ(ends.client->head, to_bytes("server's head"));
  EXPECT_EQ(ends.server->key, id("alice"));
  EXPECT_EQ(ends.server->role, Role::kAgent);
  EXPECT_EQ(ends.server->head, to_bytes("client's head"));
}

TEST_F(Sessions, AFrameAboveTheHelloLimitPassesOnceThereIsTrust) {
  const Ends ends = meet();
  const Bytes big(2 * limits::kHelloFrameBytes, 7);
  ends.channels.client->send(net::testing::frame(big));
  ends.channels.server->send(net::testing::frame(big));
  EXPECT_EQ(*run(receive(ends.channels.server, 1)), (std::vector<Bytes>{big}));
  EXPECT_EQ(*run(receive(ends.channels.client, 1)), (std::vector<Bytes>{big}));
}

TEST_F(Sessions, TheClientTalksToNobodyElse) {
  Meeting terms;
  terms.server.key = &key("mallory");
  const Ends ends = meet(terms);
  ASSERT_FALSE(ends.client.has_value());
  EXPECT_EQ(ends.client.error().code, ErrorCode::kDenied);
  EXPECT_FALSE(ends.channels.client->is_open());
  // Nor does the server take a hello that is meant for another.
  ASSERT_FALSE(ends.server.has_value());
  EXPECT_EQ(ends.server.error().code, ErrorCode::kDenied);
}

// An impostor that answers with the very hello of the client's wish cannot sign it.
TEST_F(Sessions, AServerThatDoesNotHoldTheKeyIsFoundOut) {
  listen();
  const Pair both = pair();
  tasks.spawn([](net::ChannelPtr channel) -> net::Task<void> {
    const auto frames = co_await channel->read(20s);
    if (!frames) co_return;
    const auto hello = wire::parse_frame(frames->front());
    wire::Hello answer = wire::server_hello(channel->exporter(), Role::kRouter, key("mallory"),
                                            std::get<wire::Hello>(hello->frame), {});
    answer.self = id("router");
    Bytes out;
    wire::encode_hello(wire::FrameType::kServerHello, answer, out);
    channel->send(std::move(out));
  }(both.server));
  const auto opened =
      run(open(both.client, {&key("alice"), Role::kAgent, {}}, id("router"), Role::kRouter));
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, ErrorCode::kBadSignature);
}

TEST_F(Sessions, RolesMustFit) {
  Meeting ledger_expected;
  ledger_expected.expected_role = Role::kLedger;
  EXPECT_FALSE(meet(ledger_expected).client.has_value());
  Meeting follower_at_router;
  follower_at_router.client.role = Role::kFollower;
  const Ends ends = meet(follower_at_router);
  ASSERT_FALSE(ends.server.has_value());
  EXPECT_EQ(ends.server.error().code, ErrorCode::kDenied);
  ASSERT_FALSE(ends.client.has_value());
}

TEST_F(Sessions, OnlyFollowersOfALedgerMayBeAnonymous) {
  Meeting terms;
  terms.client = {nullptr, Role::kFollower, {}};
  terms.server = {&key("ledger"), Role::kLedger, {}};
  terms.expected = id("ledger");
  terms.expected_role = Role::kLedger;
  const Ends ends = meet(terms);
  ASSERT_TRUE(ends.client.has_value()) << ends.client.error().message;
  ASSERT_TRUE(ends.server.has_value());
  EXPECT_TRUE(ends.server->key.is_zero());
  terms.server = {&key("router"), Role::kRouter, {}};
  terms.expected = id("router");
  terms.expected_role = Role::kRouter;
  EXPECT_FALSE(meet(terms).server.has_value());
}

TEST_F(Sessions, TheUnwelcomeAreToldWhy) {
  Meeting terms;
  terms.welcome = [](const Peer& peer) -> Result<void> {
    EXPECT_EQ(peer.key, id("alice"));
    return fail(ErrorCode::kBlacklisted, "not you again");
  };
  const Ends ends = meet(terms);
  for (const auto* end : {&ends.client, &ends.server}) {
    ASSERT_FALSE(end->has_value());
    EXPECT_EQ(end->error().code, ErrorCode::kBlacklisted);
    EXPECT_EQ(end->error().message, "not you again");
  }
  EXPECT_FALSE(ends.channels.client->is_open());
}

TEST_F(Sessions, WhoeverIsLetInAndSentAwayAtOnceIsToldWhy) {
  listen();
  const Pair both = pair();
  tasks.spawn([](net::ChannelPtr channel) -> net::Task<void> {
    const auto frames = co_await channel->read(20s);
    if (!frames) co_return;
    const auto hello = wire::parse_frame(frames->front());
    Bytes out;
    wire::encode_hello(wire::FrameType::kServerHello,
                       wire::server_hello(channel->exporter(), Role::kRouter, key("router"),
                                          std::get<wire::Hello>(hello->frame), {}),
                       out);
    wire::encode_frame(wire::ErrorFrame{{ErrorCode::kBlacklisted, "banned meanwhile"}}, out);
    channel->send(std::move(out));  // in one read
    channel->close();
  }(both.server));
  const auto opened =
      run(open(both.client, {&key("alice"), Role::kAgent, {}}, id("router"), Role::kRouter));
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error(), (Error{ErrorCode::kBlacklisted, "banned meanwhile"}));
}

TEST_F(Sessions, NothingButAHelloOpensASession) {
  for (const Bytes& first : {frame_of(wire::Ping{1}), net::testing::frame("\x7f"),
                             frame_of(wire::Follow{0}), net::testing::frame("\x01")}) {
    if (!listener) listen();
    const Pair both = pair();
    both.client->send(first);
    const auto accepted = run(accept(both.server, {&key("router"), Role::kRouter, {}},
                                     [](const Peer&) { return Result<void>{}; }));
    EXPECT_FALSE(accepted.has_value());
    EXPECT_NE(end_of_run(both.client).code, ErrorCode::kInternal);
  }
}

TEST_F(Sessions, PingsAreAnsweredAndFramesComeInOrder) {
  const Ends ends = meet();
  serve_on(ends.channels.server);
  Bytes out = frame_of(wire::Follow{1});
  append(out, frame_of(wire::Ping{42}));
  append(out, frame_of(wire::Pong{9}));
  append(out, frame_of(wire::Follow{2}));
  append(out, frame_of(wire::Follow{3}));
  ends.channels.client->send(std::move(out));
  const auto pong = run(receive(ends.channels.client, 1));
  ASSERT_TRUE(pong.has_value());
  const auto parsed = wire::parse_frame(pong->front());
  ASSERT_TRUE(std::holds_alternative<wire::Pong>(parsed->frame));
  EXPECT_EQ(std::get<wire::Pong>(parsed->frame).nonce, 42U);
  ASSERT_TRUE(turn_until([&] { return served.frames.size() == 3; }));
  for (std::uint64_t i = 0; i < 3; ++i) {
    EXPECT_EQ(std::get<wire::Follow>(wire::parse_frame(served.frames[i])->frame).size, i + 1);
  }
}

TEST_F(Sessions, AnErrorFrameEndsTheSessionWithItsReason) {
  const Ends ends = meet();
  serve_on(ends.channels.server);
  close_with(*ends.channels.client, {ErrorCode::kLimited, "enough for today"});
  ASSERT_TRUE(turn_until([&] { return served.ended.has_value(); }));
  EXPECT_EQ(*served.ended, (Error{ErrorCode::kLimited, "enough for today"}));
  EXPECT_FALSE(ends.channels.server->is_open());
}

TEST_F(Sessions, WhatTheHandlerRefusesIsToldToThePeer) {
  const Ends ends = meet();
  serve_on(ends.channels.server, fail(ErrorCode::kMalformed, "what is this"));
  ends.channels.client->send(frame_of(wire::Follow{1}));
  EXPECT_EQ(end_of_run(ends.channels.client), (Error{ErrorCode::kMalformed, "what is this"}));
  EXPECT_EQ(served.ended, (Error{ErrorCode::kMalformed, "what is this"}));
}

TEST_F(Sessions, AMalformedControlFrameEndsTheSession) {
  const Ends ends = meet();
  serve_on(ends.channels.server);
  ends.channels.client->send(net::testing::frame("\x04short"));
  ASSERT_TRUE(turn_until([&] { return served.ended.has_value(); }));
  EXPECT_EQ(served.ended->code, ErrorCode::kMalformed);
  EXPECT_EQ(served.calls, 0U);
}

TEST_F(Sessions, AVanishedPeerEndsTheSession) {
  const Ends ends = meet();
  serve_on(ends.channels.server);
  ends.channels.client->abort();
  ASSERT_TRUE(turn_until([&] { return served.ended.has_value(); }));
  EXPECT_EQ(served.ended->code, ErrorCode::kUnavailable);
}

TEST_F(Sessions, KeepAlivePingsNowAndThen) {
  const Ends ends = meet();
  KeepAlive keep_alive;
  const Time now = ledger::testing::kNow;
  net::Channel& channel = *ends.channels.client;
  const auto pings_after = [&](Time at) {
    keep_alive.tick(channel, at);
    channel.send(frame_of(wire::Follow{0}));
    std::size_t pings = 0;
    for (;;) {
      const auto frames = run(receive(ends.channels.server, 1));
      if (!frames) return pings;
      for (const Bytes& frame : *frames) {
        if (std::holds_alternative<wire::Follow>(wire::parse_frame(frame)->frame)) return pings;
        ++pings;
      }
    }
  };
  EXPECT_EQ(pings_after(now), 1U);
  EXPECT_EQ(pings_after(now + limits::kPingInterval - 1us), 0U);
  EXPECT_EQ(pings_after(now + limits::kPingInterval), 1U);
  EXPECT_EQ(pings_after(now - 3600s), 1U) << "a clock that steps back does not silence it";
}

}  // namespace
}  // namespace bw::session
