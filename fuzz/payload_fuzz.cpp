// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/check.hpp"
#include "base/limits.hpp"
#include "syndication/message.hpp"

using namespace bw;

// What parses is the one encoding of its objects.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  const auto objects = syndication::parse_payload(bytes);
  if (!objects) return 0;
  BW_ASSERT(objects->size() <= limits::kPayloadObjects);
  BW_ASSERT(std::ranges::equal(syndication::encode_payload(*objects), bytes));
  return 0;
}
