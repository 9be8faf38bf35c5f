// SPDX-License-Identifier: Apache-2.0
#include "city/participants/attackers.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <sched.h>

#include "base/check.hpp"
#include "city/objects.hpp"
#include "net/task_group.hpp"
#include "session/session.hpp"
#include "syndication/batch.hpp"
#include "syndication/handshake.hpp"

namespace bw::city {
namespace {

namespace wire = syndication;

constexpr Duration kPatience = 20s;
constexpr Duration kLook = 1ms;
constexpr Duration kLookAgain = 200us;
constexpr std::size_t kAhead = 128 * 1024;  // bytes kept ready for the system to send
constexpr std::size_t kFrames = 64;         // handed over in one go
constexpr std::uint64_t kStream = 1;
constexpr std::uint32_t kBlob = 0x40000000;
// Each by itself, since the ledger takes whole submissions.
constexpr std::size_t kSpamFrames = 2048;

// A little ahead, so that what is made once stays within the replay window.
Time soon() {
  return std::chrono::floor<Duration>(std::chrono::system_clock::now()) + 30s;
}

wire::Topic topic_of(const EntityKey& ns, const std::string& uri, const wave::Proof& proof) {
  auto pattern = wave::Pattern::parse(uri);
  BW_ASSERT(pattern.has_value());
  return {ns, wave::proof_hash(proof), *std::move(pattern)};
}

// A proof, and a topic under number 0.
Bytes opening(const wire::Topic& topic, const wave::Proof& proof, const EntityKey& origin) {
  Bytes frames;
  if (!proof.dots.empty()) {
    const Bytes bytes = wave::encode(proof);
    wire::encode_frame(wire::ProofFrame{bytes}, frames);
  }
  wire::encode_frame(wire::TopicFrame{origin, kStream, 0, topic}, frames);
  return frames;
}

// One message on the topic, signed, as many times.
Bytes batches(const wire::Topic& topic, const crypto::SigningKey& key, std::size_t times) {
  const Bytes payload = wire::encode_payload({{kBlob, to_bytes("21.5")}});
  const auto prefix = wire::leaf_prefix(wire::topic_hash(topic));
  wire::BatchBuilder builder;
  builder.add({.topic = 0,
               .type = wire::MessageType::kPublish,
               .expires = {},
               .consumers = 0,
               .replay = false,
               .payload = payload},
              prefix);
  Bytes frame;
  const std::size_t begin = wire::begin_frame(wire::FrameType::kBatch, frame);
  builder.seal({.origin = key.public_key(), .stream = kStream, .sequence = 1, .created = soon()},
               key, frame);
  wire::finish_frame(begin, frame);
  Bytes out;
  for (std::size_t i = 0; i < times; ++i) append(out, frame);
  return out;
}

void bind_this_thread(int core) {
  if (core < 0) return;
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(static_cast<std::size_t>(core), &cores);
  ::sched_setaffinity(0, sizeof cores, &cores);
}

}  // namespace

// A thread in a participant's namespace.
class Attackers::Attacker {
 public:
  virtual ~Attacker() = default;

  void start(const link::NetSpace& place, int core) {
    thread_ = std::jthread([this, &place, core] {
      bind_this_thread(core);
      if (!place.enter()) return;
      net::TaskGroup tasks(io_.get_executor());
      readers_ = &tasks;
      net::asio::co_spawn(io_, run(), net::asio::use_future);
      io_.run();
    });
  }
  void end() {
    ending_ = true;
    if (thread_.joinable()) thread_.join();
  }

  std::atomic<bool> on = false;
  std::atomic<std::uint64_t> sent = 0;
  std::atomic<std::uint64_t> sessions = 0;
  std::atomic<std::uint64_t> turned_away = 0;

  [[nodiscard]] virtual bool floods() const = 0;

 protected:
  // One session, from its beginning to its end.
  virtual net::Task<void> attack() = 0;

  net::Task<net::ChannelPtr> session(const Door& door, const crypto::SigningKey* key,
                                     wire::Role role, wire::Role server) {
    auto opened = co_await net::connect(door.address, kPatience);
    if (!opened) {
      ++turned_away;
      co_return nullptr;
    }
    net::ChannelPtr channel = *std::move(opened);
    session::Self self{key, role, {}};
    if (!co_await session::open(channel, std::move(self), door.key, server)) {
      ++turned_away;
      co_return nullptr;
    }
    ++sessions;
    readers_->spawn(read_and_forget(channel));
    co_return channel;
  }

  // Sends the frames, which hold `each`, over and over, while the other end takes them.
  net::Task<void> press(net::ChannelPtr channel, std::function<net::SharedBytes()> frames,
                        std::size_t each) {
    while (on && channel->is_open()) {
      while (channel->is_open() && channel->queued_bytes() < kAhead) {
        channel->send(frames(), false);
        sent += each;
      }
      co_await net::sleep_for(kLookAgain);
    }
    channel->abort();
  }

 private:
  net::Task<void> run() {
    while (!ending_) {
      if (on) co_await attack();
      co_await net::sleep_for(kLook);
    }
    co_await readers_->join();
  }
  static net::Task<void> read_and_forget(net::ChannelPtr channel) {
    while (co_await channel->read(kPatience)) {
    }
    channel->abort();
  }

  std::atomic<bool> ending_ = false;
  net::asio::io_context io_{1};
  net::TaskGroup* readers_ = nullptr;
  std::jthread thread_;
};

class Attackers::Flood final : public Attacker {
 public:
  Flood(const Target& target, std::vector<crypto::SigningKey> keys, bool carried)
      : target_(target), keys_(std::move(keys)), carried_(carried) {}
  [[nodiscard]] bool floods() const override { return true; }

 private:
  net::Task<void> attack() override {
    const crypto::SigningKey& key = keys_[turn_++ % keys_.size()];
    const net::ChannelPtr channel =
        co_await session(target_.router, &key, wire::Role::kAgent, wire::Role::kRouter);
    if (!channel) co_return;
    const wave::Proof proof = carried_ ? target_.proof : wave::Proof{};
    const wire::Topic topic =
        topic_of(carried_ ? target_.ns : key.public_key(), target_.uri, proof);
    Bytes first;
    wire::encode_frame(wire::attach(channel->exporter(), key, kStream), first);
    append(first, opening(topic, proof, key.public_key()));
    channel->send(std::move(first));
    const auto frames = std::make_shared<const Bytes>(batches(topic, key, kFrames));
    co_await press(channel, [frames] { return frames; }, kFrames);
  }

  const Target& target_;
  const std::vector<crypto::SigningKey> keys_;
  const bool carried_;
  std::size_t turn_ = 0;
};

class Attackers::Spam final : public Attacker {
 public:
  Spam(const Target& target, const crypto::SigningKey& key) : target_(target) {
    const Time created = std::chrono::floor<std::chrono::seconds>(soon() - 60s);
    for (std::size_t i = 0; i < kSpamFrames; ++i) frames_.push_back(frame(key, created, i));
  }
  [[nodiscard]] bool floods() const override { return false; }

 private:
  net::SharedBytes frame(const crypto::SigningKey& key, Time created, std::size_t number) {
    const Grant grant{.granter = {},
                      .grantee = {},
                      .ns = {},
                      .permissions = wave::Permissions::of(wave::Permissions::kPublish),
                      .ttl = 3,
                      .pattern = fmt::format("spam{}/*", number)};
    const auto dot = dot_object(grant, key, target_.victims[number % target_.victims.size()],
                                target_.ns, created);
    Bytes out;
    wire::encode_frame(wire::Submit{1, {dot.bytes}}, out);
    return std::make_shared<const Bytes>(std::move(out));
  }

  net::Task<void> attack() override {
    const net::ChannelPtr channel =
        co_await session(target_.ledger, nullptr, wire::Role::kFollower, wire::Role::kLedger);
    if (!channel) co_return;
    co_await press(channel, [this] { return frames_[turn_++ % frames_.size()]; }, 1);
  }

  const Target& target_;
  std::vector<net::SharedBytes> frames_;
  std::size_t turn_ = 0;
};

Attackers::Attackers(const link::Network& network, Target target, std::vector<Flooder> flooders,
                     std::vector<Spammer> spammers, int core)
    : target_(std::move(target)) {
  for (std::size_t i = 0; i < flooders.size(); ++i) {
    attackers_.push_back(std::make_unique<Flood>(target_, std::move(flooders[i].keys), i % 2 == 0));
    attackers_.back()->start(network.at(flooders[i].participant), core);
  }
  for (const Spammer& spammer : spammers) {
    attackers_.push_back(std::make_unique<Spam>(target_, spammer.key));
    attackers_.back()->start(network.at(spammer.participant), core);
  }
}

Attackers::~Attackers() {
  rest();
  for (const auto& attacker : attackers_) attacker->end();
}

void Attackers::go() {
  for (const auto& attacker : attackers_) attacker->on = true;
}
void Attackers::rest() {
  for (const auto& attacker : attackers_) attacker->on = false;
}

Attackers::Counts Attackers::counts() const {
  Counts out;
  for (const auto& attacker : attackers_) {
    (attacker->floods() ? out.messages : out.dots) += attacker->sent;
    if (!attacker->floods()) continue;
    out.sessions += attacker->sessions;
    out.turned_away += attacker->turned_away;
  }
  return out;
}

}  // namespace bw::city
