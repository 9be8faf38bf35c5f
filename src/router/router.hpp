// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "crypto/keys.hpp"
#include "net/channel.hpp"
#include "replica/replica.hpp"
#include "syndication/router_core.hpp"
#include "telemetry/log.hpp"

namespace bw::router {

struct Options {
  std::string listen = "0.0.0.0:4514";
  net::ListenerLimits connections;
  syndication::RouterLimits limits;
  // The context's own, and so many less one that the router starts: sessions are spread over them.
  // Besides, strangers and whoever floods have a thread in the background.
  std::size_t threads = 1;
};

// Ledger heads that peers show each other on connecting, so that a fork is caught. Thread-safe.
struct HeadExchange {
  std::function<Bytes()> latest;                  // empty when there is none
  std::function<Result<void>(ByteView)> compare;  // kFork when a peer saw another history
};

// A designated router: sockets around a RouterCore. Lives on one io_context thread.
class Router {
 public:
  Router(net::asio::io_context& context, replica::Replica& replica,
         syndication::MessageStore& store, const crypto::SigningKey& key, const Clock& clock,
         telemetry::Log& log, HeadExchange heads, Options options);
  ~Router();

  Result<void> start();
  net::Task<void> stop();

  [[nodiscard]] const EntityKey& key() const;
  [[nodiscard]] std::string address() const;
  [[nodiscard]] syndication::RouterStats stats() const;
  // Sessions that wait for all others: new ones, and those that brought something that was refused.
  // Any thread.
  [[nodiscard]] std::size_t background_sessions() const;
  [[nodiscard]] std::vector<syndication::BlacklistEntry> blacklist() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace bw::router
