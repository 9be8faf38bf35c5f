// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "wave/pattern.hpp"

namespace bw::syndication {

// Where a namespace wants payloads sealed: persisted at its URI "!seal", as one payload object of
// kSealSettingType. Nothing below that cell is ever sealed.
inline constexpr std::string_view kSealUri = "!seal";

// Bytes: version u8 = 1 | count u8 | count * pattern text16, strictly ascending.
struct SealSetting {
  std::vector<wave::Pattern> patterns;  // at most kSealPatterns; none: nothing is sealed

  [[nodiscard]] bool covers(const wave::Pattern& uri) const;
};

// Preconditions: the patterns ascend and are as few as that.
Bytes encode(const SealSetting& setting);
// Strict: kMalformed, kTooLarge, or kUnsupported for other versions.
Result<SealSetting> parse_seal_setting(ByteView bytes);

// Whether `uri` is where settings live, which is for everybody to read.
[[nodiscard]] bool is_seal_setting_uri(const wave::Pattern& uri);

}  // namespace bw::syndication
