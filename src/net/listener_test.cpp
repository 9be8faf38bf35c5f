// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <thread>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include "net/address.hpp"
#include "net/channel.hpp"
#include "net/loopback_testing.hpp"

namespace bw::net {
namespace {

using asio::ip::tcp;
using testing::frame;

class ListenerTest : public testing::Loopback {
 public:
  // TCP without TLS.
  tcp::socket raw(const char* from = "127.0.0.1") {
    const auto where = parse_host_port(listener->address()).value();
    tcp::socket socket(context, {asio::ip::make_address(from), 0});
    socket.connect({asio::ip::make_address(where.host), where.port});
    socket.non_blocking(true);
    return socket;
  }

  static bool ended(tcp::socket& socket) {
    std::array<char, 1024> buffer;
    boost::system::error_code error;
    while (!error) socket.read_some(asio::buffer(buffer), error);
    return error != asio::error::would_block;
  }
};

TEST_F(ListenerTest, ASilentClientDelaysNobodyAndIsDroppedAtTheDeadline) {
  listen({.handshake_deadline = 2s});
  const auto before = std::chrono::steady_clock::now();
  tcp::socket silent = raw();
  ASSERT_TRUE(turn_until([&] { return listener->open_connections() == 1; }));
  const auto both = pair();
  EXPECT_FALSE(ended(silent));
  EXPECT_EQ(listener->open_connections(), 2U);
  ASSERT_TRUE(turn_until([&] { return ended(silent); }));
  EXPECT_GE(std::chrono::steady_clock::now() - before, 2s);
  EXPECT_EQ(listener->open_connections(), 1U);
  EXPECT_TRUE(both.server->is_open());
}

TEST_F(ListenerTest, ManySilentClientsOfOneAddressKeepNobodyWaiting) {
  // Each has its place for an hour, and all places are theirs.
  listen({.strangers = 256, .strangers_per_address = 256, .handshake_deadline = 3600s});
  std::vector<tcp::socket> silent;
  for (int i = 0; i < 300; ++i) silent.push_back(raw("127.0.0.2"));
  ASSERT_TRUE(turn_until([&] { return listener->stats().accepted == 300; }));
  EXPECT_EQ(listener->open_connections(), 256U);
  EXPECT_TRUE(ended(silent[0])) << "the oldest goes first";
  EXPECT_TRUE(ended(silent[43]));
  EXPECT_FALSE(ended(silent[44]));
  const auto before = std::chrono::steady_clock::now();
  client_and_server_talk(pair());  // from another address
  EXPECT_LT(std::chrono::steady_clock::now() - before, 3s);
  ASSERT_TRUE(turn_until([&] { return ended(silent[44]); }));
  EXPECT_FALSE(ended(silent[45]));
}

// For a thread sanitizer above all.
TEST_F(ListenerTest, AnyThreadMayAskForItsCounts) {
  listen({.strangers = 2, .strangers_per_address = 2, .handshake_deadline = 3600s});
  std::atomic<bool> over = false;
  std::uint64_t most = 0;
  std::thread other([&] {
    while (!over) {
      const Listener::Stats stats = listener->stats();
      EXPECT_GE(stats.accepted, most);
      most = stats.accepted;
      EXPECT_LE(listener->open_connections(), 3U);
    }
  });
  std::vector<tcp::socket> silent;
  for (int i = 0; i < 20; ++i) silent.push_back(raw());
  EXPECT_TRUE(turn_until([&] { return listener->stats().accepted == 20; }));
  over = true;
  other.join();
  EXPECT_EQ(listener->stats().displaced, 18U);
}

TEST_F(ListenerTest, AnAddressWithFewStrangersKeepsThem) {
  listen({.strangers = 8, .strangers_per_address = 8, .handshake_deadline = 3600s});
  tcp::socket alone = raw("127.0.0.3");
  ASSERT_TRUE(turn_until([&] { return listener->stats().accepted == 1; }));
  std::vector<tcp::socket> silent;
  for (int i = 0; i < 50; ++i) silent.push_back(raw("127.0.0.2"));
  ASSERT_TRUE(turn_until([&] { return listener->stats().accepted == 51; }));
  EXPECT_FALSE(ended(alone));
  EXPECT_EQ(listener->open_connections(), 8U);
  EXPECT_EQ(listener->stats().displaced, 43U);
}

TEST_F(ListenerTest, AnAddressHasSoManyStrangersAndNoMore) {
  listen({.strangers = 100, .strangers_per_address = 4, .handshake_deadline = 3600s});
  std::vector<tcp::socket> silent;
  for (int i = 0; i < 12; ++i) silent.push_back(raw("127.0.0.2"));
  ASSERT_TRUE(turn_until([&] { return listener->stats().accepted == 12; }));
  EXPECT_EQ(listener->open_connections(), 4U);
}

TEST_F(ListenerTest, WhoSpeaksTlsButNoHelloIsAStrangerToo) {
  listen({.strangers = 2, .handshake_deadline = 3600s});
  const auto trusted = trusting_pair();
  std::vector<Pair> mute;
  for (int i = 0; i < 3; ++i) mute.push_back(pair());
  EXPECT_EQ(listener->open_connections(), 3U);
  EXPECT_FALSE(mute[0].server->is_open());
  EXPECT_TRUE(mute[1].server->is_open());
  client_and_server_talk(trusted);
}

TEST_F(ListenerTest, AnAddressThatConnectsTooOftenIsClosedAtOnce) {
  listen({.arrivals_per_second = 0.001, .arrivals_burst = 3});
  std::vector<tcp::socket> sockets;
  for (int i = 0; i < 10; ++i) sockets.push_back(raw("127.0.0.2"));
  ASSERT_TRUE(turn_until([&] { return listener->stats().refused == 7; }));
  EXPECT_EQ(listener->open_connections(), 3U);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(ended(sockets[static_cast<std::size_t>(i)]), i >= 3);
  client_and_server_talk(pair());  // from another address
}

TEST_F(ListenerTest, GarbageIsNotTls) {
  listen();
  for (const std::string& garbage :
       {std::string("GET / HTTP/1.1\r\n\r\n"), std::string(100'000, 'x'),
        std::string("\x16\x03\x01\xff\xff", 5) + std::string(70'000, 0)}) {
    tcp::socket socket = raw();
    boost::system::error_code error;
    socket.write_some(asio::buffer(garbage), error);
    ASSERT_TRUE(turn_until([&] { return ended(socket); }));
    EXPECT_EQ(listener->open_connections(), 0U);
  }
  EXPECT_TRUE(arrived.empty());
  client_and_server_talk(pair());
}

TEST_F(ListenerTest, LimitsConnectionsInAllAndFromOneAddress) {
  for (const ListenerLimits limits :
       {ListenerLimits{.connections = 2}, ListenerLimits{.per_address = 2}}) {
    listen(limits);
    auto first = pair();
    auto second = pair();
    for (const Pair& each : {first, second}) each.server->peer_is_trusted();
    EXPECT_FALSE(run(connect(listener->address(), 20s)));
    EXPECT_EQ(listener->open_connections(), 2U);
    first.server->abort();
    EXPECT_EQ(listener->open_connections(), 1U);
    client_and_server_talk(pair());
    listener->stop();
    run(tasks.join());
    second.server.reset();
    EXPECT_EQ(listener->open_connections(), 0U);
  }
}

// Lowers the number of files that may be open until no more can be opened.
class NoFilesLeft {
 public:
  NoFilesLeft() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const int next = dup(0);
    close(next);
    rlimit none = before_;
    none.rlim_cur = static_cast<rlim_t>(next);
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoFilesLeft() { setrlimit(RLIMIT_NOFILE, &before_); }
  NoFilesLeft(const NoFilesLeft&) = delete;
  NoFilesLeft& operator=(const NoFilesLeft&) = delete;

 private:
  rlimit before_{};
};

TEST_F(ListenerTest, GoesOnAfterTheSystemRanOutOfFiles) {
  listen();
  context.poll();
  const auto where = parse_host_port(listener->address()).value();
  tcp::socket socket(context, tcp::v4());
  {
    const NoFilesLeft none;
    ASSERT_LT(dup(0), 0);
    socket.connect({asio::ip::make_address(where.host), where.port});
    for (int i = 0; i < 10; ++i) context.poll();  // accept() has failed by now
    EXPECT_EQ(listener->open_connections(), 0U);
  }
  ASSERT_TRUE(turn_until([&] { return listener->open_connections() == 1; }));
  client_and_server_talk(pair());
}

TEST_F(ListenerTest, ChannelsLiveOnAfterStop) {
  listen();
  const auto both = pair();
  listener->stop();
  run(tasks.join());
  EXPECT_FALSE(run(connect(listener->address(), 20s)));
  listener.reset();
  client_and_server_talk(both);
}

TEST_F(ListenerTest, StopEndsHandshakesUnderWay) {
  listen();
  tcp::socket silent = raw();
  ASSERT_TRUE(turn_until([&] { return listener->open_connections() == 1; }));
  listener->stop();
  run(tasks.join());
  EXPECT_TRUE(ended(silent));
  EXPECT_EQ(listener->open_connections(), 0U);
}

TEST_F(ListenerTest, SaysWhyItCannotListen) {
  listen();
  const auto again = Listener::bind(context, listener->address());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kIo);
  EXPECT_NE(again.error().message.find(listener->address() + ": address already in use"),
            std::string::npos)
      << again.error().message;
  EXPECT_EQ(Listener::bind(context, "nonsense").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(Listener::bind(context, "192.0.2.1:0").error().code, ErrorCode::kIo);
}

TEST_F(ListenerTest, ConnectSaysWhatItCouldNotReachAndWhy) {
  listen();
  const std::string address = listener->address();
  client_and_server_talk(pair());
  listener->stop();
  run(tasks.join());
  const auto refused = run(connect(address, 20s));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(refused.error().message,
            "cannot reach " + address + ": connection refused; is it running?");

  EXPECT_EQ(run(connect("nonsense", 1s)).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(ListenerTest, ConnectTakesNames) {
  listen();
  const auto port = parse_host_port(listener->address()).value().port;
  const auto channel = run(connect("localhost:" + std::to_string(port), 20s));
  ASSERT_TRUE(channel) << channel.error().message;
}

TEST_F(ListenerTest, ConnectGivesUpOnAServerThatDoesNotSpeakTls) {
  tcp::acceptor mute(context, {asio::ip::make_address("127.0.0.1"), 0});
  const auto address = to_text(mute.local_endpoint());
  const auto before = std::chrono::steady_clock::now();
  const auto channel = run(connect(address, 100ms));
  ASSERT_FALSE(channel);
  EXPECT_GE(std::chrono::steady_clock::now() - before, 100ms);
  EXPECT_EQ(channel.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(channel.error().message, "cannot reach " + address + ": no TLS handshake in time");
}

// Heap and allocator of OpenSSL included; the kernel's socket buffers are not.
std::size_t heap_in_use() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

Task<void> answer_for_ever(ChannelPtr channel) {
  for (;;) {
    const auto frames = co_await channel->read(3600s);
    if (!frames) co_return;
    for (const ByteView body : *frames) channel->send(frame(body));
  }
}

TEST_F(ListenerTest, AnIdleConnectionIsSmall) {
  if (heap_in_use() == 0) GTEST_SKIP() << "a sanitizer has replaced the allocator";
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  constexpr std::size_t kPairs = 1000;
  if (files.rlim_cur < 2 * kPairs + 100) GTEST_SKIP() << "too few files may be open";

  listen();
  pair();  // what is made once
  const std::size_t before = heap_in_use();
  std::vector<ChannelPtr> clients;
  for (std::size_t i = 0; i < kPairs; ++i) {
    auto both = trusting_pair();
    tasks.spawn(answer_for_ever(std::move(both.server)));
    both.client->send(frame(Bytes(100'000)));  // it has been busy before
    ASSERT_TRUE(run(receive(both.client, 1)));
    tasks.spawn(answer_for_ever(both.client));
    clients.push_back(std::move(both.client));
  }
  while (context.poll() != 0) {
  }
  const std::size_t each = (heap_in_use() - before) / (2 * kPairs);
  RecordProperty("bytes_per_idle_connection", std::to_string(each));
  std::printf("an idle connection: %zu bytes at each end\n", each);
  EXPECT_LT(each, 32U * 1024);
  for (const auto& client : clients) client->abort();
  ASSERT_TRUE(turn_until([&] { return tasks.size() == 1; }));
}

}  // namespace
}  // namespace bw::net
