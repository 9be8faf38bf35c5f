// SPDX-License-Identifier: Apache-2.0
#include "net/channel.hpp"

#include <numeric>

#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include "net/loopback_testing.hpp"

namespace bw::net {
namespace {

using testing::frame;

class ChannelTest : public testing::Loopback {
 public:
  void SetUp() override { listen(); }
};

Bytes pattern(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 131 + size);
  return bytes;
}

SharedBytes share(Bytes bytes) {
  return std::make_shared<const Bytes>(std::move(bytes));
}

Task<void> echo(ChannelPtr channel) {
  for (;;) {
    const auto frames = co_await channel->read(30s);
    if (!frames) co_return;
    for (const ByteView body : *frames) channel->send(frame(body));
  }
}

TEST_F(ChannelTest, EchoesFramesOfManySizes) {
  const auto [client, server] = trusting_pair();
  tasks.spawn(echo(server));
  std::vector<Bytes> sent;
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{2}, std::size_t{255}, std::size_t{16379}, std::size_t{16380},
        std::size_t{16384}, std::size_t{16385}, std::size_t{65536}, std::size_t{262144},
        std::size_t{1} << 20U, limits::kFrameBytes, std::size_t{3}}) {
    sent.push_back(pattern(size));
    client->send(frame(sent.back()));
  }
  const auto got = run(receive(client, sent.size()));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_TRUE(*got == sent);
}

TEST_F(ChannelTest, SmallFramesArriveInOrderAndInBulk) {
  struct Counter {
    static Task<std::pair<std::size_t, std::size_t>> run(ChannelPtr channel, std::size_t count) {
      std::size_t reads = 0;
      std::size_t next = 0;
      while (next < count) {
        const auto frames = co_await channel->read(30s);
        if (!frames) break;
        ++reads;
        for (const ByteView body : *frames) {
          if (body.size() != 3 || body[0] != (next >> 16U & 0xffU) ||
              body[1] != (next >> 8U & 0xffU) || body[2] != (next & 0xffU)) {
            co_return std::pair{next, reads};
          }
          ++next;
        }
      }
      co_return std::pair{next, reads};
    }
  };
  constexpr std::size_t kCount = 100'000;
  const auto [client, server] = trusting_pair();
  for (std::size_t i = 0; i < kCount; ++i) {
    const Bytes body = {static_cast<std::uint8_t>(i >> 16U), static_cast<std::uint8_t>(i >> 8U),
                        static_cast<std::uint8_t>(i)};
    client->send(frame(body));
  }
  const auto [received, reads] = run(Counter::run(server, kCount));
  EXPECT_EQ(received, kCount);
  EXPECT_LT(reads, 200U);
}

TEST_F(ChannelTest, AFanOutSharesOneCopy) {
  std::vector<Pair> pairs;
  for (int i = 0; i < 100; ++i) pairs.push_back(trusting_pair());
  const auto shared = share(frame(pattern(200'000)));
  for (const auto& pair : pairs) pair.server->send(shared, true);
  EXPECT_EQ(shared.use_count(), 101);
  for (const auto& pair : pairs) {
    const auto got = run(receive(pair.client, 1));
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->front(), pattern(200'000));
  }
  EXPECT_EQ(shared.use_count(), 1);
}

TEST_F(ChannelTest, BothEndsKnowOneExporterAndNoOtherConnectionHasIt) {
  const auto first = pair();
  const auto second = pair();
  EXPECT_FALSE(first.client->exporter().is_zero());
  EXPECT_EQ(first.client->exporter(), first.server->exporter());
  EXPECT_EQ(second.client->exporter(), second.server->exporter());
  EXPECT_NE(first.client->exporter(), second.client->exporter());
  EXPECT_EQ(first.client->peer_address(), listener->address());
}

// The attack: a relay ends TLS on both legs and passes every frame on, so that both victims believe
// that they talk to each other. What they would sign differs.
Task<void> relay(ChannelPtr from, ChannelPtr to) {
  for (;;) {
    const auto frames = co_await from->read(30s);
    if (!frames) co_return;
    for (const ByteView body : *frames) to->send(frame(body));
  }
}

TEST_F(ChannelTest, ARelayCannotMakeTwoExportersEqual) {
  const auto victim_leg = pair();  // the victim takes the relay for the router
  const auto router_leg = pair();  // the router takes the relay for the victim
  tasks.spawn(relay(victim_leg.server, router_leg.client));
  tasks.spawn(relay(router_leg.client, victim_leg.server));
  victim_leg.client->send(frame("hello, router"));
  const auto got = run(receive(router_leg.server, 1));
  ASSERT_TRUE(got);
  EXPECT_EQ(as_text(got->front()), "hello, router");
  EXPECT_NE(victim_leg.client->exporter(), router_leg.server->exporter());
}

TEST_F(ChannelTest, AStrangerMaySendShortFramesOnly) {
  const auto [client, server] = pair();
  client->send(frame(pattern(limits::kHelloFrameBytes)));
  ASSERT_TRUE(run(receive(server, 1)));
  client->send(frame(pattern(limits::kHelloFrameBytes + 1)));
  const auto got = run(receive(server, 1));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kTooLarge);
  EXPECT_NE(got.error().message.find("127.0.0.1:"), std::string::npos);
  EXPECT_FALSE(server->is_open());
  EXPECT_EQ(run(end_of(client)).code, ErrorCode::kUnavailable);
}

TEST_F(ChannelTest, TrustCountsForFramesThatAreHereAlready) {
  const auto [client, server] = pair();
  Bytes both = frame("hello");
  append(both, frame(pattern(100'000)));
  client->send(std::move(both));
  ASSERT_TRUE(run(receive(server, 1)));
  server->peer_is_trusted();
  const auto got = run(receive(server, 1));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->front(), pattern(100'000));
}

TEST_F(ChannelTest, AnOversizeLengthClosesWithoutWaitingForTheBytes) {
  const auto [client, server] = trusting_pair();
  client->send(Bytes{0x00, 0x40, 0x00, 0x01});
  const auto got = run(receive(server, 1));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(run(receive(server, 1)).error().code, ErrorCode::kTooLarge) << "the reason stays";
}

TEST_F(ChannelTest, AnEmptyFrameIsRefused) {
  const auto [client, server] = trusting_pair();
  client->send(Bytes{0, 0, 0, 0});
  EXPECT_EQ(run(end_of(server)).code, ErrorCode::kMalformed);
  EXPECT_FALSE(server->is_open());
}

TEST_F(ChannelTest, SilenceEndsTheChannel) {
  const auto [client, server] = pair();
  const auto before = std::chrono::steady_clock::now();
  const Error error = run(end_of(server, 50ms));
  EXPECT_GE(std::chrono::steady_clock::now() - before, 50ms);
  EXPECT_EQ(error.code, ErrorCode::kUnavailable);
  EXPECT_NE(error.message.find("silent"), std::string::npos) << error.message;
  EXPECT_FALSE(server->is_open());
}

TEST_F(ChannelTest, AShorterDeadlineThanTheLastHolds) {
  const auto [client, server] = pair();
  client->send(frame("x"));
  ASSERT_TRUE(run(receive(server, 1, 3600s)));
  EXPECT_EQ(run(end_of(server, 50ms)).code, ErrorCode::kUnavailable);
}

// One byte of a frame every 40 ms.
Task<void> drip(ChannelPtr channel, Bytes bytes) {
  for (const std::uint8_t byte : bytes) {
    channel->send(Bytes{byte});
    if (!co_await sleep_for(40ms)) co_return;
  }
}

TEST_F(ChannelTest, ADrippingStrangerHasTheDeadlineForAWholeFrame) {
  const auto [client, server] = pair();
  tasks.spawn(drip(client, frame(pattern(2000))));
  const Error error = run(end_of(server, 300ms));
  EXPECT_NE(error.message.find("silent"), std::string::npos) << error.message;
}

TEST_F(ChannelTest, ADrippingPeerThatIsTrustedIsNotSilent) {
  const auto [client, server] = trusting_pair();
  tasks.spawn(drip(client, frame(pattern(60))));  // takes at least 2.4 s
  const auto got = run(receive(server, 1, 2s));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->front(), pattern(60));
}

TEST_F(ChannelTest, TellsACleanEndFromACutAndFromHalfAFrame) {
  {
    const auto [client, server] = pair();
    client->close();
    EXPECT_NE(run(end_of(server)).message.find("peer closed"), std::string::npos);
  }
  {
    const auto [client, server] = pair();
    client->abort();
    EXPECT_NE(run(end_of(server)).message.find("cut"), std::string::npos);
  }
  {
    const auto [client, server] = pair();
    client->send(Bytes{0, 0, 0, 10, 'h', 'a', 'l', 'f'});
    ASSERT_TRUE(turn_until([&] { return client->queued_bytes() == 0; }));
    client->abort();
    EXPECT_NE(run(end_of(server)).message.find("middle of a frame"), std::string::npos);
  }
}

TEST_F(ChannelTest, CloseSendsWhatIsQueuedEvenWhenTheChannelIsDropped) {
  auto [client, server] = trusting_pair();
  for (int i = 0; i < 8; ++i) client->send(frame(pattern(1U << 20U)));
  EXPECT_GT(client->queued_bytes(), 8U << 20U);
  client->close();
  EXPECT_FALSE(client->is_open());
  client.reset();
  ASSERT_TRUE(run(receive(server, 8)));
  EXPECT_NE(run(end_of(server)).message.find("peer closed"), std::string::npos);
}

Task<void> pump(ChannelPtr channel) {
  while (channel->is_open()) {
    if (channel->queued_bytes() < 4U << 20U) channel->send(frame(pattern(100'000)));
    if (!co_await sleep_for(1us)) co_return;
  }
}

// The last word is long enough to wait in the system when everything is handed over to it.
TEST_F(ChannelTest, TheLastWordReachesAPeerThatIsStillSending) {
  for (int round = 0; round < 5; ++round) {
    auto [client, server] = trusting_pair();
    tasks.spawn(pump(client));
    ASSERT_TRUE(run(receive(server, 3)));
    server->send(frame(pattern(limits::kFrameBytes)));
    server->close();
    server.reset();
    const auto got = run(receive(client, 1));
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->front(), pattern(limits::kFrameBytes));
    client->abort();
  }
}

TEST_F(ChannelTest, CloseGivesUpOnADeafPeerAfterASecond) {
  auto [client, server] = trusting_pair();
  for (int i = 0; i < 32; ++i) server->send(frame(pattern(1U << 20U)));
  ASSERT_EQ(listener->open_connections(), 1U);
  const auto before = std::chrono::steady_clock::now();
  server->close();
  server->close();
  server.reset();
  ASSERT_TRUE(turn_until([&] { return listener->open_connections() == 0; }));
  EXPECT_GE(std::chrono::steady_clock::now() - before, 900ms);
}

TEST_F(ChannelTest, DroppingAChannelClosesItWhateverIsQueued) {
  auto [client, server] = trusting_pair();
  for (int i = 0; i < 32; ++i) server->send(frame(pattern(1U << 20U)));
  context.poll();
  server.reset();
  EXPECT_EQ(listener->open_connections(), 0U);
  EXPECT_EQ(run(end_of(client)).code, ErrorCode::kUnavailable);
}

Task<void> note_end(ChannelPtr channel, std::vector<std::string>& notes) {
  const auto frames = co_await channel->read(3600s);
  notes.push_back(frames ? "frames" : frames.error().message);
}

TEST_F(ChannelTest, AbortAndCloseWakeTheReader) {
  for (const bool gently : {false, true}) {
    const auto [client, server] = pair();
    std::vector<std::string> notes;
    tasks.spawn(note_end(server, notes));
    context.poll();
    ASSERT_TRUE(notes.empty());
    if (gently) {
      server->close();
    } else {
      server->abort();
    }
    EXPECT_TRUE(turn_until([&] { return !notes.empty(); }));
    EXPECT_NE(notes.front().find("closed here"), std::string::npos) << notes.front();
  }
}

TEST_F(ChannelTest, CancellingTheReaderLeavesTheChannelOpen) {
  const auto [client, server] = pair();
  std::vector<std::string> notes;
  TaskGroup readers(context.get_executor());
  readers.spawn(note_end(server, notes));
  context.poll();
  run(readers.join());
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_NE(notes.front().find("cancelled"), std::string::npos);
  EXPECT_TRUE(server->is_open());
  client->send(frame("still there"));
  EXPECT_TRUE(run(receive(server, 1)));
}

TEST_F(ChannelTest, QueuedBytesShowASlowConsumer) {
  const auto [client, server] = trusting_pair();
  for (int i = 0; i < 40; ++i) server->send(frame(pattern(1U << 20U)));
  context.poll();
  EXPECT_GT(server->queued_bytes(), 10U << 20U);
  ASSERT_TRUE(run(receive(client, 40)));
  EXPECT_EQ(server->queued_bytes(), 0U);
}

TEST_F(ChannelTest, ASlowConsumerLosesItsOldestDroppableEntries) {
  constexpr std::size_t kSize = 1U << 20U;
  const auto [client, server] = trusting_pair();
  const auto numbered = [](std::size_t number) {
    Bytes body(kSize);
    body[0] = static_cast<std::uint8_t>(number);
    return share(frame(body));
  };
  for (std::size_t i = 0; i < 100; ++i) {
    server->send(numbered(i), i % 10 != 0);
    EXPECT_LE(server->queued_bytes(), limits::kSessionQueueBytes + 10 * kSize);
  }
  const auto lost = server->take_lost();
  EXPECT_GE(lost, 36U);
  EXPECT_EQ(server->take_lost(), 0U);

  const auto got = run(receive(client, 100 - lost));
  ASSERT_TRUE(got) << got.error().message;
  std::vector<std::size_t> numbers;
  for (const Bytes& body : *got) numbers.push_back(body[0]);
  EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
  EXPECT_EQ(std::count_if(numbers.begin(), numbers.end(), [](auto n) { return n % 10 == 0; }), 10)
      << "those that may not be dropped are all there";
  std::vector<std::size_t> newest(numbers.end() - 50, numbers.end());
  std::vector<std::size_t> expected(50);
  std::iota(expected.begin(), expected.end(), 50U);
  EXPECT_EQ(newest, expected);
}

TEST_F(ChannelTest, AClosedChannelIgnoresSends) {
  const auto [client, server] = pair();
  client->abort();
  client->send(frame("to nobody"));
  EXPECT_EQ(client->queued_bytes(), 0U);
  client->close();
  client->abort();
  EXPECT_NE(run(end_of(client)).message.find("closed here"), std::string::npos);
}

TEST_F(ChannelTest, WithLittleAppetiteOthersHaveMoreTurnsDuringAFrame) {
  constexpr std::size_t kBytes = 512 * 1024;
  std::size_t turns[2] = {};
  for (const auto appetite : {Channel::Appetite::kMuch, Channel::Appetite::kLittle}) {
    const auto both = pair();
    both.server->peer_is_trusted();
    both.server->set_appetite(appetite);
    both.client->send(frame(Bytes(kBytes)));
    // All of it is on its way before anybody reads.
    ASSERT_TRUE(turn_until([&] { return both.client->queued_bytes() == 0; }));
    bool done = false;
    bool over = false;
    std::size_t& count = turns[appetite == Channel::Appetite::kLittle ? 1 : 0];
    std::function<void()> other = [&] {
      over = done;
      if (over) return;
      ++count;
      asio::post(context, other);
    };
    const auto read = [&]() -> Task<bool> {
      other();
      const auto frames = co_await both.server->read(10s);
      done = true;
      co_return frames.has_value() && frames->front().size() == kBytes;
    };
    EXPECT_TRUE(run(read()));
    ASSERT_TRUE(turn_until([&] { return over; }));
  }
  EXPECT_GE(turns[1], kBytes / (2 * 16 * 1024));
  EXPECT_GE(turns[1], 3 * turns[0]);
}

TEST_F(ChannelTest, SendNowDoesNotWaitForTheEndOfTheTurn) {
  const auto both = pair();
  both.client->send(frame("hello"));
  EXPECT_GT(both.client->queued_bytes(), 0U);
  both.client->send_now();
  EXPECT_EQ(both.client->queued_bytes(), 0U);
}

TEST_F(ChannelTest, APeerThatAlwaysHasMoreDoesNotStarveOthers) {
  struct Reader {
    static Task<void> run(ChannelPtr channel, std::size_t& reads) {
      while (co_await channel->read(30s)) ++reads;
    }
  };
  const auto both = trusting_pair();
  for (int i = 0; i < 100; ++i) both.client->send(frame(pattern(100'000)));
  context.poll();  // the system now holds several reads' worth
  std::size_t reads = 0;
  std::optional<std::size_t> reads_before_others;
  tasks.spawn(Reader::run(both.server, reads));
  asio::post(context, [&] { reads_before_others = reads; });
  EXPECT_TRUE(turn_until([&] { return reads > 10; }));
  ASSERT_TRUE(reads_before_others);
  EXPECT_LE(*reads_before_others, 2U);
  run(tasks.join());  // they refer to `reads`
}

}  // namespace
}  // namespace bw::net
