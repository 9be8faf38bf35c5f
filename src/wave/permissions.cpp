// SPDX-License-Identifier: Apache-2.0
#include "wave/permissions.hpp"

#include <algorithm>
#include <array>

#include "base/check.hpp"
#include "base/text.hpp"

namespace bw::wave {
namespace {

using P = Permissions;

constexpr unsigned kKnown = 0xff;

struct Word {
  std::string_view text;
  std::uint16_t bits;
};

// Where one word starts with another the longer comes first, so the first that fits is the one.
constexpr std::array<Word, 12> kWords{{
    {"publish", P::kPublish},
    {"consume", P::kConsumeStar},
    {"tap", P::kTapStar},
    {"list", P::kList},
    {"c*", P::kConsumeStar},
    {"c+", P::kConsumePlus},
    {"c", P::kConsume},
    {"t*", P::kTapStar},
    {"t+", P::kTapPlus},
    {"t", P::kTap},
    {"p", P::kPublish},
    {"l", P::kList},
}};

constexpr std::uint16_t close(std::uint16_t bits) {
  if (bits & P::kConsumeStar) bits |= P::kConsumePlus;
  if (bits & P::kConsumePlus) bits |= P::kConsume;
  if (bits & P::kTapStar) bits |= P::kTapPlus;
  if (bits & P::kTapPlus) bits |= P::kTap;
  return bits;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

}  // namespace

Permissions Permissions::of(std::uint16_t bits) {
  BW_ASSERT((bits & ~kKnown) == 0);
  return Permissions(close(bits));
}

Result<Permissions> Permissions::from_wire(std::uint16_t bits) {
  if ((bits & ~kKnown) != 0) {
    return fail(ErrorCode::kUnsupported,
                "permissions: unknown bits in {:#06x}; a newer version is needed", bits);
  }
  if (bits == 0) return fail(ErrorCode::kMalformed, "permissions: none set");
  if (close(bits) != bits) {
    return fail(ErrorCode::kMalformed,
                "permissions: {:#06x} is not closed (C* needs C+ needs C, and so for T)", bits);
  }
  return Permissions(bits);
}

Result<Permissions> Permissions::parse(std::string_view text) {
  const std::string lowered = lower(text);
  std::uint16_t bits = 0;
  for (std::string_view rest = lowered; !rest.empty();) {
    if (rest.front() == ',' || rest.front() == ' ') {
      rest.remove_prefix(1);
      continue;
    }
    const auto word = std::find_if(kWords.begin(), kWords.end(),
                                   [&](const Word& w) { return rest.starts_with(w.text); });
    if (word == kWords.end()) {
      return fail(ErrorCode::kMalformed,
                  "permissions: \"{}\" is not understood from \"{}\" on; use C C+ C* T T+ T* P L",
                  printable(text), printable(rest));
    }
    bits |= word->bits;
    rest.remove_prefix(word->text.size());
  }
  if (bits == 0) {
    return fail(ErrorCode::kMalformed, "permissions: none given; use some of C C+ C* T T+ T* P L");
  }
  return of(bits);
}

Permissions Permissions::intersect(Permissions other) const {
  return of(bits_ & other.bits_);
}

Permissions Permissions::without(Permissions other) const {
  return of(static_cast<std::uint16_t>(bits_ & ~other.bits_));
}

std::string Permissions::text() const {
  std::string result;
  if (bits_ & kConsume) result += bits_ & kConsumeStar ? "C*" : bits_ & kConsumePlus ? "C+" : "C";
  if (bits_ & kTap) result += bits_ & kTapStar ? "T*" : bits_ & kTapPlus ? "T+" : "T";
  if (bits_ & kPublish) result += 'P';
  if (bits_ & kList) result += 'L';
  return result;
}

Permissions consume_permission(const Pattern& pattern) {
  if (pattern.has_star()) return Permissions::of(Permissions::kConsumeStar);
  return Permissions::of(pattern.has_plus() ? Permissions::kConsumePlus : Permissions::kConsume);
}

Permissions tap_permission(const Pattern& pattern) {
  if (pattern.has_star()) return Permissions::of(Permissions::kTapStar);
  return Permissions::of(pattern.has_plus() ? Permissions::kTapPlus : Permissions::kTap);
}

}  // namespace bw::wave
