// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "city/application.hpp"
#include "city/build.hpp"
#include "city/child_process.hpp"
#include "city/participants/clone.hpp"
#include "city/participants/summary.hpp"
#include "link/network.hpp"

namespace bw::city {

// The agents of all participants: a `bw agent run` each, at its place in the network.
class Agents {
 public:
  // All answer when it returns. `directory` is theirs, and made anew.
  static Result<std::unique_ptr<Agents>> start(const std::filesystem::path& directory,
                                               const link::Network& network, const Door& door,
                                               const Cloner& entries, std::uint64_t model_seed);
  // Stops them and removes the directory.
  ~Agents();
  Agents(const Agents&) = delete;
  Agents& operator=(const Agents&) = delete;

  [[nodiscard]] std::size_t size() const { return agents_.size(); }
  [[nodiscard]] Application& application(std::size_t participant) {
    return *agents_[participant].application;
  }

  // Since the agent's start.
  [[nodiscard]] AgentUse use(std::size_t participant) const;

 private:
  Agents(std::filesystem::path directory, const link::Network& network)
      : directory_(std::move(directory)), network_(network) {}
  Result<void> launch(std::size_t participant, const Door& door, const Cloner& entries);

  struct Agent {
    ChildProcess process;
    std::unique_ptr<Application> application;
  };
  std::filesystem::path directory_;
  const link::Network& network_;
  std::vector<Agent> agents_;
};

}  // namespace bw::city
