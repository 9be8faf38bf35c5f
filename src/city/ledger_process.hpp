// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "city/build.hpp"
#include "city/child_process.hpp"

namespace bw::city {

// A `bw ledger run` of this very program, as a child that ends with it, in a directory of its own.
class LedgerProcess {
 public:
  // Whom it serves.
  struct Public {
    std::string listen = "127.0.0.1:0";
    double entries_per_second = 0;  // from one address; 0: no limit, which is for loopback only
    double burst = 2000;
  };
  // Ready for connections when it returns. Waits for the ledger of a run that was just killed to
  // let go of the directory.
  static Result<std::unique_ptr<LedgerProcess>> start(const std::filesystem::path& directory,
                                                      const Public& serving);
  static Result<std::unique_ptr<LedgerProcess>> start(const std::filesystem::path& directory) {
    return start(directory, Public{});
  }

  [[nodiscard]] const Door& door() const { return door_; }
  [[nodiscard]] int pid() const { return process_.pid(); }
  // In order: what it holds in memory is on disk then. Without, it is killed.
  Result<void> stop();

 private:
  LedgerProcess(ChildProcess process, Door door)
      : process_(std::move(process)), door_(std::move(door)) {}

  ChildProcess process_;
  Door door_;
};

}  // namespace bw::city
