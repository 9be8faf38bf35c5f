// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "link/network.hpp"

namespace bw::city {

// Who gets which core when some attack: the machine of an attacker is not the one that it attacks.
// All threads of this process and what it starts have every core but the last, which is for the
// attackers and the emulated network. With one core all share it.
class Cores {
 public:
  // Divides them until this goes, when `divide`.
  Cores(link::Network& network, bool divide);
  ~Cores();
  Cores(const Cores&) = delete;
  Cores& operator=(const Cores&) = delete;

  // -1: any.
  [[nodiscard]] int of_attackers() const { return attackers_; }

 private:
  int attackers_ = -1;
};

}  // namespace bw::city
