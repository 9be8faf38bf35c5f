// SPDX-License-Identifier: Apache-2.0
// Attacks a site as fast as it can. Makes ready, says "ready"; on the line "go" attacks, on "stop"
// ends and says in one JSON object what it sent.
#include <chrono>
#include <exception>
#include <iostream>
#include <thread>

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include "programs/attackers.hpp"

namespace bw::bench {
namespace {

// The attack has a thread of its own, so that standard input can be waited for.
class Loop {
 public:
  ~Loop() {
    work_.reset();
    io_.stop();
    thread_.join();
  }
  template <class Action>
  void on(Action action) {
    net::asio::post(io_, net::asio::use_future(std::move(action))).get();
  }
  template <class T>
  T run(net::Task<T> task) {
    return net::asio::co_spawn(io_, std::move(task), net::asio::use_future).get();
  }
  net::asio::io_context& io() { return io_; }

 private:
  net::asio::io_context io_{1};
  net::asio::executor_work_guard<net::asio::io_context::executor_type> work_{io_.get_executor()};
  std::thread thread_{[this] { io_.run(); }};
};

void obey(Loop& loop, Attack& attack) {
  std::chrono::steady_clock::time_point began;
  std::cout << "ready" << std::endl;
  for (std::string word; std::cin >> word;) {
    if (word == "go") {
      began = std::chrono::steady_clock::now();
      loop.on([&] { attack.start(); });
    } else if (word == "stop") {
      const std::chrono::duration<double> lasted = std::chrono::steady_clock::now() - began;
      const Counts counts = loop.run(attack.stop());
      std::cout
          << fmt::format(
                 R"({{"attacks":{:.0f},"sessions":{:.0f},"turned_away":{:.0f},"seconds":{:.3f}}})",
                 counts.attacks, counts.sessions, counts.turned_away, lasted.count())
          << std::endl;
    }
  }
}

}  // namespace
}  // namespace bw::bench

int main(int argc, char** argv) try {
  using namespace bw::bench;
  AttackOptions options;
  CLI::App app("Attacks a router or a ledger as fast as it can");
  app.add_option("--kind", options.kind)->required();
  app.add_option("--agent", options.agent)->required();
  app.add_option("--router", options.router)->required();
  app.add_option("--router-key", options.router_key)->required();
  app.add_option("--ledger", options.ledger)->required();
  app.add_option("--ledger-key", options.ledger_key)->required();
  app.add_option("--keystore", options.keystore)->required();
  app.add_option("--namespace", options.ns)->required();
  app.add_option("--victim", options.victims)->required();
  app.add_option("--connections", options.connections);
  app.add_option("--entities", options.entities);
  CLI11_PARSE(app, argc, argv);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  const auto [pattern, permissions] = rights_for(options.kind);
  Arsenal arsenal(options, pattern, permissions);
  Loop loop;
  const auto attack = make_attack(loop.io(), arsenal);
  obey(loop, *attack);
  return 0;
} catch (const std::exception& error) {
  std::cerr << "bench_attack: " << error.what() << std::endl;
  return 1;
}
