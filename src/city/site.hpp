// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <set>

#include "city/build.hpp"
#include "city/objects.hpp"
#include "client/client.hpp"
#include "node/node.hpp"

namespace bw::city {

// A router and an agent of the city, used through the agent's API as by any application: where
// messages really go. For one caller's thread.
class Site {
 public:
  // `directory`: the node's own; its path has to leave room for a socket's name.
  static Result<std::unique_ptr<Site>> start(const std::filesystem::path& directory,
                                             const Door& door, std::uint64_t model_seed);
  ~Site();
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  struct Outcome {
    bool delivered = false;
    std::string reason;  // why not
  };
  // `listener` subscribes to the resource and, when that stands, `speaker` publishes a message.
  // Delivered: the very message arrived, signed by the speaker. Not delivered: one of them was
  // denied. Anything else is an error. `ledger_size`: the entries that the agent has to know first.
  Result<Outcome> exchange(const Resource& resource, Who speaker, Who listener,
                           std::uint64_t ledger_size);

 private:
  class Listener;
  explicit Site(std::uint64_t model_seed)
      : seed_(model_seed), log_({.level = telemetry::Level::kError}) {}
  Result<void> wait_for(const std::string& what, const std::function<Result<bool>()>& condition);
  Result<std::string> hold(Who who);
  Result<void> serve(Who ns);
  Result<void> publish(const std::string& as, const std::string& uri, const std::string& text);

  std::uint64_t seed_;
  telemetry::Log log_;
  std::unique_ptr<node::Node> node_;
  std::unique_ptr<client::Client> client_;
  std::unique_ptr<client::Client> listening_;
  std::set<Who> held_;
  std::set<Who> served_;
  std::uint64_t messages_ = 0;
};

}  // namespace bw::city
