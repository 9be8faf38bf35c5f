// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "link/net_space.hpp"

namespace bw::city {

// This very program as a child, `bw` with the given words, which ends with the thread that started
// it, however that ends.
class ChildProcess {
 public:
  struct Place {
    const link::NetSpace* space = nullptr;  // null: where the caller is
    std::filesystem::path log;              // standard error goes there; empty: to the caller's
    int if_orphaned = SIGTERM;              // what it gets when that thread is gone
  };
  // Standard output is a pipe, or thrown away without `output`.
  static Result<ChildProcess> start(const std::vector<std::string>& words, const Place& place,
                                    link::Descriptor* output);
  ChildProcess(ChildProcess&& other) noexcept : pid_(other.pid_) { other.pid_ = -1; }
  ChildProcess& operator=(ChildProcess&& other) noexcept {
    std::swap(pid_, other.pid_);
    return *this;
  }
  ~ChildProcess();  // kills it unless it was waited for

  [[nodiscard]] int pid() const { return pid_; }
  // Asks it to stop; wait() is to follow.
  void ask_to_stop() const;
  // Its exit code; -1 when a signal ended it.
  int wait();

 private:
  explicit ChildProcess(int pid) : pid_(pid) {}
  int pid_;
};

// Of a process: 0 when there is none of this number.
std::uint64_t peak_rss_bytes(int pid);  // the most memory that it ever had resident
std::uint64_t rss_bytes(int pid);
double cpu_seconds(int pid);  // of all its threads, with the system's work for it

}  // namespace bw::city
