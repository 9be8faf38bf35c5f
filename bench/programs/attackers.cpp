// SPDX-License-Identifier: Apache-2.0
#include "programs/attackers.hpp"

#include <filesystem>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "client/client.hpp"
#include "crypto/sealed_key.hpp"
#include "must.hpp"
#include "net/address.hpp"
#include "net/tls_channel.hpp"
#include "session/session.hpp"
#include "store/key_file.hpp"
#include "syndication/handshake.hpp"

namespace bw::bench {
namespace {

namespace asio = net::asio;
using e2e::must;

// Not that of the authorised traffic, since limits are by address.
constexpr const char* kAttackersAddress = "127.0.0.2";
constexpr Duration kPatience = 20s;
constexpr std::size_t kPutAtOnce = 512;
constexpr std::uint64_t kStream = 1;
constexpr std::size_t kAhead = 1024 * 1024;  // bytes kept ready for the system to send
constexpr Duration kLookAgain = 200us;

Time now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

wave::Signed<wave::Entity> entity_of(const crypto::SigningKey& key) {
  const Time created = std::chrono::floor<std::chrono::seconds>(now());
  return must(wave::sign(wave::Entity{.key = key.public_key(),
                                      .created = created,
                                      .expires = created + std::chrono::hours(24),
                                      .revokers = {},
                                      .contact = {},
                                      .comment = {}},
                         key));
}

wave::Signed<wave::Dot> grant(const crypto::SigningKey& from, const EntityKey& to,
                              const std::string& pattern, const std::string& permissions) {
  const Time created = std::chrono::floor<std::chrono::seconds>(now());
  return must(wave::sign(wave::Dot{.granter = from.public_key(),
                                   .grantee = to,
                                   .ns = from.public_key(),
                                   .permissions = must(wave::Permissions::parse(permissions)),
                                   .ttl = 0,
                                   .created = created,
                                   .not_before = created,
                                   .expires = created + std::chrono::hours(24),
                                   .messages_per_second = 0,
                                   .stored_bytes = 0,
                                   .revokers = {},
                                   .pattern = must(wave::Pattern::parse(pattern)),
                                   .comment = {},
                                   .conditions = {}},
                         from));
}

crypto::SigningKey key_of(const std::string& keystore, const std::string& name) {
  const auto path = std::filesystem::path(keystore) / (name + ".key");
  return must(crypto::open_key(must(store::read_key_file(path)), nullptr));
}

void put(client::Client& agent, const std::vector<Bytes>& objects) {
  for (std::size_t i = 0; i < objects.size(); i += kPutAtOnce) {
    client::api::SubmitRequest request;
    const std::size_t end = std::min(objects.size(), i + kPutAtOnce);
    for (std::size_t k = i; k < end; ++k) {
      request.add_objects(std::string(as_text(objects[k])));
    }
    for (const auto& outcome : must(agent.submit(request)).outcomes()) {
      if (!outcome.accepted()) throw std::runtime_error("not put: " + outcome.message());
    }
  }
}

}  // namespace

Arsenal::Arsenal(const AttackOptions& options, const std::string& pattern,
                 const std::string& permissions)
    : options_(options),
      router_key_(must(EntityKey::parse(options.router_key))),
      ledger_key_(must(EntityKey::parse(options.ledger_key))) {
  const crypto::SigningKey ns = key_of(options.keystore, options.ns);
  ns_ = ns.public_key();
  for (const std::string& victim : options.victims) {
    victims_.push_back(key_of(options.keystore, victim).public_key());
  }
  std::vector<Bytes> objects;
  for (std::size_t i = 0; i < options.entities; ++i) {
    Entity entity{crypto::SigningKey::generate(crypto::system_random()), {}};
    objects.push_back(entity_of(entity.key).bytes);
    if (!pattern.empty()) {
      entity.proof.dots.push_back(grant(ns, entity.key.public_key(), pattern, permissions));
      objects.push_back(entity.proof.dots.front().bytes);
    }
    entities_.push_back(std::move(entity));
  }
  const auto agent = must(client::Client::connect({options.agent, ""}, kPatience));
  put(*agent, objects);
}

const Arsenal::Entity& Arsenal::next() {
  return entities_[turn_++ % entities_.size()];
}

void Attack::start() {
  on_ = true;
  counts_ = {};
  for (std::size_t i = 0; i < arsenal_.options().connections; ++i) tasks_.spawn(work(i));
}

net::Task<Counts> Attack::stop() {
  on_ = false;
  const Counts counts = counts_;
  co_await tasks_.join();
  co_return counts;
}

net::Task<void> Attack::work(std::size_t worker) {
  while (on_) {
    co_await attack(worker);
    co_await net::asio::post(net::asio::use_awaitable);
  }
}

asio::ip::tcp::endpoint endpoint_of(const std::string& address) {
  const auto where = must(net::parse_host_port(address));
  return {asio::ip::make_address(where.host), where.port};
}

asio::ip::tcp::socket Attack::socket() {
  return {context_, {asio::ip::make_address(kAttackersAddress), 0}};
}

net::Task<net::ChannelPtr> Attack::channel(const std::string& address) {
  auto made = must(net::TlsChannel::make(socket(), net::TlsSide::kClient));
  const auto until = std::chrono::steady_clock::now() + kPatience;
  const auto opened = co_await made->open(endpoint_of(address), until);
  if (opened && on_) co_return made;
  ++counts_.turned_away;
  co_return nullptr;
}

net::Task<net::ChannelPtr> Attack::session(const Arsenal::Entity& entity) {
  net::ChannelPtr made = co_await channel(arsenal_.options().router);
  if (!made) co_return nullptr;
  session::Self self{&entity.key, syndication::Role::kAgent, {}};
  const auto peer = co_await session::open(made, std::move(self), arsenal_.router_key(),
                                           syndication::Role::kRouter);
  if (!peer) {
    ++counts_.turned_away;
    co_return nullptr;
  }
  ++counts_.sessions;
  Bytes attach;
  syndication::encode_frame(syndication::attach(made->exporter(), entity.key, kStream), attach);
  made->send(std::move(attach));
  read_and_forget(made);
  co_return made;
}

void Attack::read_and_forget(net::ChannelPtr channel) {
  tasks_.spawn([](net::ChannelPtr from) -> net::Task<void> {
    while (co_await from->read(kPatience)) {
    }
    from->abort();
  }(std::move(channel)));
}

net::Task<void> Attack::repeat(net::ChannelPtr channel, net::SharedBytes frames,
                               std::size_t attacks) {
  double sent = 0;
  while (on_ && channel->is_open()) {
    while (channel->is_open() && channel->queued_bytes() < kAhead) {
      channel->send(frames, false);
      sent += static_cast<double>(attacks);
      counts_.attacks += static_cast<double>(attacks);
    }
    co_await net::sleep_for(kLookAgain);
  }
  // What the system had not taken when the router closed was never sent.
  const double unsent = static_cast<double>(channel->queued_bytes()) /
                        static_cast<double>(frames->size()) * static_cast<double>(attacks);
  counts_.attacks -= std::min(sent, unsent);
}

net::Task<void> Attack::until_closed(net::ChannelPtr channel, Duration most) {
  for (Duration waited{}; on_ && channel->is_open() && waited < most; waited += 1ms) {
    co_await net::sleep_for(1ms);
  }
}

}  // namespace bw::bench
