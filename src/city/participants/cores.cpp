// SPDX-License-Identifier: Apache-2.0
#include "city/participants/cores.hpp"

#include <filesystem>
#include <string>

#include <sched.h>

namespace bw::city {
namespace {

void bind_process(const cpu_set_t& cores) {
  std::error_code error;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task", error)) {
    // One that has just ended is no matter.
    ::sched_setaffinity(std::stoi(thread.path().filename().string()), sizeof cores, &cores);
  }
}

cpu_set_t range(int end) {
  cpu_set_t out;
  CPU_ZERO(&out);
  for (int core = 0; core < end; ++core) CPU_SET(static_cast<std::size_t>(core), &out);
  return out;
}

int last_core() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  ::sched_getaffinity(0, sizeof allowed, &allowed);
  int last = 0;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(static_cast<std::size_t>(core), &allowed)) last = core;
  }
  return last;
}

}  // namespace

Cores::Cores(link::Network& network, bool divide) {
  if (const int last = last_core(); divide && last > 0) {
    attackers_ = last;
    bind_process(range(last));
    network.bind_to_core(last);
  }
}

Cores::~Cores() {
  if (attackers_ > 0) bind_process(range(attackers_ + 1));
}

}  // namespace bw::city
