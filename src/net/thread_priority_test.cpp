// SPDX-License-Identifier: Apache-2.0
#include "net/thread_priority.hpp"

#include <algorithm>
#include <thread>

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace bw::net {
namespace {

int nice_of(ThreadPriority priority) {
  int found = -1;
  std::thread([&] {
    set_thread_priority(priority);
    found = getpriority(PRIO_PROCESS, 0);
  }).join();
  return found;
}

TEST(ThreadPriority, IsTheThreadsOwn) {
  const int before = getpriority(PRIO_PROCESS, 0);
  EXPECT_EQ(nice_of(ThreadPriority::kPrompt), before);
  EXPECT_EQ(nice_of(ThreadPriority::kBehind), std::max(before, 5));
  EXPECT_EQ(nice_of(ThreadPriority::kBackground), std::max(before, 10));
  EXPECT_EQ(getpriority(PRIO_PROCESS, 0), before);
}

}  // namespace
}  // namespace bw::net
