// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <functional>
#include <future>

#include "attack.hpp"
#include "net/loopback_testing.hpp"
#include "raw_socket.hpp"

// Attacks on connections, and on what binds them to keys.
namespace bw::e2e {
namespace {

using Lines = std::vector<std::string>;
using wire::MessageType;

// Anybody's server: terminates TLS with a certificate of its own, then does as it likes.
class EvilServer {
 public:
  using Serve = std::function<net::Task<void>(EvilServer&, net::ChannelPtr)>;
  EvilServer(Loop& loop, Serve serve) : loop_(loop), serve_(std::move(serve)) {
    loop_.on([this] {
      tasks_ = std::make_unique<net::TaskGroup>(loop_.io().get_executor());
      listener_ = must(net::Listener::bind(loop_.io(), "127.0.0.1:0"));
      tasks_->spawn(listener_->run([this](net::ChannelPtr channel) {
        ++victims_;
        spawn(serve_(*this, std::move(channel)));
      }));
    });
  }
  ~EvilServer() {
    loop_.on([this] { listener_->stop(); });
    loop_.run(tasks_->join());
    loop_.on([this] {
      listener_.reset();
      tasks_.reset();
    });
  }
  EvilServer(const EvilServer&) = delete;
  EvilServer& operator=(const EvilServer&) = delete;

  void spawn(net::Task<void> task) { tasks_->spawn(std::move(task)); }
  std::string address() {
    return loop_.on([this] { return listener_->address(); });
  }
  int victims() {
    return loop_.on([this] { return victims_; });
  }

 private:
  Loop& loop_;
  Serve serve_;
  std::unique_ptr<net::TaskGroup> tasks_;
  std::unique_ptr<net::Listener> listener_;
  int victims_ = 0;
};

net::Task<void> relay(net::ChannelPtr from, net::ChannelPtr to) {
  for (;;) {
    const auto frames = co_await from->read(kPatience);
    if (!frames) break;
    for (const ByteView frame : *frames) to->send(net::testing::frame(frame));
  }
  to->close();
}

// Passes every frame on, both ways, as it came.
EvilServer::Serve man_in_the_middle(std::string to) {
  return [to = std::move(to)](EvilServer& self, net::ChannelPtr victim) -> net::Task<void> {
    const auto server = co_await net::connect(to, kPatience);
    if (!server) co_return;
    self.spawn(relay(*server, victim));
    co_await relay(victim, *server);
  };
}

// Hands the victim's hello to `on_hello`, and answers it with what that returns.
using OnHello = std::function<wire::Hello(const wire::Hello&)>;
EvilServer::Serve impostor(OnHello on_hello) {
  return [on_hello = std::move(on_hello)](EvilServer&, net::ChannelPtr victim) -> net::Task<void> {
    const auto frames = co_await victim->read(kPatience);
    if (!frames) co_return;
    const auto parsed = wire::parse_frame(frames->front());
    if (!parsed) co_return;
    Bytes answer;
    wire::encode_hello(wire::FrameType::kServerHello,
                       on_hello(std::get<wire::Hello>(parsed->frame)), answer);
    victim->send(std::move(answer));
    (void)co_await victim->read(kPatience);
  };
}

wire::Hello hello_for(WirePeer& peer, const crypto::SigningKey& key, const EntityKey& server) {
  return wire::client_hello(peer.exporter(), wire::Role::kAgent, &key, server, wire::Role::kRouter,
                            {});
}

TEST_F(Attack, B03_AManInTheMiddleIsFoundOut) {
  EvilServer middle(loop, man_in_the_middle(site.at().router));
  const crypto::SigningKey victim = registered_key(site);
  WirePeer betrayed(loop, middle.address());
  const auto refused = betrayed.open(victim, *site.at().router_key);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kBadSignature) << refused.error().message;
  WirePeer direct(loop, site.at().router);
  EXPECT_TRUE(direct.open(victim, *site.at().router_key));
}

TEST_F(Attack, B03_ARecordedProofOfTheRouterIsWorthless) {
  // What the router signed on a channel of the attacker's.
  const crypto::SigningKey mallory = registered_key(site);
  WirePeer recorder(loop, site.at().router);
  recorder.send_hello(hello_for(recorder, mallory, *site.at().router_key));
  const auto recorded = recorder.server_hello();
  ASSERT_TRUE(recorded.has_value());

  const crypto::SigningKey victim = registered_key(site);
  EvilServer as_recorded(loop, impostor([&](const wire::Hello&) { return *recorded; }));
  EvilServer readdressed(loop, impostor([&](const wire::Hello& from) {
                           wire::Hello hello = *recorded;
                           hello.peer = from.self;
                           return hello;
                         }));
  for (EvilServer* server : {&as_recorded, &readdressed}) {
    WirePeer peer(loop, server->address());
    EXPECT_FALSE(peer.open(victim, *site.at().router_key));
  }
  // The control: who looks for the impostor itself does believe it.
  EvilServer honest(loop, [&](EvilServer&, net::ChannelPtr channel) -> net::Task<void> {
    session::Self self{&mallory, wire::Role::kRouter, {}};
    session::Welcome welcome = [](const session::Peer&) -> Result<void> { return {}; };
    (void)co_await session::accept(channel, std::move(self), std::move(welcome));
    (void)co_await channel->read(kPatience);
  });
  WirePeer peer(loop, honest.address());
  EXPECT_TRUE(peer.open(victim, mallory.public_key()));
}

TEST_F(Attack, B03_AnAgentDoesNotTalkThroughAManInTheMiddle) {
  // The ledger leads the agent to the man in the middle, who knows the way to the router.
  EvilServer middle(loop, man_in_the_middle(site.at().router));
  api::RouterAddressRequest address;
  address.set_as("router");
  address.set_address(middle.address());
  must(site.client().set_router_address(address));
  auto published =
      std::async(std::launch::async, [&] { return publish(site, "ns", site.uri("a"), "secret"); });
  EXPECT_TRUE(eventually([&] {
    const auto info = site.client().info();
    return middle.victims() > 0 && info && info->sessions_size() == 1 &&
           !info->sessions(0).trouble().empty() && !info->sessions(0).connected();
  }));
  // As soon as the way is right, what waited goes out.
  address.set_address(site.at().router);
  must(site.client().set_router_address(address));
  const auto again = [&] { return publish(site, "ns", site.uri("a"), "open"); };
  EXPECT_EQ(again(), "");
  EXPECT_EQ(published.get(), "");
}

TEST_F(Attack, B09_AHugeFrameClosesTheConnection) {
  const Bytes huge(8, 0x7f);
  for (const std::string& address : {site.at().router, site.at().ledger}) {
    RawSocket no_tls = RawSocket::tcp(address);
    no_tls.send(huge);
    EXPECT_TRUE(no_tls.waits_for_end(limits::kHandshakeDeadline + 5s));
    WirePeer no_hello(loop, address);
    no_hello.listen();
    no_hello.send(huge);
    EXPECT_NE(no_hello.waits_for_end(5s), "open");
  }
  // Before the hello even a frame that would be fine later is too large.
  WirePeer large(loop, site.at().router);
  large.listen();
  large.send(net::testing::frame(Bytes(limits::kHelloFrameBytes + 1, 1)));
  EXPECT_NE(large.waits_for_end(5s), "open");

  Session trusted(*this, registered_key(site));
  EXPECT_TRUE(trusted.peer.is_alive());
  trusted.peer.send(huge);
  EXPECT_NE(trusted.peer.waits_for_end(5s), "open");

  Session honest(*this, registered_key(site));
  EXPECT_TRUE(honest.peer.is_alive());
}

TEST_F(Attack, B10_SilentClientsKeepNobodyOut) {
  std::vector<RawSocket> silent;
  for (int i = 0; i < 400; ++i) {  // more than have a place
    silent.push_back(RawSocket::tcp(site.at().router));
    silent.push_back(RawSocket::tcp(site.at().ledger));
  }
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::unique_ptr<WirePeer>> half_open;  // TLS, and no hello
  for (int i = 0; i < 20; ++i) {
    half_open.push_back(std::make_unique<WirePeer>(loop, site.at().router));
    half_open.back()->listen();
  }
  Session honest(*this, registered_key(site));
  EXPECT_TRUE(honest.peer.is_alive());
  RunningNode follower({}, &site);  // finds the ledger
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 3s);
  // Nor do the silent ones stay.
  const auto patience = limits::kHandshakeDeadline + 5s;
  for (RawSocket& socket : silent) EXPECT_TRUE(socket.waits_for_end(patience));
  for (const auto& peer : half_open) EXPECT_NE(peer->waits_for_end(patience), "open");
  EXPECT_TRUE(honest.peer.is_alive());
}

TEST_F(Attack, B15_ASubscriptionSurvivesItsRouterTwice) {
  RunningNode router({.ledger = false, .router = true}, &site);
  designate(site, "ns", router);
  Subscription ears(site, "ns", site.uri("a"));
  ASSERT_EQ(ears.stood(), 1);
  ASSERT_EQ(publish(site, "ns", site.uri("a"), "0"), "");
  ASSERT_TRUE(ears.waits_for("a=0"));
  for (int life = 1; life <= 2; ++life) {
    router.stop();
    router.start();
    EXPECT_TRUE(ears.waits_to_stand(life + 1));
    const std::string text = std::to_string(life);
    EXPECT_EQ(publish(site, "ns", site.uri("a"), text), "");
    EXPECT_TRUE(ears.waits_for("a=" + text));
  }
  EXPECT_EQ(ears.heard(), (Lines{"a=0", "a=1", "a=2"}));
  EXPECT_FALSE(ears.ended().has_value());
}

TEST_F(Attack, S02_AMaliciousRouterGainsNoSignatureOfUse) {
  const crypto::SigningKey evil = registered_key(site);
  const crypto::SigningKey victim = registered_key(site);
  std::promise<wire::Hello> promise;
  EvilServer server(loop, impostor([&](const wire::Hello& hello) {
                      promise.set_value(hello);
                      return hello;
                    }));
  WirePeer betrayed(loop, server.address());
  EXPECT_FALSE(betrayed.open(victim, evil.public_key()));
  wire::Hello stolen = promise.get_future().get();
  ASSERT_EQ(stolen.self, victim.public_key());

  // To the real router, in the victim's name.
  WirePeer as_it_came(loop, site.at().router);
  as_it_came.send_hello(stolen);
  EXPECT_EQ(as_it_came.waits_for_end(), "denied");
  stolen.peer = *site.at().router_key;
  WirePeer readdressed(loop, site.at().router);
  readdressed.send_hello(stolen);
  EXPECT_EQ(readdressed.waits_for_end(), "bad_signature");

  // As the victim's choice of the evil router.
  const Time created = std::chrono::floor<std::chrono::seconds>(now());
  const wave::RouterOffer offer{evil.public_key(), victim.public_key(), 1, created, false};
  ASSERT_EQ(submit(site, {must(wave::sign(offer, evil)).bytes}), Lines{""});
  auto choice = must(wave::sign(
      wave::RouterAcceptance{victim.public_key(), evil.public_key(), 1, created, false, 0},
      victim));
  const Bytes rightful = choice.bytes;
  std::ranges::copy(stolen.signature,
                    choice.bytes.end() - static_cast<std::ptrdiff_t>(stolen.signature.size()));
  EXPECT_EQ(submit(site, {choice.bytes}), Lines{"bad_signature"});
  EXPECT_EQ(submit(site, {rightful}), Lines{""});
}

TEST_F(Attack, S16_ARecordedHelloIsWorthless) {
  const crypto::SigningKey bob = registered_key(site);
  WirePeer first(loop, site.at().router);
  const wire::Hello hello = hello_for(first, bob, *site.at().router_key);
  first.send_hello(hello);
  EXPECT_TRUE(first.server_hello().has_value());
  WirePeer second(loop, site.at().router);
  second.send_hello(hello);
  EXPECT_EQ(second.waits_for_end(), "bad_signature");
  EXPECT_FALSE(second.server_hello().has_value());

  // Nor does an attachment recorded on one channel attach a stream on another.
  Session eve(*this, registered_key(site));
  WirePeer bobs(loop, site.at().router);
  must(bobs.open(bob, *site.at().router_key));
  const wire::Attach attach = wire::attach(bobs.exporter(), bob, 5);
  bobs.send_frame(attach);
  EXPECT_TRUE(bobs.is_alive());
  EXPECT_FALSE(bobs.detached(5).has_value());
  eve.peer.send_frame(attach);
  EXPECT_TRUE(eventually([&] { return eve.peer.detached(5).has_value(); }));
}

}  // namespace
}  // namespace bw::e2e
