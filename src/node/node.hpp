// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "node/config.hpp"

namespace bw::node {

// One process of Bosswave: an agent, and, by its roles, a ledger and a router too, all from one
// directory. What is missing there is made on first start: keys, stores, and the node's own
// entities on the ledger.
//
//   DIR/keys/*.key        the keystore; `agent` is the node's own key, `router` and `ledger` those
//   of its roles DIR/authority/        the ledger's entries and the indexes over them DIR/messages/
//   what a router stores DIR/heads             the highest ledger head seen (followers)
//   DIR/agent.sock        the API
class Node {
 public:
  // Everything is up when it returns, but a session to the ledger may still be on its way.
  static Result<std::unique_ptr<Node>> start(Config config, Roles roles, telemetry::Log& log);
  ~Node();

  // Stops in order: no new work, answers out, stores closed. Called once.
  void stop();

  struct Addresses {
    std::string socket;
    std::string metrics;
    std::string router;
    std::string ledger;
    std::optional<EntityKey> router_key;
    std::optional<EntityKey> ledger_key;
    EntityKey agent_key;
  };
  [[nodiscard]] Addresses addresses() const;

 private:
  struct Impl;
  explicit Node(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Runs a node until SIGTERM or SIGINT. Prints where it listens, then "ready". Fails when it cannot
// start.
Result<void> run_until_signal(Config config, Roles roles);

}  // namespace bw::node
