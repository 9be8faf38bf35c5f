// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/check.hpp"
#include "codec/rlp.hpp"

using namespace bw;

namespace {

constexpr std::size_t kMostItems = 1024;
constexpr int kDeepest = 64;

// One value has one encoding: what is read is written again as it was.
void check(const codec::RlpItem& item, int depth) {
  Bytes again;
  if (!item.is_list) {
    codec::rlp_string(again, item.content);
    BW_ASSERT(std::ranges::equal(again, item.whole));
    if (const auto number = codec::rlp_u64(item)) {
      Bytes integer;
      codec::rlp_integer(integer, *number);
      BW_ASSERT(std::ranges::equal(integer, item.whole));
    }
    return;
  }
  codec::rlp_list(again, item.content);
  BW_ASSERT(std::ranges::equal(again, item.whole));
  const auto items = codec::rlp_items(item, kMostItems);
  if (!items) return;
  std::size_t bytes = 0;
  for (const codec::RlpItem& inner : *items) {
    bytes += inner.whole.size();
    if (depth < kDeepest) check(inner, depth + 1);
  }
  BW_ASSERT(bytes == item.content.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (const auto item = codec::parse_rlp({data, size})) {
    BW_ASSERT(item->whole.size() == size);
    check(*item, 0);
  }
  return 0;
}
