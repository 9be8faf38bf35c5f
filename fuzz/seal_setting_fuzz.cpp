// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/check.hpp"
#include "syndication/seal_setting.hpp"

using namespace bw;

// Whatever is taken for a setting is written back byte for byte, and answers.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  const auto setting = syndication::parse_seal_setting(bytes);
  if (!setting) return 0;
  BW_ASSERT(std::ranges::equal(syndication::encode(*setting), bytes));
  for (const wave::Pattern& pattern : setting->patterns) {
    if (pattern.is_concrete()) BW_ASSERT(setting->covers(pattern));
  }
  return 0;
}
