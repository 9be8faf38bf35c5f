// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace bw::link {

// Owns a file descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.number_) { other.number_ = -1; }
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor();

  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] bool is_open() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

// A network namespace without a name: it, and the devices in it, go with the last process, thread
// and descriptor that use it, whatever ends them.
class NetSpace {
 public:
  // That of the calling thread.
  static Result<NetSpace> current();
  // A new one with its loopback up; the calling thread stays where it is. kDenied without the
  // right.
  static Result<NetSpace> make();

  // Takes the calling thread there, and what it starts from then on. Does nothing that a process
  // between fork and exec must not.
  Result<void> enter() const;
  [[nodiscard]] bool enter_raw() const;

  // A point-to-network device there: what the system sends by it is read from the descriptor, one
  // IP packet at a time, and what is written comes in. `address` in host order. Does not block.
  [[nodiscard]] Result<Descriptor> open_tun(std::uint32_t address, unsigned prefix) const;

 private:
  explicit NetSpace(Descriptor handle) : handle_(std::move(handle)) {}
  Descriptor handle_;
};

// "10.77.0.1"
std::string address_text(std::uint32_t address);

}  // namespace bw::link
