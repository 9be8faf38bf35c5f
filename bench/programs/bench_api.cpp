// SPDX-License-Identifier: Apache-2.0
// Bosswave's load client for applications that are processes of their own and use the API of an
// agent daemon: `bench_api publish|subscribe`.
#include <exception>
#include <iostream>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <poll.h>
#include <unistd.h>

#include "client/client.hpp"
#include "programs/tally.hpp"

namespace bw::bench {
namespace {

namespace api = client::api;

// The agent reads no more than 64 frames ahead of its answers.
constexpr std::size_t kFramesAhead = 32;

struct ApiOptions {
  std::string agent;
  std::vector<std::string> names;
  std::string uri;
};

std::unique_ptr<client::Client> connect(const ApiOptions& options) {
  auto made = client::Client::connect({options.agent, ""}, 5s);
  if (!made) throw std::runtime_error(made.error().message);
  return *std::move(made);
}

// A stream of values to the agent, some frames ahead of its answers.
class Publishing {
 public:
  Publishing(const LoadOptions& load, const ApiOptions& options)
      : pacer_(load), client_(connect(options)), stream_(client_->publish()) {
    frame_.set_as(options.names.at(0));
    value_.set_uri(options.uri);
    value_.add_payload()->set_type(kPayloadType);
    value_.mutable_payload(0)->set_content(std::string(kPayloadBytes, '\0'));
  }

  void run() {
    run_paced(pacer_, [this](std::size_t count) { send(count); });
    while (ahead_ > 0) receive();
    if (const auto ended = stream_->finish(); !ended)
      throw std::runtime_error(ended.error().message);
    std::cout << R"({"sent":)" << pacer_.sent() << R"(,"refused":)" << refused_ << "}" << std::endl;
  }

 private:
  void send(std::size_t count) {
    const Nanos now = now_ns();
    // What RemoveLast() takes off, add_values() gives back with its memory.
    auto& values = *frame_.mutable_values();
    while (static_cast<std::size_t>(values.size()) > count) values.RemoveLast();
    while (static_cast<std::size_t>(values.size()) < count) *values.Add() = value_;
    for (api::Value& value : values) {
      std::string& content = *value.mutable_payload(0)->mutable_content();
      pacer_.next(reinterpret_cast<std::uint8_t*>(content.data()), now);
    }
    if (!stream_->send(frame_)) throw std::runtime_error("the agent has gone");
    if (++ahead_ >= kFramesAhead) receive();
  }

  void receive() {
    api::PublishResults results;
    if (!stream_->receive(results)) throw std::runtime_error("the agent has gone");
    --ahead_;
    refused_ += static_cast<std::uint64_t>(results.errors_size());
    for (const auto& error : results.errors()) std::cerr << error.message() << std::endl;
  }

  Pacer pacer_;
  std::unique_ptr<client::Client> client_;
  std::unique_ptr<client::Publisher> stream_;
  api::Value value_;
  api::PublishFrame frame_;
  std::size_t ahead_ = 0;
  std::uint64_t refused_ = 0;
};

// One stream of deliveries for each name, all with one agent, each read by a thread of its own.
class Subscribing {
  template <class Action>
  auto locked(Action action) {
    const std::scoped_lock lock(mutex_);
    return action();
  }

 public:
  Subscribing(const LoadOptions& load, const ApiOptions& options)
      : window_(load.window), options_(options), tally_(load), client_(connect(options)) {}

  void run() {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < options_.names.size(); ++i) {
      threads.emplace_back([this, i] { read(i); });
    }
    std::uint64_t sent = 0;
    std::cin >> sent;
    locked([&] { tally_.sent(sent); });
    while (!locked([&] { return tally_.complete(); })) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    client_->cancel();
    threads.clear();
    std::cout << tally_.report() << std::endl;
  }

 private:
  void read(std::size_t connection) {
    api::SubscribeRequest request;
    request.set_as(options_.names[connection]);
    request.set_uri(options_.uri);
    request.set_buffer(static_cast<std::uint32_t>(2 * window_));
    const auto ended = client_->subscribe(request, [&](const api::DeliveryFrame& frame) {
      locked([&] { take(connection, frame); });
      return true;
    });
    if (!ended) std::cerr << "subscription ended: " << ended.error().message << std::endl;
  }

  void take(std::size_t connection, const api::DeliveryFrame& frame) {
    if (frame.event() == "standing" && ++standing_ == options_.names.size()) {
      std::cout << "ready" << std::endl;
    }
    for (const api::Delivery& delivery : frame.deliveries()) {
      tally_.message(connection, as_bytes(delivery.payload(0).content()));
    }
    if (!frame.deliveries().empty()) tally_.end_of_chunk();
  }

  std::uint64_t window_;
  ApiOptions options_;
  std::mutex mutex_;
  Tally tally_;
  std::size_t standing_ = 0;
  std::unique_ptr<client::Client> client_;
};

}  // namespace
}  // namespace bw::bench

int main(int argc, char** argv) try {
  using namespace bw::bench;
  LoadOptions load;
  load.chunk = 512;
  ApiOptions options;
  CLI::App app("Publishes or subscribes through the API of an agent daemon, as fast as it can");
  add_load_options(app, load);
  app.add_option("--agent", options.agent, "unix:/path/agent.sock")->required();
  app.add_option("--as", options.names)->required();
  app.add_option("--uri", options.uri)->required();
  CLI11_PARSE(app, argc, argv);
  load.connections = options.names.size();
  if (load.publish) {
    Publishing(load, options).run();
  } else {
    Subscribing(load, options).run();
  }
  return 0;
} catch (const std::exception& error) {
  std::cerr << "bench_api: " << error.what() << std::endl;
  return 1;
}
