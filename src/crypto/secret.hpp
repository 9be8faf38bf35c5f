// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace bw::crypto {

// Overwrites memory in a way the compiler may not remove.
void wipe(std::span<std::uint8_t> bytes);

// Takes the same time wherever the two differ, so that guessing a secret piece by piece gains
// nothing. Their lengths are not kept secret.
[[nodiscard]] bool equal_in_constant_time(ByteView a, ByteView b);

// N secret bytes that are wiped when they go. Movable, not copyable, never printed.
template <std::size_t N>
class Secret {
 public:
  Secret() = default;
  ~Secret() { wipe(bytes_); }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { wipe(other.bytes_); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      wipe(other.bytes_);
    }
    return *this;
  }

  [[nodiscard]] std::span<std::uint8_t, N> writable() { return bytes_; }
  [[nodiscard]] std::span<const std::uint8_t, N> view() const { return bytes_; }

 private:
  ByteArray<N> bytes_{};
};

// A passphrase in memory: wiped when it goes or moves, never printed.
class Passphrase {
 public:
  explicit Passphrase(std::string text);
  ~Passphrase();
  Passphrase(const Passphrase&) = delete;
  Passphrase& operator=(const Passphrase&) = delete;
  Passphrase(Passphrase&& other) noexcept;
  Passphrase& operator=(Passphrase&& other) noexcept;
  [[nodiscard]] std::string_view text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace bw::crypto
