// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/agent.hpp"

namespace bw::agent {

struct ApiOptions {
  std::string socket;          // path of the Unix socket, made with mode 0600
  std::string tcp;             // host:port, or empty; needs a token
  std::string token;           // for TCP
  std::string default_entity;  // keystore name or key used when a call names none
};

// What this process is besides an agent, for Info and the router's blacklist.
struct ProcessInfo {
  std::vector<std::string> roles;
  std::string directory;
  std::optional<EntityKey> router_key;
  std::string router_address;
  std::optional<EntityKey> ledger_key;
  std::string ledger_address;
  struct Blacklisted {
    EntityKey entity;
    Time until;
    std::uint64_t strikes;
  };
  // Called on the agent's thread; empty when this process is no router.
  std::function<std::vector<Blacklisted>()> blacklist;
};

struct ApiContext {
  net::asio::io_context& io;  // the agent's thread
  Agent& agent;
  Keystore& keystore;
  replica::Replica& replica;
  ledger::Ledger& ledger;
  const Clock& clock;
  telemetry::Log& log;
  std::optional<EntityKey> ledger_key;
  ProcessInfo info;
};

// The gRPC server of proto/bosswave.proto. Its own threads take the calls; look-ups are answered
// there, everything about messages is handed to the agent's thread.
class ApiServer {
 public:
  // kIo names the socket or address and the reason.
  static Result<std::unique_ptr<ApiServer>> start(ApiContext context, ApiOptions options);
  ~ApiServer();
  // Ends open calls and waits for them. The agent's thread must still be running.
  void stop();

 private:
  struct Impl;
  explicit ApiServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bw::agent
