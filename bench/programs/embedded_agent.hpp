// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "agent/agent.hpp"
#include "ledger_embedded/client.hpp"
#include "net/io_thread.hpp"
#include "replica/replica.hpp"
#include "store/authority_store.hpp"

namespace bw::bench {

struct AgentOptions {
  std::filesystem::path directory;  // of the replica; kept from run to run
  std::string ledger;               // host:port
  std::string ledger_key;
  std::uint64_t entries = 0;  // that the ledger holds: everything the agents need to know
  std::filesystem::path keystore;
  std::vector<std::string> names;  // of keys there; one agent, and one session, each
};

// Agents in this process, as a program would embed them that wants no daemon beside it: one replica
// that follows the ledger, and for each key an agent that shows itself with it. They live on the
// thread that runs context(); the ledger is followed on one of its own.
class EmbeddedAgents {
 public:
  explicit EmbeddedAgents(AgentOptions options);
  ~EmbeddedAgents();

  // Returns when the replica has all `entries` and the agents run. Throws std::runtime_error.
  void start();

  [[nodiscard]] net::asio::io_context& context() { return context_; }
  [[nodiscard]] std::size_t size() const { return agents_.size(); }
  [[nodiscard]] agent::Agent& at(std::size_t i) { return *agents_[i].agent; }
  [[nodiscard]] const agent::KeyPtr& key(std::size_t i) const { return agents_[i].key; }
  [[nodiscard]] EntityKey resolve(const std::string& name) const;
  [[nodiscard]] ledger_embedded::Client& ledger() { return *ledger_; }

 private:
  class SystemClock final : public Clock {
   public:
    [[nodiscard]] Time now() const override {
      return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
    }
  };
  struct Held {
    agent::KeyPtr key;
    std::unique_ptr<agent::Agent> agent;
  };

  void follow_ledger();
  void add(const agent::KeyPtr& key);
  net::Task<void> stop();

  AgentOptions options_;
  telemetry::Log log_;
  SystemClock clock_;
  net::asio::io_context context_{1};
  net::IoThread ledger_thread_{net::ThreadPriority::kBehind};
  std::unique_ptr<store::AuthorityStore> store_;
  std::unique_ptr<replica::Replica> replica_;
  std::unique_ptr<ledger_embedded::Client> ledger_;
  std::vector<Held> agents_;
};

}  // namespace bw::bench
