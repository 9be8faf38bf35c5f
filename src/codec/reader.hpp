// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"
#include "base/id.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace bw::codec {

// Reads fixed-width big-endian integers and byte strings from a buffer it does not own; views point
// into that buffer. The first failure sticks: later reads give zeros, and finish() reports it, so a
// parser reads all its fields and asks once.
class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(big_endian(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(big_endian(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(big_endian(4)); }
  std::uint64_t u40() { return big_endian(5); }
  std::uint64_t u64() { return big_endian(8); }

  ByteView bytes(std::size_t count) {
    if (count > rest_.size()) {
      failed_ = true;
      rest_ = {};
      return {};
    }
    const ByteView view = rest_.first(count);
    rest_ = rest_.subspan(count);
    return view;
  }
  template <class IdType>
  IdType id() {
    const ByteView view = bytes(IdType::kSize);
    return failed_ ? IdType{} : IdType::from(view);
  }
  template <std::size_t N>
  ByteArray<N> array() {
    ByteArray<N> out{};
    const ByteView view = bytes(N);
    if (!failed_) std::copy(view.begin(), view.end(), out.begin());
    return out;
  }
  std::string_view text8() { return as_text(bytes(u8())); }
  std::string_view text16() { return as_text(bytes(u16())); }
  ByteView blob32() { return bytes(u32()); }
  Time seconds() { return from_seconds(u40()); }
  // Microseconds beyond the range of Time are a failure, never a negative time.
  Time micros() {
    const std::uint64_t value = u64();
    if (value > to_micros(kNever)) failed_ = true;
    return failed_ ? Time{} : from_micros(value);
  }

  void reject() { failed_ = true; }
  [[nodiscard]] bool ok() const { return !failed_; }
  [[nodiscard]] std::size_t remaining() const { return rest_.size(); }
  [[nodiscard]] ByteView rest() const { return rest_; }

  // Success only when nothing failed and nothing is left over.
  [[nodiscard]] Result<void> finish(std::string_view what) const {
    if (failed_) return fail(ErrorCode::kMalformed, "{}: too short or a field is out of range", what);
    if (!rest_.empty()) {
      return fail(ErrorCode::kMalformed, "{}: {} bytes left over", what, rest_.size());
    }
    return {};
  }

 private:
  std::uint64_t big_endian(std::size_t width) {
    std::uint64_t value = 0;
    for (const std::uint8_t byte : bytes(width)) value = value << 8U | byte;
    return value;
  }

  ByteView rest_;
  bool failed_ = false;
};

}  // namespace bw::codec
