// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <unordered_map>

#include "base/random.hpp"
#include "base/time.hpp"
#include "codec/reader.hpp"
#include "crypto/aead.hpp"
#include "crypto/keys.hpp"

// A content key, wrapped for each entity that may read what it seals (docs/formats.md, "Sealed
// payloads").
namespace bw::syndication {

// Whose words, and where: what a content key is bound to. Borrowed.
struct SealContext {
  const EntityKey& origin;
  const EntityKey& ns;
  std::string_view uri;
};

// Names a content key and commits to it and its context, so that all who open the same bytes read
// the same.
Hash content_key_id(const crypto::Secret<32>& content_key, const SealContext& context);

inline constexpr std::size_t kWrapHintBytes = 8;
inline constexpr std::size_t kWrappedBytes = 32 + crypto::kAeadTagBytes;
inline constexpr std::size_t kWrapBytes = kWrapHintBytes + kWrappedBytes;
using Wrap = ByteArray<kWrapBytes>;

// Bytes: wrapper 32 | count u16 | count * (hint 8 | wrapped key 48), strictly ascending. `wraps`
// points to bytes somebody else owns: count * kWrapBytes.
struct KeyEnvelope {
  EntityKey wrapper;  // key pair made for wrapping alone
  ByteView wraps;     // 1 to kSealRecipients

  [[nodiscard]] std::size_t count() const { return wraps.size() / kWrapBytes; }
};
void encode(const KeyEnvelope& envelope, Bytes& out);
// Strict: kMalformed, or kTooLarge.
Result<KeyEnvelope> parse_key_envelope(codec::Reader& reader);

// Wraps content keys with a key pair of its own. Remembers what it agreed on with each recipient
// (limits::kSealSharedSecrets), so that a second key costs no second agreement. For one thread.
class KeyWrapper {
 public:
  explicit KeyWrapper(Random& random) : pair_(crypto::SigningKey::generate(random)) {}
  explicit KeyWrapper(crypto::SigningKey pair) : pair_(std::move(pair)) {}

  [[nodiscard]] const EntityKey& public_key() const { return pair_.public_key(); }
  // kMalformed when nobody can be `recipient`.
  Result<Wrap> wrap(const crypto::Secret<32>& content_key, const Hash& key_id,
                    const EntityKey& recipient);

 private:
  Result<const crypto::Secret<32>*> shared_with(const EntityKey& recipient);

  crypto::SigningKey pair_;
  std::unordered_map<EntityKey, crypto::Secret<32>> shared_;
};

// The content key, if `envelope` has it for `reader`. `shared`: reader.agree(envelope.wrapper).
// kDenied when it is wrapped for others only; kBadSignature when it is not the key named.
Result<crypto::Secret<32>> unwrap(const KeyEnvelope& envelope, const Hash& key_id,
                                  const crypto::Secret<32>& shared, const EntityKey& reader,
                                  const SealContext& context);

}  // namespace bw::syndication
