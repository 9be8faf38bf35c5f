// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "city/application.hpp"

namespace bw::city {

// Messages that keep going from agents to agents, and how long they take. Each feed has a thread
// that publishes and one that listens.
class Traffic {
 public:
  struct Feed {
    std::size_t sender = 0;  // participants
    std::size_t receiver = 0;
    Application* from = nullptr;
    Application* to = nullptr;  // of one feed only, whose listening client it takes
    std::string speaker;        // keys, held there
    std::string listener;
    std::string uri;
  };
  // All subscriptions stand when it returns.
  static Result<std::unique_ptr<Traffic>> start(std::vector<Feed> feeds);
  ~Traffic();
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  // From now on each of the first `feeds` feeds sends one message an interval, at a moment of its
  // own in it, but none before the last was answered. The messages belong to `phase`.
  void begin(int phase, std::size_t feeds, Duration interval);
  // No more; returns when all that were sent have been answered and have arrived, or would have.
  void end();

  struct Arrival {
    std::size_t feed = 0;
    int phase = 0;
    double latency_us = 0;  // from the call of the sender's agent
  };
  // Those since the last time.
  std::vector<Arrival> take_arrivals();
  struct Counts {
    std::uint64_t accepted = 0;
    std::uint64_t arrived = 0;
    std::uint64_t denied = 0;
    std::uint64_t failed = 0;  // for any other reason
  };
  [[nodiscard]] Counts counts(int phase);
  // The first failure that was no denial; empty when there was none.
  [[nodiscard]] std::string trouble();
  [[nodiscard]] const std::vector<Feed>& feeds() const { return feeds_; }

 private:
  explicit Traffic(std::vector<Feed> feeds) : feeds_(std::move(feeds)) {}
  void hear(std::size_t feed, const Subscription::Heard& heard);
  void feed(std::size_t number);
  Result<void> say(const Feed& feed, std::unique_ptr<client::Publisher>& stream,
                   const std::string& text);
  [[nodiscard]] bool all_in() const;

  const std::vector<Feed> feeds_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t version_ = 0;  // of what begin() and end() last said
  std::size_t active_ = 0;
  std::size_t under_way_ = 0;
  int phase_ = 0;
  Duration interval_{};
  bool over_ = false;
  std::map<int, Counts> counts_;
  std::vector<Arrival> arrivals_;
  std::string trouble_;
  std::vector<std::unique_ptr<Subscription>> subscriptions_;
  std::vector<std::jthread> threads_;
};

}  // namespace bw::city
