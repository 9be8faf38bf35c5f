// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "crypto/keys.hpp"
#include "net/channel.hpp"
#include "net/task_group.hpp"
#include "wave/proof.hpp"

namespace bw::bench {

struct AttackOptions {
  std::string kind;
  std::string agent;  // the API of the site's node, to put the attackers' entities and grants
  std::string router;
  std::string router_key;
  std::string ledger;
  std::string ledger_key;
  std::string keystore;              // of the site
  std::string ns;                    // name there of the namespace under attack
  std::vector<std::string> victims;  // and of those whom the spam aims at
  std::size_t connections = 32;      // attacking at once
  std::size_t entities = 1500;       // that the attackers have registered
};

// What the attackers have to attack with: a site's addresses, and registered entities that take
// turns, so that one that is refused is followed by a fresh one.
class Arsenal {
 public:
  // Registers the entities; those of attacks that need rights are granted `permissions` on
  // `pattern`. Throws std::runtime_error.
  Arsenal(const AttackOptions& options, const std::string& pattern, const std::string& permissions);

  struct Entity {
    crypto::SigningKey key;
    wave::Proof proof;  // empty without rights
  };
  // The next in turn.
  const Entity& next();
  [[nodiscard]] const std::vector<Entity>& entities() const { return entities_; }
  [[nodiscard]] const EntityKey& ns() const { return ns_; }
  [[nodiscard]] const EntityKey& router_key() const { return router_key_; }
  [[nodiscard]] const EntityKey& ledger_key() const { return ledger_key_; }
  [[nodiscard]] const std::vector<EntityKey>& victims() const { return victims_; }
  [[nodiscard]] const AttackOptions& options() const { return options_; }

 private:
  AttackOptions options_;
  EntityKey ns_;
  EntityKey router_key_;
  EntityKey ledger_key_;
  std::vector<EntityKey> victims_;
  std::vector<Entity> entities_;
  std::size_t turn_ = 0;
};

// What was sent while attacking.
struct Counts {
  double attacks = 0;      // messages, frames, connections or entries, as the kind of attack says
  double sessions = 0;     // opened
  double turned_away = 0;  // connections that were refused before a session stood
};

// One kind of attack. Lives on one io_context thread.
class Attack {
 public:
  Attack(net::asio::io_context& context, Arsenal& arsenal)
      : context_(context), arsenal_(arsenal), tasks_(context.get_executor()) {}
  virtual ~Attack() = default;
  Attack(const Attack&) = delete;
  Attack& operator=(const Attack&) = delete;

  // Attacks until stop(): when a connection has ended, the next begins at once.
  void start();
  // Ends every connection and returns what was sent since start().
  net::Task<Counts> stop();

 protected:
  // One connection, from its beginning until it ends or stop().
  virtual net::Task<void> attack(std::size_t worker) = 0;

  [[nodiscard]] bool on() const { return on_; }
  Arsenal& arsenal() { return arsenal_; }
  net::asio::io_context& context() { return context_; }

  // A session with the router as `entity`, a stream of its own (id 1) attached; null when refused.
  // What the router says is read and thrown away.
  net::Task<net::ChannelPtr> session(const Arsenal::Entity& entity);
  // At the attackers' own address, not yet connected.
  net::asio::ip::tcp::socket socket();
  // A TLS channel and no more.
  net::Task<net::ChannelPtr> channel(const std::string& address);
  // Sends `frames`, which hold `attacks`, over and over while the peer takes them.
  net::Task<void> repeat(net::ChannelPtr channel, net::SharedBytes frames, std::size_t attacks);
  // Until the peer has ended it, at most so long.
  net::Task<void> until_closed(net::ChannelPtr channel, Duration most);
  void read_and_forget(net::ChannelPtr channel);

  Counts counts_;

 private:
  net::Task<void> work(std::size_t worker);

  net::asio::io_context& context_;
  Arsenal& arsenal_;
  net::TaskGroup tasks_;
  bool on_ = false;
};

// Of "host:port" with a number for the host.
net::asio::ip::tcp::endpoint endpoint_of(const std::string& address);

std::unique_ptr<Attack> make_attack(net::asio::io_context& context, Arsenal& arsenal);
// The rights that entities need for a kind of attack: pattern and permissions, both empty for none.
std::pair<std::string, std::string> rights_for(const std::string& kind);

}  // namespace bw::bench
