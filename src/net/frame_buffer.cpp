// SPDX-License-Identifier: Apache-2.0
#include "net/frame_buffer.hpp"

#include <algorithm>
#include <cstring>

#include "base/text.hpp"

namespace bw::net {
namespace {

constexpr std::size_t kLengthBytes = 4;
// What an idle buffer may keep.
constexpr std::size_t kIdleBytes = 4096;

std::size_t read_length(const std::uint8_t* bytes) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) length = length << 8U | bytes[i];
  return length;
}

}  // namespace

void FrameBuffer::move_to(std::size_t capacity) {
  auto fresh = std::make_unique_for_overwrite<std::uint8_t[]>(capacity);
  const std::size_t kept = held();
  if (kept != 0) std::memcpy(fresh.get(), bytes_.get() + begin_, kept);
  bytes_ = std::move(fresh);
  capacity_ = capacity;
  begin_ = 0;
  end_ = kept;
}

std::span<std::uint8_t> FrameBuffer::room(std::size_t least) {
  const std::size_t kept = held();
  if (kept == 0) begin_ = end_ = 0;
  if (capacity_ - end_ < least) {
    if (capacity_ - kept < least) {
      move_to(kept + std::max(least, kept));
    } else {
      std::memmove(bytes_.get(), bytes_.get() + begin_, kept);
      begin_ = 0;
      end_ = kept;
    }
  }
  return {bytes_.get() + end_, capacity_ - end_};
}

Result<void> FrameBuffer::split(std::size_t limit, std::vector<ByteView>& frames) {
  while (held() >= kLengthBytes) {
    const std::size_t length = read_length(bytes_.get() + begin_);
    if (length == 0 || length > limit) {
      if (!frames.empty()) break;
      if (length == 0) return fail(ErrorCode::kMalformed, "frame of length 0");
      return fail(ErrorCode::kTooLarge, "frame of {} bytes, the limit is {}", length, limit);
    }
    if (held() - kLengthBytes < length) break;
    frames.emplace_back(bytes_.get() + begin_ + kLengthBytes, length);
    begin_ += kLengthBytes + length;
  }
  return {};
}

void FrameBuffer::shrink() {
  if (capacity_ <= kIdleBytes + 4 * held()) return;
  if (held() == 0) {
    *this = FrameBuffer{};
  } else {
    move_to(held());
  }
}

}  // namespace bw::net
