// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "wave/pattern.hpp"

namespace bw::wave {

// A set of rights. C* contains C+ contains C, likewise for T: sets are kept closed, and a DoT whose
// bits are not closed is malformed.
class Permissions {
 public:
  static constexpr std::uint16_t kPublish = 0x01;      // P: publish and persist
  static constexpr std::uint16_t kConsume = 0x02;      // C: subscribe to and query a plain URI
  static constexpr std::uint16_t kConsumePlus = 0x04;  // C+: ... a pattern with +
  static constexpr std::uint16_t kConsumeStar = 0x08;  // C*: ... a pattern with *
  static constexpr std::uint16_t kTap = 0x10;          // T: consume without counting as a consumer
  static constexpr std::uint16_t kTapPlus = 0x20;
  static constexpr std::uint16_t kTapStar = 0x40;
  static constexpr std::uint16_t kList = 0x80;  // L: list children

  constexpr Permissions() = default;
  // Closes the set; bits unknown to this version must not be set.
  static Permissions of(std::uint16_t bits);
  // Strict: the bits of a signed object must be known (else kUnsupported), closed and not empty
  // (else kMalformed).
  static Result<Permissions> from_wire(std::uint16_t bits);
  // "PC*L", in any order and case, with or without commas or spaces; names publish, consume, tap
  // and list are understood too (consume and tap meaning C* and T*). At least one right: else
  // kMalformed.
  static Result<Permissions> parse(std::string_view text);

  [[nodiscard]] std::uint16_t bits() const { return bits_; }
  [[nodiscard]] bool empty() const { return bits_ == 0; }
  [[nodiscard]] bool contains(Permissions other) const {
    return (bits_ & other.bits_) == other.bits_;
  }
  [[nodiscard]] Permissions intersect(Permissions other) const;
  // What is missing from `other` to have all of this: the smallest set whose grant would do, so
  // C* without C+ is C*. Empty exactly when other contains this.
  [[nodiscard]] Permissions without(Permissions other) const;
  // Canonical text: the strongest of each family, in the order C T P L, e.g. "C*PL".
  [[nodiscard]] std::string text() const;

  friend constexpr bool operator==(Permissions, Permissions) = default;

 private:
  explicit constexpr Permissions(std::uint16_t bits) : bits_(bits) {}
  std::uint16_t bits_ = 0;
};

// What subscribing to or querying `pattern` takes: C, C+ (there is a +) or C* (there is a *).
Permissions consume_permission(const Pattern& pattern);
Permissions tap_permission(const Pattern& pattern);

}  // namespace bw::wave
