// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/check.hpp"
#include "codec/reader.hpp"
#include "net/frame_buffer.hpp"

using namespace bw;

namespace {

constexpr std::size_t kLengthBytes = 4;

// What a stream of frames comes to, cut at once.
struct Cut {
  std::vector<Bytes> frames;
  ByteView rest;
  bool bad_length = false;
};

Cut cut_at_once(ByteView stream, std::size_t limit) {
  Cut cut;
  cut.rest = stream;
  while (cut.rest.size() >= kLengthBytes) {
    codec::Reader reader(cut.rest);
    const std::uint32_t length = reader.u32();
    cut.bad_length = length == 0 || length > limit;
    if (cut.bad_length || reader.remaining() < length) break;
    cut.frames.push_back(to_bytes(reader.bytes(length)));
    cut.rest = reader.rest();
  }
  return cut;
}

// The same as it arrives, `step` and more bytes at a time.
Cut cut_as_it_comes(ByteView stream, std::size_t limit, std::size_t step) {
  net::FrameBuffer buffer;
  Cut cut;
  std::vector<ByteView> frames;
  for (std::size_t arrived = 0; arrived < stream.size() && !cut.bad_length;) {
    const ByteView piece = stream.subspan(arrived, std::min(step, stream.size() - arrived));
    std::ranges::copy(piece, buffer.room(piece.size()).begin());
    buffer.commit(piece.size());
    arrived += piece.size();
    BW_ASSERT(buffer.capacity() <= 2 * arrived);
    do {
      frames.clear();
      cut.bad_length = !buffer.split(limit, frames);
      for (const ByteView frame : frames) cut.frames.push_back(to_bytes(frame));
    } while (!frames.empty() && !cut.bad_length);
    if (step % 2 == 0) buffer.shrink();
    step = step * 7 % 251 + 1;
    cut.rest = stream.subspan(arrived - buffer.held());
  }
  // Frames behind a bad length are not looked at.
  if (cut.bad_length) cut.rest = stream.last(buffer.held());
  return cut;
}

}  // namespace

// The limit of a frame u8, how to cut up the stream u8, the stream. However the bytes arrive, the
// same frames come out, and memory grows with what has arrived alone.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  codec::Reader input({data, size});
  const std::size_t limit = input.u8() + 1U;
  const std::size_t step = input.u8() + 1U;
  if (!input.ok()) return 0;
  const Cut whole = cut_at_once(input.rest(), limit);
  const Cut pieces = cut_as_it_comes(input.rest(), limit, step);
  BW_ASSERT(pieces.frames == whole.frames && pieces.bad_length == whole.bad_length);
  if (!whole.bad_length) BW_ASSERT(pieces.rest.size() == whole.rest.size());
  return 0;
}
