// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/id.hpp"
#include "base/time.hpp"

namespace bw::codec {

// Appends fixed-width big-endian integers and byte strings to a buffer that the caller owns.
class Writer {
 public:
  explicit Writer(Bytes& out) : out_(out) {}

  Writer& u8(std::uint8_t value) { return big_endian(value, 1); }
  Writer& u16(std::uint16_t value) { return big_endian(value, 2); }
  Writer& u32(std::uint32_t value) { return big_endian(value, 4); }
  Writer& u40(std::uint64_t value) { return big_endian(value, 5); }
  Writer& u64(std::uint64_t value) { return big_endian(value, 8); }
  Writer& bytes(ByteView view) {
    append(out_, view);
    return *this;
  }
  template <class Tag>
  Writer& id(const Id<Tag>& id) {
    return bytes(id.view());
  }
  // Length prefix and content. Precondition: the length fits.
  Writer& text8(std::string_view text) {
    BW_ASSERT(text.size() <= 0xff);
    return u8(static_cast<std::uint8_t>(text.size())).bytes(as_bytes(text));
  }
  Writer& text16(std::string_view text) {
    BW_ASSERT(text.size() <= 0xffff);
    return u16(static_cast<std::uint16_t>(text.size())).bytes(as_bytes(text));
  }
  Writer& blob32(ByteView view) {
    BW_ASSERT(view.size() <= 0xffffffff);
    return u32(static_cast<std::uint32_t>(view.size())).bytes(view);
  }
  Writer& seconds(Time time) { return u40(to_seconds(time)); }
  Writer& micros(Time time) { return u64(to_micros(time)); }

 private:
  Writer& big_endian(std::uint64_t value, unsigned width) {
    ByteArray<8> raw;
    for (unsigned i = 0; i < width; ++i) {
      raw[i] = static_cast<std::uint8_t>(value >> 8U * (width - 1 - i));
    }
    return bytes(ByteView(raw).first(width));
  }

  Bytes& out_;
};

}  // namespace bw::codec
