// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <set>

#include "city/application.hpp"
#include "city/build.hpp"
#include "city/objects.hpp"
#include "node/node.hpp"

namespace bw::city {

// A router of the city and an agent in its process: where messages really go. For one caller's
// thread.
class Site {
 public:
  // `directory`: the node's own; its path has to leave room for a socket's name. `listen`: of the
  // router, host:port.
  static Result<std::unique_ptr<Site>> start(const std::filesystem::path& directory,
                                             const Door& door, std::uint64_t model_seed,
                                             const std::string& listen = "127.0.0.1:0");
  ~Site();
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  // Has the namespace carried by the router here.
  Result<void> serve(Who ns);

  // Who says or hears something, at which agent.
  struct End {
    Who who;
    Application& at;
  };
  struct Outcome {
    bool delivered = false;
    std::string reason;  // why not
  };
  // `listener` subscribes to the resource and, when that stands, `speaker` publishes a message.
  // Delivered: the very message arrived, signed by the speaker. Not delivered: one of them was
  // denied. Anything else is an error. `ledger_size`: the entries that the agents have to know
  // first.
  Result<Outcome> exchange(const Resource& resource, const End& speaker, const End& listener,
                           std::uint64_t ledger_size);

  [[nodiscard]] Application& application() { return *application_; }
  [[nodiscard]] std::string address() const { return node_->addresses().router; }
  [[nodiscard]] EntityKey key() const { return *node_->addresses().router_key; }

 private:
  explicit Site(std::uint64_t model_seed)
      : seed_(model_seed), log_({.level = telemetry::Level::kError}) {}

  std::uint64_t seed_;
  telemetry::Log log_;
  std::unique_ptr<node::Node> node_;
  std::unique_ptr<Application> application_;
  std::set<Who> served_;
  std::uint64_t messages_ = 0;
};

}  // namespace bw::city
