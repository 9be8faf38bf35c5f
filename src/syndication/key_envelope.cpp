// SPDX-License-Identifier: Apache-2.0
#include "syndication/key_envelope.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "codec/writer.hpp"
#include "crypto/sha256.hpp"

namespace bw::syndication {
namespace {

// A wrapping key is used once, for the one content key that it is derived for.
constexpr crypto::AeadNonce kOnlyNonce{};

struct WrapSecrets {
  crypto::Secret<32> key;
  ByteArray<kWrapHintBytes> hint{};
};

WrapSecrets wrap_secrets(const crypto::Secret<32>& shared, const EntityKey& wrapper,
                         const EntityKey& recipient, const Hash& key_id) {
  static const crypto::TaggedHash kKey("bosswave/seal-wrap");
  static const crypto::TaggedHash kHint("bosswave/seal-hint");
  const auto derive = [&](const crypto::TaggedHash& tag) {
    return tag({shared.view(), wrapper.view(), recipient.view(), key_id.view()});
  };
  WrapSecrets secrets;
  Hash key = derive(kKey);
  std::ranges::copy(key.bytes, secrets.key.writable().begin());
  crypto::wipe(key.bytes);
  std::copy_n(derive(kHint).bytes.begin(), kWrapHintBytes, secrets.hint.begin());
  return secrets;
}

// The wraps with this hint: one, unless two recipients' hints are the same by chance.
ByteView with_hint(ByteView wraps, ByteView hint) {
  std::size_t low = 0;
  std::size_t high = wraps.size() / kWrapBytes;
  const auto hint_at = [&](std::size_t i) { return wraps.subspan(i * kWrapBytes, kWrapHintBytes); };
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (std::ranges::lexicographical_compare(hint_at(middle), hint)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  std::size_t end = low;
  while (end < wraps.size() / kWrapBytes && std::ranges::equal(hint_at(end), hint)) ++end;
  return wraps.subspan(low * kWrapBytes, (end - low) * kWrapBytes);
}

}  // namespace

Hash content_key_id(const crypto::Secret<32>& content_key, const SealContext& context) {
  static const crypto::TaggedHash kTag("bosswave/seal-key");
  return kTag(
      {content_key.view(), context.origin.view(), context.ns.view(), as_bytes(context.uri)});
}

void encode(const KeyEnvelope& envelope, Bytes& out) {
  codec::Writer(out)
      .id(envelope.wrapper)
      .u16(static_cast<std::uint16_t>(envelope.count()))
      .bytes(envelope.wraps);
}

Result<KeyEnvelope> parse_key_envelope(codec::Reader& reader) {
  KeyEnvelope envelope;
  envelope.wrapper = reader.id<EntityKey>();
  const std::size_t count = reader.u16();
  if (count > limits::kSealRecipients) {
    return fail(ErrorCode::kTooLarge,
                "sealed payload: keys for {} entities; at most {} are allowed", count,
                limits::kSealRecipients);
  }
  envelope.wraps = reader.bytes(count * kWrapBytes);
  if (!reader.ok() || count == 0) {
    return fail(ErrorCode::kMalformed, "sealed payload: its wrapped keys are too short");
  }
  for (std::size_t at = kWrapBytes; at < envelope.wraps.size(); at += kWrapBytes) {
    const ByteView before = envelope.wraps.subspan(at - kWrapBytes, kWrapBytes);
    const ByteView wrap = envelope.wraps.subspan(at, kWrapBytes);
    if (!std::ranges::lexicographical_compare(before, wrap)) {
      return fail(ErrorCode::kMalformed, "sealed payload: its wrapped keys do not ascend");
    }
  }
  return envelope;
}

Result<const crypto::Secret<32>*> KeyWrapper::shared_with(const EntityKey& recipient) {
  if (const auto found = shared_.find(recipient); found != shared_.end()) return &found->second;
  BW_TRY(crypto::Secret<32> shared, pair_.agree(recipient));
  if (shared_.size() >= limits::kSealSharedSecrets) shared_.clear();
  return &shared_.emplace(recipient, std::move(shared)).first->second;
}

Result<Wrap> KeyWrapper::wrap(const crypto::Secret<32>& content_key, const Hash& key_id,
                              const EntityKey& recipient) {
  BW_TRY(const crypto::Secret<32>* shared, shared_with(recipient));
  const WrapSecrets secrets = wrap_secrets(*shared, public_key(), recipient, key_id);
  Bytes wrapped;
  crypto::aead_seal(secrets.key, kOnlyNonce, {}, content_key.view(), wrapped);
  Wrap out;
  std::ranges::copy(secrets.hint, out.begin());
  std::ranges::copy(wrapped, out.begin() + kWrapHintBytes);
  return out;
}

Result<crypto::Secret<32>> unwrap(const KeyEnvelope& envelope, const Hash& key_id,
                                  const crypto::Secret<32>& shared, const EntityKey& reader,
                                  const SealContext& context) {
  const WrapSecrets secrets = wrap_secrets(shared, envelope.wrapper, reader, key_id);
  const ByteView found = with_hint(envelope.wraps, secrets.hint);
  for (std::size_t at = 0; at < found.size(); at += kWrapBytes) {
    auto opened = crypto::aead_open(secrets.key, kOnlyNonce, {},
                                    found.subspan(at + kWrapHintBytes, kWrappedBytes));
    if (!opened) continue;
    crypto::Secret<32> content_key;
    std::ranges::copy(*opened, content_key.writable().begin());
    crypto::wipe(*opened);
    if (content_key_id(content_key, context) == key_id) return content_key;
    return fail(ErrorCode::kBadSignature, "sealed payload: the key in it is not the one it names");
  }
  return fail(ErrorCode::kDenied, "sealed for others: its keys are wrapped for {} entities, not {}",
              envelope.count(), reader.text());
}

}  // namespace bw::syndication
