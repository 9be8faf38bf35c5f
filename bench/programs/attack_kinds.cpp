// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <deque>
#include <stdexcept>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "must.hpp"
#include "programs/attackers.hpp"
#include "say.hpp"
#include "session/session.hpp"
#include "syndication/handshake.hpp"

namespace bw::bench {
namespace {

namespace asio = net::asio;
namespace wire = syndication;
using asio::ip::tcp;
using e2e::must;
using e2e::Say;

constexpr std::uint64_t kStream = 1;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

// A little ahead, so that what was made before a series of rounds stays within the replay window.
Time soon() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()) + 30s;
}

net::SharedBytes shared(Bytes bytes) {
  return std::make_shared<const Bytes>(std::move(bytes));
}

Bytes times(const Bytes& frame, std::size_t count) {
  Bytes all;
  for (std::size_t i = 0; i < count; ++i) append(all, frame);
  return all;
}

// The frame of `message` as batch number `sequence` of its sender.
Bytes frame_of(const Say& message, const Arsenal::Entity& sender, std::uint64_t sequence = 1) {
  const wire::BatchHeader header{.origin = sender.key.public_key(),
                                 .stream = kStream,
                                 .sequence = sequence,
                                 .created = soon()};
  return e2e::batch_frame(message, header, 0, sender.key);
}

Bytes opening_of(const Say& message, const Arsenal::Entity& sender) {
  return e2e::opening_frames(message, sender.key.public_key(), kStream, 0);
}

// A session that says one thing over and over: what frames_of() returns, after opening_of().
class Repetition : public Attack {
 public:
  using Attack::Attack;

 protected:
  // In one go; then until the router takes no more, or has closed.
  static constexpr std::size_t kFrames = 64;

  net::Task<void> say(const Arsenal::Entity& sender, Say message, Bytes frame) {
    const auto channel = co_await session(sender);
    if (!channel) co_return;
    channel->send(opening_of(message, sender));
    const std::size_t frames = frame.size() > 100'000 ? 1 : kFrames;
    co_await repeat(channel, shared(times(frame, frames)), frames);
    channel->abort();
  }
};

// Half of them name a namespace that the router carries, and somebody else's proof, until they are
// banned; the others one that it does not carry, for which nobody is banned.
class Unauthorised final : public Repetition {
 public:
  using Repetition::Repetition;

 private:
  net::Task<void> attack(std::size_t worker) override {
    const Arsenal::Entity& sender = arsenal().next();
    Say message{.ns = sender.key.public_key(), .uri = "bench/value"};
    if (worker % 2 == 0) {
      message = {.ns = arsenal().ns(), .uri = "attack/x"};
      message.proof = arsenal().entities()[(worker + 1) % arsenal().entities().size()].proof;
    }
    co_await say(sender, message, frame_of(message, sender));
  }
};

class BadSignatures final : public Repetition {
 public:
  using Repetition::Repetition;

 private:
  net::Task<void> attack(std::size_t) override {
    const Arsenal::Entity& sender = arsenal().next();
    const Say message{.ns = arsenal().ns(), .uri = "attack/x", .proof = sender.proof};
    Bytes frame = frame_of(message, sender);
    constexpr std::size_t kInSignature = 4 + 1 + 60 + 40;
    frame[kInSignature] ^= 1U;
    co_await say(sender, message, std::move(frame));
  }
};

class Replays final : public Repetition {
 public:
  using Repetition::Repetition;

 private:
  net::Task<void> attack(std::size_t) override {
    const Arsenal::Entity& sender = arsenal().next();
    const Say message{.ns = arsenal().ns(), .uri = "attack/x", .proof = sender.proof};
    co_await say(sender, message, frame_of(message, sender));
  }
};

// Bytes that mean nothing: in place of TLS, of a hello, and of frames of a session.
class Garbage final : public Attack {
 public:
  Garbage(asio::io_context& context, Arsenal& arsenal) : Attack(context, arsenal) {
    Bytes noise(256);
    for (std::size_t type = 0; type < 64; ++type) {
      crypto::system_random().fill(noise);
      const std::size_t begin = wire::begin_frame(static_cast<wire::FrameType>(type), junk_);
      append(junk_, noise);
      wire::finish_frame(begin, junk_);
    }
  }

 private:
  net::Task<void> attack(std::size_t worker) override {
    ++counts_.attacks;
    if (worker % 3 == 0) co_return co_await without_tls();
    const auto to = worker % 3 == 1 ? co_await channel(arsenal().options().router)
                                    : co_await session(arsenal().next());
    if (!to) co_return;
    to->send(shared(junk_), false);
    if (worker % 3 == 1) read_and_forget(to);
    co_await until_closed(to, 5s);
    to->abort();
  }

  net::Task<void> without_tls() {
    tcp::socket socket = this->socket();
    const auto [error] =
        co_await socket.async_connect(endpoint_of(arsenal().options().router), kAwait);
    if (error) co_return;
    co_await asio::async_write(socket, asio::buffer(junk_), kAwait);
    std::array<char, 4096> answer{};
    for (;;) {
      const auto [end, size] = co_await socket.async_read_some(asio::buffer(answer), kAwait);
      if (end || size == 0) co_return;
    }
  }

  Bytes junk_;
};

// Connections as fast as they can be made: each says nothing, or begins a handshake and stops. The
// newest 4,000 are kept open.
class HalfOpen final : public Attack {
 public:
  using Attack::Attack;

 private:
  net::Task<void> attack(std::size_t worker) override {
    const tcp::endpoint router = endpoint_of(arsenal().options().router);
    std::deque<tcp::socket> open;
    while (on()) {
      tcp::socket socket = this->socket();
      const auto [error] = co_await socket.async_connect(router, kAwait);
      if (error) {
        ++counts_.turned_away;
        co_await net::sleep_for(1ms);
        continue;
      }
      ++counts_.attacks;
      boost::system::error_code ignored;
      // The head of a TLS record that promises a ClientHello.
      constexpr std::array<unsigned char, 6> kBegun{0x16, 0x03, 0x01, 0x02, 0x00, 0x01};
      if (worker % 2 == 0) socket.write_some(asio::buffer(kBegun), ignored);
      open.push_back(std::move(socket));
      if (open.size() > 4000 / arsenal().options().connections) open.pop_front();
    }
  }
};

// A third floods with frames of nearly 4 MiB, for a namespace that the router does not carry; a
// third announces such frames and keeps back the last byte; a third announces more than is allowed.
class HugeFrames final : public Repetition {
 public:
  using Repetition::Repetition;

 private:
  net::Task<void> attack(std::size_t worker) override {
    const Arsenal::Entity& sender = arsenal().next();
    if (worker % 3 == 0) {
      Say message{.ns = sender.key.public_key(), .uri = "bench/value"};
      message.raw = wire::encode_payload({{0x40000000, Bytes(limits::kMessageBytes - 8)}});
      co_return co_await say(sender, message, frame_of(message, sender));
    }
    const auto to = co_await session(sender);
    if (!to) co_return;
    ++counts_.attacks;
    Bytes frame{0x7f, 0xff, 0xff, 0xff};
    if (worker % 3 == 1) {
      frame = {0, 0x3f, 0xff, 0xff, static_cast<std::uint8_t>(wire::FrameType::kBatch)};
      frame.resize(limits::kFrameBytes - 1);
    }
    to->send(std::move(frame));
    co_await until_closed(to, 60s);
    to->abort();
  }
};

// Each session subscribes to 100,000 URIs, then begins anew as the next entity.
class Subscriptions final : public Attack {
 public:
  Subscriptions(asio::io_context& context, Arsenal& arsenal) : Attack(context, arsenal) {
    for (const Arsenal::Entity& entity : arsenal.entities()) {
      for (std::size_t i = 0; i < kBatches; ++i) batches_.push_back(batch(entity, i));
    }
  }

 private:
  static constexpr std::size_t kBatches = 60;  // topics of a stream are limited to 65,536
  static constexpr std::size_t kInBatch = 1024;

  net::SharedBytes batch(const Arsenal::Entity& entity, std::size_t number) {
    const Hash proof = wave::proof_hash(entity.proof);
    Bytes frames;
    if (number == 0) {
      const Bytes bytes = wave::encode(entity.proof);
      wire::encode_frame(wire::ProofFrame{bytes}, frames);
    }
    std::vector<crypto::Sha256> prefixes;
    prefixes.reserve(kInBatch);
    wire::BatchBuilder builder;
    for (std::size_t i = 0; i < kInBatch; ++i) {
      const std::size_t id = number * kInBatch + i;
      const wire::Topic topic{arsenal().ns(), proof,
                              must(wave::Pattern::parse("attack/" + std::to_string(id) + "/+"))};
      const auto topic_number = static_cast<std::uint32_t>(id);
      wire::encode_frame(wire::TopicFrame{entity.key.public_key(), kStream, topic_number, topic},
                         frames);
      prefixes.push_back(wire::leaf_prefix(wire::topic_hash(topic)));
      builder.add({.topic = topic_number,
                   .type = wire::MessageType::kSubscribe,
                   .expires = {},
                   .consumers = 0,
                   .replay = false,
                   .payload = {}},
                  prefixes.back());
    }
    const std::size_t begin = wire::begin_frame(wire::FrameType::kBatch, frames);
    builder.seal({.origin = entity.key.public_key(),
                  .stream = kStream,
                  .sequence = number + 1,
                  .created = soon()},
                 entity.key, frames);
    wire::finish_frame(begin, frames);
    return shared(std::move(frames));
  }

  net::Task<void> attack(std::size_t) override {
    const Arsenal::Entity& entity = arsenal().next();
    const auto index = static_cast<std::size_t>(&entity - arsenal().entities().data());
    const auto to = co_await session(entity);
    if (!to) co_return;
    for (std::size_t i = 0; i < kBatches && to->is_open() && on(); ++i) {
      to->send(batches_[index * kBatches + i], false);
      while (on() && to->is_open() && to->queued_bytes() > 256 * 1024) {
        co_await net::sleep_for(1ms);
      }
      if (to->is_open()) counts_.attacks += kInBatch;
    }
    co_await until_closed(to, 100ms);
    to->abort();
  }

  std::vector<net::SharedBytes> batches_;
};

// Grants without end, by the attackers to their victims, submitted to the ledger; what it does not
// take for their number is submitted again.
class SpammedGraph final : public Attack {
 public:
  SpammedGraph(asio::io_context& context, Arsenal& arsenal) : Attack(context, arsenal) {
    const Time created = std::chrono::floor<std::chrono::seconds>(soon() - 30s);
    std::size_t number = 0;
    for (const Arsenal::Entity& spammer : arsenal.entities()) {
      Bytes frame;
      std::vector<Bytes> objects;
      for (std::size_t i = 0; i < kInFrame; ++i) {
        objects.push_back(
            must(wave::sign(wave::Dot{.granter = spammer.key.public_key(),
                                      .grantee = arsenal.victims()[i % arsenal.victims().size()],
                                      .ns = arsenal.ns(),
                                      .permissions = must(wave::Permissions::parse("PC*")),
                                      .ttl = 3,
                                      .created = created,
                                      .not_before = created,
                                      .expires = created + std::chrono::hours(24),
                                      .messages_per_second = 0,
                                      .stored_bytes = 0,
                                      .revokers = {},
                                      .pattern = must(wave::Pattern::parse("bench/*")),
                                      .comment = std::to_string(number++),
                                      .conditions = {}},
                            spammer.key))
                .bytes);
      }
      wire::encode_frame(wire::Submit{1, {objects.begin(), objects.end()}}, frame);
      frames_.push_back(shared(std::move(frame)));
    }
  }

 private:
  static constexpr std::size_t kInFrame = 32;

  net::Task<void> attack(std::size_t) override {
    const auto to = co_await channel(arsenal().options().ledger);
    if (!to) co_return;
    session::Self self{nullptr, wire::Role::kFollower, {}};
    if (!co_await session::open(to, std::move(self), arsenal().ledger_key(), wire::Role::kLedger)) {
      ++counts_.turned_away;
      co_return;
    }
    ++counts_.sessions;
    read_and_forget(to);
    while (on() && to->is_open()) {
      to->send(frames_[turn_++ % frames_.size()], false);
      if (to->queued_bytes() < 1024 * 1024) {
        counts_.attacks += kInFrame;
        co_await asio::post(asio::use_awaitable);
      }
      while (on() && to->is_open() && to->queued_bytes() > 512 * 1024) {
        co_await net::sleep_for(200us);
      }
    }
    to->abort();
  }

  std::vector<net::SharedBytes> frames_;
  std::size_t turn_ = 0;
};

// Subscribers that take nothing, to messages of 64 KiB that one of the attackers publishes, as the
// namespace lets it, and to the authorised traffic.
class SlowConsumer final : public Attack {
 public:
  using Attack::Attack;

 private:
  static constexpr Duration kPause = 10ms;

  net::Task<void> attack(std::size_t worker) override {
    return worker == 0 ? publish() : consume();
  }

  net::Task<void> publish() {
    const Arsenal::Entity& sender = arsenal().next();
    const auto to = co_await session(sender);
    if (!to) co_return;
    Say message{.ns = arsenal().ns(), .uri = "bench/value/slow", .proof = sender.proof};
    message.raw = wire::encode_payload({{0x40000000, Bytes(64 * 1024)}});
    to->send(opening_of(message, sender));
    for (std::uint64_t sequence = 1; on() && to->is_open(); ++sequence) {
      wire::BatchHeader header{.origin = sender.key.public_key(),
                               .stream = kStream,
                               .sequence = sequence,
                               .created = soon() - 30s};
      to->send(e2e::batch_frame(message, header, 0, sender.key));
      ++counts_.attacks;
      co_await net::sleep_for(kPause);
    }
    to->abort();
  }

  net::Task<void> consume() {
    const Arsenal::Entity& entity = arsenal().next();
    const auto to = co_await channel(arsenal().options().router);
    if (!to) co_return;
    session::Self self{&entity.key, wire::Role::kAgent, {}};
    if (!co_await session::open(to, std::move(self), arsenal().router_key(), wire::Role::kRouter)) {
      ++counts_.turned_away;
      co_return;
    }
    ++counts_.sessions;
    Bytes attach;
    wire::encode_frame(wire::attach(to->exporter(), entity.key, kStream), attach);
    to->send(std::move(attach));
    const Say wanted{.ns = arsenal().ns(),
                     .uri = "bench/value/*",
                     .payload = {},
                     .type = wire::MessageType::kSubscribe,
                     .proof = entity.proof};
    to->send(opening_of(wanted, entity));
    to->send(frame_of(wanted, entity));
    // Alive, as far as anybody can see.
    while (on() && to->is_open()) {
      co_await net::sleep_for(1s);
      Bytes ping;
      wire::encode_frame(wire::Ping{1}, ping);
      to->send(std::move(ping));
    }
    to->abort();
  }
};

}  // namespace

std::pair<std::string, std::string> rights_for(const std::string& kind) {
  if (kind == "slow_consumer") return {"bench/value/*", "PC*"};
  if (kind == "subscriptions") return {"attack/*", "C*"};
  if (kind == "unauthorised" || kind == "bad_signatures" || kind == "replays") {
    return {"attack/*", "P"};
  }
  return {};
}

std::unique_ptr<Attack> make_attack(asio::io_context& context, Arsenal& arsenal) {
  const std::string& kind = arsenal.options().kind;
  if (kind == "unauthorised") return std::make_unique<Unauthorised>(context, arsenal);
  if (kind == "bad_signatures") return std::make_unique<BadSignatures>(context, arsenal);
  if (kind == "replays") return std::make_unique<Replays>(context, arsenal);
  if (kind == "garbage") return std::make_unique<Garbage>(context, arsenal);
  if (kind == "half_open") return std::make_unique<HalfOpen>(context, arsenal);
  if (kind == "huge_frames") return std::make_unique<HugeFrames>(context, arsenal);
  if (kind == "subscriptions") return std::make_unique<Subscriptions>(context, arsenal);
  if (kind == "spammed_graph") return std::make_unique<SpammedGraph>(context, arsenal);
  if (kind == "slow_consumer") return std::make_unique<SlowConsumer>(context, arsenal);
  throw std::runtime_error("no attack is called " + kind);
}

}  // namespace bw::bench
