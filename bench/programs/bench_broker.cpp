// SPDX-License-Identifier: Apache-2.0
// Load client for the brokers that Bosswave is compared with: `bench_broker publish|subscribe`.
#include <exception>
#include <iostream>
#include <memory>
#include <vector>

#include <CLI/CLI.hpp>
#include <poll.h>
#include <unistd.h>

#include "programs/mqtt.hpp"
#include "programs/nats.hpp"

namespace bw::bench {
namespace {

std::unique_ptr<Broker> connect(const BrokerOptions& options) {
  if (options.protocol == "nats") return std::make_unique<Nats>(options);
  return std::make_unique<Mqtt>(options);
}

void publish(const LoadOptions& load, const BrokerOptions& options) {
  const auto broker = connect(options);
  Pacer pacer(load);
  Bytes out;
  run_paced(pacer, [&](std::size_t count) {
    out.clear();
    const Nanos now = now_ns();
    for (std::size_t i = 0; i < count; ++i) pacer.next(broker->append(out), now);
    broker->write(out);
    broker->read(nullptr, 0);
  });
  broker->finish();
  std::cout << R"({"sent":)" << pacer.sent() << "}" << std::endl;
}

void subscribe(const LoadOptions& load, const BrokerOptions& options) {
  std::vector<std::unique_ptr<Broker>> brokers;
  std::vector<pollfd> waits{{STDIN_FILENO, POLLIN, 0}};
  for (std::size_t i = 0; i < load.connections; ++i) {
    brokers.push_back(connect(options));
    brokers.back()->subscribe();
    waits.push_back({brokers.back()->fd(), POLLIN, 0});
  }
  Tally tally(load);
  std::cout << "ready" << std::endl;
  bool told = false;
  while (!tally.complete()) {
    // Once the publisher is through, silence is worth looking at too.
    ::poll(waits.data(), waits.size(), told ? 20 : -1);
    for (std::size_t i = 0; i < brokers.size(); ++i) {
      if (waits[i + 1].revents != 0) brokers[i]->read(&tally, i);
    }
    if (waits[0].revents == 0) continue;
    std::uint64_t sent = 0;
    std::cin >> sent;
    tally.sent(sent);
    told = true;
    waits[0].fd = -1;
  }
  std::cout << tally.report() << std::endl;
}

}  // namespace
}  // namespace bw::bench

int main(int argc, char** argv) try {
  bw::bench::LoadOptions load;
  bw::bench::BrokerOptions options;
  CLI::App app("Publishes to or subscribes at a NATS or MQTT broker as fast as it can take it");
  bw::bench::add_load_options(app, load);
  app.add_option("--protocol", options.protocol)
      ->required()
      ->check(CLI::IsMember({"nats", "mqtt"}));
  app.add_option("--address", options.address, "127.0.0.1:port")->required();
  app.add_flag("--tls", options.tls);
  CLI11_PARSE(app, argc, argv);
  if (load.publish) {
    bw::bench::publish(load, options);
  } else {
    bw::bench::subscribe(load, options);
  }
  return 0;
} catch (const std::exception& error) {
  std::cerr << "bench_broker: " << error.what() << std::endl;
  return 1;
}
