// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "syndication/key_envelope.hpp"
#include "syndication/message.hpp"

// A payload that only those can read who may consume it (docs/formats.md, "Sealed payloads").
namespace bw::syndication {

// Payload object numbers, among the original's routing objects (0.0.0.0/24).
inline constexpr std::uint32_t kSealedType = 96;       // 0.0.0.96
inline constexpr std::uint32_t kSealSettingType = 97;  // 0.0.0.97

// The content of a sealed payload object, all of a message's payload being inside. Views into bytes
// that somebody else owns.
// Bytes: version u8 = 1 | flags u8 (1: keys follow; 2: renewed) | key id 32 | sealed at u64 us |
// [key envelope] | nonce 24 | ciphertext.
struct SealedPayload {
  bool renewed = false;  // a stored value as it was, sealed again for others: no news
  Hash key_id;
  Time sealed_at;  // when its origin first sealed this content
  std::optional<KeyEnvelope> keys;
  crypto::AeadNonce nonce{};
  ByteView ciphertext;  // of encode_payload(), and a tag
};

// Bytes of a sealed message's payload besides ciphertext and wraps, at most.
inline constexpr std::size_t kSealedOverhead =
    8 + 1 + 1 + 32 + 8 + 32 + 2 + crypto::kAeadNonceBytes + crypto::kAeadTagBytes;

// True when the payload is one sealed object, whatever is in it.
[[nodiscard]] bool is_sealed(ByteView payload);
// Strict; of a message's payload for which is_sealed(). kMalformed, kTooLarge, or kUnsupported for
// other versions and flags.
Result<SealedPayload> parse_sealed_payload(ByteView payload);

// What a sealed payload is made of besides its keys.
struct SealTerms {
  const SealContext& context;
  const Hash& key_id;
  Time sealed_at;
  bool renewed = false;
};
// A message's whole payload: `plaintext`, which is encode_payload() of what is meant, sealed.
Bytes seal_payload(const crypto::Secret<32>& content_key, const SealTerms& terms,
                   const std::optional<KeyEnvelope>& keys, const crypto::AeadNonce& nonce,
                   ByteView plaintext);
// kBadSignature unless it was sealed by that key, by that origin and for that URI.
Result<Bytes> open_payload(const SealedPayload& sealed, const crypto::Secret<32>& content_key,
                           const SealContext& context);

}  // namespace bw::syndication
