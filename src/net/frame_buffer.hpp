// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace bw::net {

// Bytes as they arrive, cut into frames in place. A frame is a length (u32, big-endian, of what
// follows, never 0) and that many bytes. Grows with what has arrived, never with what a length
// announces.
class FrameBuffer {
 public:
  // Room for at least `least` more bytes; moves or frees what was handed out. commit() what was
  // filled.
  std::span<std::uint8_t> room(std::size_t least);
  void commit(std::size_t bytes) { end_ += bytes; }

  // Appends a view (without length) of each whole frame to `frames`; views hold until room() or
  // shrink(). kTooLarge, kMalformed when the first frame's length breaks `limit` or is 0. A bad
  // length behind good frames shows in the next call: what those frames say may raise the limit.
  Result<void> split(std::size_t limit, std::vector<ByteView>& frames);

  // Bytes of frames that are not yet handed out.
  [[nodiscard]] std::size_t held() const { return end_ - begin_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  // Gives memory back while nothing arrives.
  void shrink();

 private:
  void move_to(std::size_t capacity);

  std::unique_ptr<std::uint8_t[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace bw::net
