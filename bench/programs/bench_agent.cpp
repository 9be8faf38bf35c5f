// SPDX-License-Identifier: Apache-2.0
// Bosswave's load client: the application is in the process of its agent, as that of another broker
// is in the process of its client library. `bench_agent publish|subscribe`.
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <unistd.h>

#include "programs/embedded_agent.hpp"
#include "programs/tally.hpp"
#include "syndication/message.hpp"

namespace bw::bench {
namespace {

namespace asio = net::asio;

// type u32 | length u32 before the content.
constexpr std::size_t kPayloadHeader = 8;

struct Target {
  EntityKey ns;
  wave::Pattern uri;
};

// Publishes as the pacer says, from the agent's own thread.
class Publishing {
 public:
  Publishing(EmbeddedAgents& agents, const LoadOptions& load, const Target& target)
      : agents_(agents),
        pacer_(load),
        timer_(agents.context()),
        progress_(agents.context(), load.progress_fd) {
    value_.ns = target.ns;
    value_.uri = target.uri;
    value_.payload = syndication::encode_payload({{kPayloadType, Bytes(kPayloadBytes)}});
  }

  void run() {
    connect();
    agents_.context().run();
    if (!failure_.empty()) throw std::runtime_error(failure_);
    const auto stats = agents_.at(0).stats();
    std::cout << R"({"sent":)" << pacer_.sent() << R"(,"refused":)" << refused_ << R"(,"signed":)"
              << stats.messages_out << R"(,"batches":)" << stats.batches_out << "}" << std::endl;
  }

 private:
  // An agent connects on first use. A query, which finds nothing, makes it do so before the clock
  // starts.
  void connect() {
    agents_.at(0).query({.key = agents_.key(0), .ns = value_.ns, .pattern = value_.uri},
                        {.on_message = [](const agent::Received&) {},
                         .on_event = nullptr,
                         .on_end = [this](const Result<void>& outcome) { connected(outcome); }});
  }

  void connected(const Result<void>& outcome) {
    if (!outcome) {
      failure_ = outcome.error().message;
      return agents_.context().stop();
    }
    pacer_.start(now_ns());
    watch_progress();
    step();
  }

  void step() {
    const Nanos now = now_ns();
    if (pacer_.over(now)) {
      over_ = true;
      return stop_if_done();
    }
    const std::size_t count = pacer_.allowance(now);
    if (count == 0) return sleep();
    std::vector<agent::Value> values(count, value_);
    for (agent::Value& value : values) pacer_.next(value.payload.data() + kPayloadHeader, now);
    open_ += count;
    agents_.at(0).publish(agents_.key(0), std::move(values),
                          [this](const std::vector<Result<void>>& outcomes) { took(outcomes); });
    // Behind the agent's own turn, in which it signs and sends what it was given here.
    asio::post(agents_.context(), [this] { step(); });
  }

  void took(const std::vector<Result<void>>& outcomes) {
    for (const Result<void>& outcome : outcomes) {
      if (outcome) continue;
      if (refused_++ == 0) std::cerr << "refused: " << outcome.error().message << std::endl;
    }
    open_ -= outcomes.size();
    stop_if_done();
  }

  void stop_if_done() {
    if (over_ && open_ == 0) agents_.context().stop();
  }

  // Until the time comes or the subscriber opens the window.
  void sleep() {
    asleep_ = true;
    timer_.expires_at(
        std::chrono::steady_clock::time_point(std::chrono::nanoseconds(pacer_.next_due())));
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) wake();
    });
  }

  void wake() {
    if (!std::exchange(asleep_, false)) return;
    timer_.cancel();
    step();
  }

  void watch_progress() {
    progress_.async_wait(asio::posix::stream_descriptor::wait_read,
                         [this](const boost::system::error_code& error) {
                           if (error) return;
                           pacer_.read_progress();
                           watch_progress();
                           wake();
                         });
  }

  EmbeddedAgents& agents_;
  Pacer pacer_;
  asio::steady_timer timer_;
  asio::posix::stream_descriptor progress_;
  agent::Value value_;
  std::size_t open_ = 0;
  std::uint64_t refused_ = 0;
  std::string failure_;
  bool asleep_ = false;
  bool over_ = false;
};

// One subscription with each agent.
class Subscribing {
 public:
  Subscribing(EmbeddedAgents& agents, const LoadOptions& load, const Target& target)
      : agents_(agents),
        target_(target),
        tally_(load),
        timer_(agents.context()),
        input_(agents.context(), STDIN_FILENO) {}

  void run() {
    for (std::size_t i = 0; i < agents_.size(); ++i) subscribe(i);
    agents_.context().run();
    for (std::size_t i = 0; i < agents_.size(); ++i) agents_.at(i).cancel(subscriptions_[i]);
    if (!failure_.empty()) throw std::runtime_error(failure_);
    std::cout << tally_.report() << std::endl;
  }

 private:
  void subscribe(std::size_t i) {
    subscriptions_.push_back(agents_.at(i).subscribe(
        {.key = agents_.key(i), .ns = target_.ns, .pattern = target_.uri},
        {.on_message = [this, i](const agent::Received& message) { heard(i, message); },
         .on_event = [this](const agent::SubscriptionEvent& event) { told(event); },
         .on_end = [this](const Result<void>& outcome) { ended(outcome); }}));
  }

  void ended(const Result<void>& outcome) {
    if (outcome) return;
    failure_ = outcome.error().message;
    agents_.context().stop();
  }

  void heard(std::size_t connection, const agent::Received& message) {
    tally_.message(connection, ByteView(message.payload).subspan(kPayloadHeader));
    if (std::exchange(chunk_open_, true)) return;
    // After all that this read brought.
    asio::post(agents_.context(), [this] {
      chunk_open_ = false;
      tally_.end_of_chunk();
    });
  }

  void told(const agent::SubscriptionEvent& event) {
    if (event.kind != agent::SubscriptionEvent::Kind::kStanding) {
      std::cerr << event.text << " " << event.lost << std::endl;
    } else if (++standing_ == agents_.size()) {
      std::cout << "ready" << std::endl;
      wait_for_end();
    }
  }

  void wait_for_end() {
    input_.async_wait(asio::posix::stream_descriptor::wait_read,
                      [this](const boost::system::error_code&) {
                        std::uint64_t sent = 0;
                        std::cin >> sent;
                        tally_.sent(sent);
                        stop_when_complete();
                      });
  }

  void stop_when_complete() {
    if (tally_.complete()) return agents_.context().stop();
    timer_.expires_after(std::chrono::milliseconds(20));
    timer_.async_wait([this](const boost::system::error_code&) { stop_when_complete(); });
  }

  EmbeddedAgents& agents_;
  Target target_;
  Tally tally_;
  asio::steady_timer timer_;
  asio::posix::stream_descriptor input_;
  std::vector<agent::Agent::ConsumeId> subscriptions_;
  std::string failure_;
  std::size_t standing_ = 0;
  bool chunk_open_ = false;
};

}  // namespace
}  // namespace bw::bench

int main(int argc, char** argv) try {
  using namespace bw::bench;
  LoadOptions load;
  AgentOptions options;
  std::string ns;
  CLI::App app("Publishes or subscribes through agents in this process, as fast as they can");
  add_load_options(app, load);
  app.add_option("--dir", options.directory)->required();
  app.add_option("--ledger", options.ledger)->required();
  app.add_option("--ledger-key", options.ledger_key)->required();
  app.add_option("--entries", options.entries)->required();
  app.add_option("--keystore", options.keystore)->required();
  app.add_option("--as", options.names)->required();
  app.add_option("--namespace", ns)->required();
  CLI11_PARSE(app, argc, argv);
  load.connections = options.names.size();
  EmbeddedAgents agents(std::move(options));
  agents.start();
  const Target target{agents.resolve(ns), bw::wave::Pattern::parse("bench/value").value()};
  if (load.publish) {
    Publishing(agents, load, target).run();
  } else {
    Subscribing(agents, load, target).run();
  }
  return 0;
} catch (const std::exception& error) {
  std::cerr << "bench_agent: " << error.what() << std::endl;
  return 1;
}
