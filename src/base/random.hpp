// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace bw {

// The port through which randomness comes in. Implementations are thread-safe; the one used outside
// of tests is cryptographically strong.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::uint8_t> out) = 0;

  std::uint64_t u64() {
    ByteArray<8> raw{};
    fill(raw);
    std::uint64_t value = 0;
    for (const std::uint8_t byte : raw) value = value << 8U | byte;
    return value;
  }
};

}  // namespace bw
