// SPDX-License-Identifier: Apache-2.0
#include "syndication/seal_setting.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "base/limits.hpp"
#include "codec/reader.hpp"
#include "codec/writer.hpp"

namespace bw::syndication {
namespace {

constexpr std::uint8_t kVersion = 1;

}  // namespace

bool SealSetting::covers(const wave::Pattern& uri) const {
  return std::ranges::any_of(patterns,
                             [&](const wave::Pattern& p) { return wave::matches(p, uri); });
}

Bytes encode(const SealSetting& setting) {
  BW_ASSERT(setting.patterns.size() <= limits::kSealPatterns);
  Bytes out;
  codec::Writer writer(out);
  writer.u8(kVersion).u8(static_cast<std::uint8_t>(setting.patterns.size()));
  for (const wave::Pattern& pattern : setting.patterns) writer.text16(pattern.text());
  return out;
}

Result<SealSetting> parse_seal_setting(ByteView bytes) {
  codec::Reader reader(bytes);
  const std::uint8_t version = reader.u8();
  if (reader.ok() && version != kVersion) {
    return fail(ErrorCode::kUnsupported, "seal setting: version {} is not supported", version);
  }
  const std::size_t count = reader.u8();
  if (count > limits::kSealPatterns) {
    return fail(ErrorCode::kTooLarge, "seal setting: {} patterns; at most {} are allowed", count,
                limits::kSealPatterns);
  }
  SealSetting setting;
  for (std::size_t i = 0; i < count && reader.ok(); ++i) {
    const std::string_view text = reader.text16();
    if (!reader.ok()) break;
    BW_TRY(wave::Pattern pattern, wave::Pattern::parse(text));
    if (!setting.patterns.empty() && !(setting.patterns.back() < pattern)) {
      return fail(ErrorCode::kMalformed, "seal setting: its patterns do not ascend");
    }
    setting.patterns.push_back(std::move(pattern));
  }
  BW_CHECK(reader.finish("seal setting"));
  return setting;
}

bool is_seal_setting_uri(const wave::Pattern& uri) {
  const std::string& text = uri.text();
  return text == kSealUri || text.starts_with(std::string(kSealUri) + "/");
}

}  // namespace bw::syndication
