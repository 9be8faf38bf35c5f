// SPDX-License-Identifier: Apache-2.0
#include <type_traits>

#include "base/check.hpp"
#include "syndication/frames.hpp"

using namespace bw;

namespace {

Bytes encoded(const syndication::ParsedFrame& parsed) {
  Bytes out;
  std::visit(
      [&]<class T>(const T& frame) {
        if constexpr (std::is_same_v<T, syndication::Hello>) {
          syndication::encode_hello(parsed.type, frame, out);
        } else {
          syndication::encode_frame(frame, out);
        }
      },
      parsed.frame);
  return out;
}

bool has_reason(syndication::FrameType type) {
  using enum syndication::FrameType;
  return type == kError || type == kDetach || type == kResult || type == kSubmitted;
}

}  // namespace

// What parses is written again with the same length, and from then on stays the same: only reasons
// may change, once, when they are made printable, which takes a byte from controls that have two.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView frame(data, size);
  const auto parsed = syndication::parse_frame(frame);
  if (!parsed) return 0;
  const Bytes once = encoded(*parsed);
  BW_ASSERT(once.size() <= size + 4);
  BW_ASSERT(once.size() == size + 4 || has_reason(parsed->type));
  const auto again = syndication::parse_frame(ByteView(once).subspan(4));
  BW_ASSERT(again.has_value());
  BW_ASSERT(encoded(*again) == once);
  return 0;
}
