// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/id.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/keys.hpp"

namespace bw::ledger {

// What the embedded ledger says of itself: `size` entries, RFC 9162 root, at `time`, signed by the
// ledger's key. Two heads of one ledger that no consistency proof joins are evidence of a fork.
struct TreeHead {
  std::uint64_t size = 0;
  Hash root;
  Time time;

  friend bool operator==(const TreeHead&, const TreeHead&) = default;
};

struct SignedHead {
  EntityKey ledger;
  TreeHead head;
  crypto::Signature signature{};

  friend bool operator==(const SignedHead&, const SignedHead&) = default;
};

SignedHead sign_head(const TreeHead& head, const crypto::SigningKey& ledger);
[[nodiscard]] bool verify_head(const SignedHead& head);

// Fixed 144 bytes: ledger 32, size u64, root 32, time u64 (microseconds), signature 64.
inline constexpr std::size_t kSignedHeadBytes = 144;
Bytes encode(const SignedHead& head);
Result<SignedHead> parse_head(ByteView bytes);

}  // namespace bw::ledger
