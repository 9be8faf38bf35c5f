// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <cstdio>

#include "node/node.hpp"

namespace bw::node {
namespace {

// Blocks the signals in every thread made from here on, so that only wait() gets them.
class Signals {
 public:
  Signals() {
    ::sigemptyset(&set_);
    ::sigaddset(&set_, SIGTERM);
    ::sigaddset(&set_, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);
  }
  int wait() const {
    int number = 0;
    while (::sigwait(&set_, &number) != 0) {
    }
    return number;
  }

 private:
  sigset_t set_{};
};

void print(const char* what, const std::string& value) {
  if (!value.empty()) std::printf("  %-10s %s\n", what, value.c_str());
}

}  // namespace

Result<void> run_until_signal(Config config, Roles roles) {
  const Signals signals;
  telemetry::Log log({.level = config.log.level, .json = config.log.json});
  const std::string directory = config.directory.string();
  BW_TRY(const auto node, Node::start(std::move(config), roles, log));
  const Node::Addresses addresses = node->addresses();
  std::printf("Bosswave node in %s\n", directory.c_str());
  print("api", "unix:" + addresses.socket);
  if (addresses.ledger_key) {
    print("ledger", addresses.ledger.empty()
                        ? "following " + addresses.ledger_key->text()
                        : addresses.ledger + "  key " + addresses.ledger_key->text());
  }
  if (addresses.router_key)
    print("router", addresses.router + "  key " + addresses.router_key->text());
  if (!addresses.metrics.empty()) print("metrics", "http://" + addresses.metrics + "/metrics");
  std::printf("ready\n");
  std::fflush(stdout);
  signals.wait();
  log.write(telemetry::Level::kInfo, "node", "stopping");
  node->stop();
  return {};
}

}  // namespace bw::node
