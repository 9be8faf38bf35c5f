// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "link/access.hpp"
#include "link/net_space.hpp"

namespace bw::link {

// A hub and participants, each in a network namespace of its own, each participant behind an access
// link to the hub; nobody else is reachable. Delay, jitter, loss and rate are emulated in user
// space by one thread, which carries the packets between TUN devices. Goes, with all namespaces and
// devices, with this object or its process.
class Network {
 public:
  static constexpr std::size_t kMost = 250;

  // kInvalidArgument beyond kMost participants; kDenied without the right to make namespaces,
  // kUnsupported without TUN devices.
  static Result<std::unique_ptr<Network>> make(std::vector<Access> accesses, std::uint64_t seed);
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  [[nodiscard]] const std::vector<Access>& accesses() const;
  // For the calling thread and what it starts from then on.
  [[nodiscard]] const NetSpace& hub() const;
  [[nodiscard]] const NetSpace& at(std::size_t participant) const;
  [[nodiscard]] static std::string hub_address();
  [[nodiscard]] static std::string address_of(std::size_t participant);

  // Since the beginning, at the participant's end of its link: IP packets that it sent, lost ones
  // too, and that reached it. From any thread.
  struct Traffic {
    std::uint64_t up_bytes = 0;
    std::uint64_t down_bytes = 0;
    std::uint64_t up_packets = 0;
    std::uint64_t down_packets = 0;
  };
  [[nodiscard]] Traffic traffic(std::size_t participant) const;

  // The threads' place on the machine: binds the emulator to these cores.
  void bind_to_core(int core);

 private:
  struct Impl;
  explicit Network(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bw::link
