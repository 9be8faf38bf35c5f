// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/text.hpp"

namespace bw {

// 32 bytes with a meaning. Text form: 43 characters of base64url. `Tag` keeps an entity's key from
// being passed where a hash is meant.
template <class Tag>
struct Id {
  static constexpr std::size_t kSize = 32;
  ByteArray<kSize> bytes{};

  // Precondition: view.size() == 32.
  static Id from(ByteView view) {
    Id id;
    std::copy_n(view.begin(), kSize, id.bytes.begin());
    return id;
  }

  static Result<Id> parse(std::string_view text) {
    auto decoded = from_base64url(text);
    if (!decoded || decoded->size() != kSize) {
      return fail(ErrorCode::kMalformed, "'{}' is not {}: expected 43 characters of base64url",
                  printable(text, 60), Tag::kWhat);
    }
    return from(*decoded);
  }

  [[nodiscard]] std::string text() const { return to_base64url(bytes); }
  // The first eight characters, for people; never for look-up.
  [[nodiscard]] std::string brief() const { return text().substr(0, 8); }
  [[nodiscard]] ByteView view() const { return bytes; }
  [[nodiscard]] bool is_zero() const {
    return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; });
  }

  friend auto operator<=>(const Id&, const Id&) = default;
};

struct EntityKeyTag {
  static constexpr std::string_view kWhat = "an entity key";
};
struct ObjectIdTag {
  static constexpr std::string_view kWhat = "an object id";
};
struct HashTag {
  static constexpr std::string_view kWhat = "a hash";
};

using EntityKey = Id<EntityKeyTag>;  // x-only secp256k1 public key (BIP-340)
using ObjectId = Id<ObjectIdTag>;    // tagged hash of a signed object's body
using Hash = Id<HashTag>;            // any other SHA-256 value

// The grantee of an everyone-grant: 32 zero bytes, which is no point on the curve, so nobody can
// ever hold its secret.
inline constexpr EntityKey kEveryone{};

}  // namespace bw

template <class Tag>
struct std::hash<bw::Id<Tag>> {
  // Ids are uniformly random already; attackers can choose prefixes at the price of 2^64 work for
  // a full collision of this value, and tables keyed by ids are bounded.
  std::size_t operator()(const bw::Id<Tag>& id) const noexcept {
    std::size_t value = 0;
    std::memcpy(&value, id.bytes.data() + 8, sizeof value);
    return value;
  }
};
