// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>

#include "city/build.hpp"

namespace bw::city {

// Most memory that a process ever had resident; 0 when there is none of this number.
std::uint64_t peak_rss_bytes(int pid);

// A `bw ledger run` of this very program, as a child that ends with it, in a directory of its own
// and without limits on who submits: for loopback only.
class LedgerProcess {
 public:
  // Ready for connections when it returns. Waits for the ledger of a run that was just killed to
  // let go of the directory.
  static Result<std::unique_ptr<LedgerProcess>> start(const std::filesystem::path& directory);
  ~LedgerProcess();  // kills it unless stop() was called
  LedgerProcess(const LedgerProcess&) = delete;
  LedgerProcess& operator=(const LedgerProcess&) = delete;

  [[nodiscard]] const Door& door() const { return door_; }
  [[nodiscard]] int pid() const { return pid_; }
  // In order: what it holds in memory is on disk then.
  Result<void> stop();

 private:
  explicit LedgerProcess(int pid) : pid_(pid) {}
  Result<void> await_ready(int output);

  int pid_;
  Door door_;
};

}  // namespace bw::city
