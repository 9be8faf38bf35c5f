// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "city/model.hpp"
#include "client/client.hpp"

namespace bw::city {

// An agent as an application of the city uses it, by its API. Its calls are for one thread at a
// time; subscriptions have threads of their own.
class Application {
 public:
  // Waits for the agent.
  static Result<std::unique_ptr<Application>> at(const std::string& socket,
                                                 std::uint64_t model_seed);

  // Gives the agent somebody's key; returns the key as text.
  Result<std::string> hold(Who who);
  // Until the agent knows so many entries of the ledger.
  Result<void> await_ledger(std::uint64_t size);
  // One message; kDenied when the agent or the router refuses it.
  Result<void> publish(const std::string& as, const std::string& uri, const std::string& text);
  [[nodiscard]] client::Client& calls() { return *calls_; }
  [[nodiscard]] client::Client& listening() { return *listening_; }

 private:
  explicit Application(std::uint64_t model_seed) : seed_(model_seed) {}

  std::uint64_t seed_;
  std::unique_ptr<client::Client> calls_;
  std::unique_ptr<client::Client> listening_;
  std::set<Who> held_;
};

// Texts that come to somebody, taken on a thread of its own. Goes only after the application's
// listening() was cancelled, or when it ended by itself; cancel() does the former.
class Subscription {
 public:
  struct Heard {
    std::string from;  // who signed it
    std::string text;
  };
  using OnHeard = std::function<void(const Heard&)>;
  Subscription(client::Client& listening, const std::string& as, const std::string& uri,
               OnHeard on_heard);
  ~Subscription();
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

  // False when it was denied. Any other failure is an error.
  Result<bool> stands();
  // Why it ended.
  [[nodiscard]] std::string reason();
  [[nodiscard]] bool ended();

 private:
  bool take(const client::api::DeliveryFrame& frame);

  OnHeard on_heard_;
  client::Client& client_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool standing_ = false;
  bool ended_ = false;
  std::optional<Error> error_;
  std::jthread thread_;
};

// The frame of one value with a text.
client::api::PublishFrame text_frame(const std::string& as, const std::string& uri,
                                     const std::string& text);
// What became of the one value of a frame.
Result<void> outcome_of(const client::api::PublishResults& results);

// Looks until the condition holds; kUnavailable after a minute.
Result<void> wait_for(const std::string& what, const std::function<Result<bool>()>& condition);

}  // namespace bw::city
