// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "city/build.hpp"
#include "city/child_process.hpp"
#include "city/clone.hpp"
#include "city/seat.hpp"
#include "link/network.hpp"

namespace bw::city {

// The agents of all participants: a `bw agent run` each, at its place in the network.
class Crew {
 public:
  // All answer when it returns. `directory` is theirs, and made anew.
  static Result<std::unique_ptr<Crew>> start(const std::filesystem::path& directory,
                                             const link::Network& network, const Door& door,
                                             const Cloner& entries, std::uint64_t model_seed);
  // Stops them and removes the directory.
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  [[nodiscard]] std::size_t size() const { return agents_.size(); }
  [[nodiscard]] Seat& seat(std::size_t participant) { return *agents_[participant].seat; }

  struct Use {
    double cpu_s = 0;
    std::uint64_t rss_bytes = 0;
    link::Network::Traffic traffic;
  };
  // Since the agent's start.
  [[nodiscard]] Use use(std::size_t participant) const;

 private:
  Crew(std::filesystem::path directory, const link::Network& network)
      : directory_(std::move(directory)), network_(network) {}
  Result<void> launch(std::size_t participant, const Door& door, const Cloner& entries);

  struct Agent {
    ChildProcess process;
    std::unique_ptr<Seat> seat;
  };
  std::filesystem::path directory_;
  const link::Network& network_;
  std::vector<Agent> agents_;
};

}  // namespace bw::city
