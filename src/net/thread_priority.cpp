// SPDX-License-Identifier: Apache-2.0
#include "net/thread_priority.hpp"

#include <algorithm>

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace bw::net {
namespace {

// struct sched_attr of sched_setattr(2), which the C library does not declare.
struct SchedulingWish {
  std::uint32_t size = sizeof(SchedulingWish);
  std::uint32_t policy = 0;  // SCHED_OTHER
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t slice_ns = 0;  // sched_runtime; 0: the system's usual one
  std::uint64_t deadline_ns = 0;
  std::uint64_t period_ns = 0;
};

// No wish goes further than nice 10: a thread may hold, for a microsecond, a lock that others wait
// for, and must come to the end of it on a machine that is busy with other things, too.
SchedulingWish wish_for(ThreadPriority priority) {
  // Linux counts priorities by thread (setpriority(2), "C library/kernel differences").
  const int now = getpriority(PRIO_PROCESS, 0);
  switch (priority) {
    case ThreadPriority::kPrompt:
      // Enough for some hundred messages, and the least that Linux takes.
      return {.nice = now, .slice_ns = 100'000};
    case ThreadPriority::kBehind:
      return {.nice = std::max(now, 5)};
    case ThreadPriority::kBackground:
      break;
  }
  return {.nice = std::max(now, 10)};
}

}  // namespace

void set_thread_priority(ThreadPriority priority) {
  const SchedulingWish wish = wish_for(priority);
  syscall(SYS_sched_setattr, 0, &wish, 0);
}

}  // namespace bw::net
