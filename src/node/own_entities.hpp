// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/keystore.hpp"
#include "agent/ledger_writer.hpp"
#include "telemetry/log.hpp"

namespace bw::node {

struct OwnEntity {
  agent::KeyPtr key;
  std::string comment;
};

// Puts a node's own entities on the ledger when they are not there yet or about to expire, and its
// router's address when the ledger says another one; again and again until it is done, then once an
// hour. Lives on the io_context's thread.
class OwnEntities {
 public:
  // `router_address`: empty when the node is no router; else of the last of `own`.
  OwnEntities(net::asio::io_context& io, ledger::Ledger& ledger, replica::Replica& replica,
              const Clock& clock, telemetry::Log& log, std::vector<OwnEntity> own,
              std::string router_address);
  ~OwnEntities();
  void stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace bw::node
