// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

#include "net/channel.hpp"
#include "net/task_group.hpp"

// For tests: real sockets on one event loop, which the test turns by hand.
namespace bw::net::testing {

inline Bytes frame(ByteView body) {
  const auto length = static_cast<std::uint32_t>(body.size());
  Bytes out;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    out.push_back(static_cast<std::uint8_t>(length >> shift));
  }
  append(out, body);
  return out;
}
inline Bytes frame(std::string_view body) {
  return frame(as_bytes(body));
}

class Loop {
 public:
  asio::io_context context{1};

  // Turns the loop until `done`; false when that takes longer than any machine should need.
  template <class Done>
  [[nodiscard]] bool turn_until(Done done) {
    const auto limit = std::chrono::steady_clock::now() + 60s;
    while (!done()) {
      if (context.stopped()) context.restart();
      context.run_one_for(std::chrono::milliseconds(50));
      if (std::chrono::steady_clock::now() > limit) return false;
    }
    return true;
  }

  template <class T>
  T run(Task<T> task) {
    struct Outcome {
      std::optional<T> result;
      std::exception_ptr failure;
    };
    const auto outcome = std::make_shared<Outcome>();  // a task that hangs outlives this call
    asio::co_spawn(context, std::move(task), [outcome](std::exception_ptr error, T value) {
      outcome->failure = error;
      outcome->result = std::move(value);
    });
    if (!turn_until([&] { return outcome->result.has_value(); })) {
      throw std::runtime_error("test hangs");
    }
    if (outcome->failure) std::rethrow_exception(outcome->failure);
    return *std::move(outcome->result);
  }

  void run(Task<void> task) { run(with_value(std::move(task))); }

 private:
  static Task<bool> with_value(Task<void> task) {
    co_await std::move(task);
    co_return true;
  }
};

// A listener and the channels that came in through it.
class Loopback : public ::testing::Test, public Loop {
 public:
  struct Pair {
    ChannelPtr client;
    ChannelPtr server;
  };

  void listen(ListenerLimits limits = {}) {
    auto bound = Listener::bind(context, "127.0.0.1:0", limits);
    if (!bound) throw std::runtime_error(bound.error().message);
    listener = *std::move(bound);
    tasks.spawn(
        listener->run([this](ChannelPtr channel) { arrived.push_back(std::move(channel)); }));
  }

  Pair pair() {
    auto client = run(connect(listener->address(), 20s));
    if (!client) throw std::runtime_error(client.error().message);
    if (!turn_until([&] { return !arrived.empty(); }))
      throw std::runtime_error("no channel came in");
    auto server = arrived.front();
    arrived.pop_front();
    return {*std::move(client), std::move(server)};
  }
  Pair trusting_pair() {
    Pair both = pair();
    both.client->peer_is_trusted();
    both.server->peer_is_trusted();
    return both;
  }

  // The bodies of the next `count` frames, or the error that came instead.
  static Task<Result<std::vector<Bytes>>> receive(ChannelPtr channel, std::size_t count,
                                                  Duration deadline = 30s) {
    std::vector<Bytes> all;
    while (all.size() < count) {
      const auto frames = co_await channel->read(deadline);
      if (!frames) co_return tl::unexpected(frames.error());
      for (const ByteView body : *frames) all.push_back(to_bytes(body));
    }
    co_return all;
  }

  // Reads until the channel ends.
  static Task<Error> end_of(ChannelPtr channel, Duration deadline = 30s) {
    for (;;) {
      const auto frames = co_await channel->read(deadline);
      if (!frames) co_return frames.error();
    }
  }

  void client_and_server_talk(const Pair& both) {
    both.client->send(frame("question"));
    ASSERT_TRUE(run(receive(both.server, 1)));
    both.server->send(frame("answer"));
    ASSERT_TRUE(run(receive(both.client, 1)));
  }

  void TearDown() override {
    if (listener) listener->stop();
    run(tasks.join());
  }

  std::unique_ptr<Listener> listener;
  std::deque<ChannelPtr> arrived;
  TaskGroup tasks{context.get_executor()};
};

}  // namespace bw::net::testing
