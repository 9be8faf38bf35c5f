// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace bw::net {

// Who goes first where threads want the same core.
enum class ThreadPriority : std::uint8_t {
  // Messages: little at a time, which should be done at once. Interrupts threads of other
  // priorities, as soon as it has something to do; its share of the CPU is the usual one.
  kPrompt,
  // News of the ledger: a third of the usual share, so that revocations come through on the busiest
  // machine.
  kBehind,
  // Strangers and whoever floods: a tenth of it.
  kBackground,
};

// Of the calling thread, and of those that it starts from now on. A wish: on a system that does not
// know it (shares need Linux, interrupting Linux 6.12) nothing changes.
void set_thread_priority(ThreadPriority priority);

}  // namespace bw::net
