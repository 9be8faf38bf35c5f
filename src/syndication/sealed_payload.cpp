// SPDX-License-Identifier: Apache-2.0
#include "syndication/sealed_payload.hpp"

#include "base/limits.hpp"
#include "codec/writer.hpp"

namespace bw::syndication {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kHasKeys = 1;
constexpr std::uint8_t kRenewed = 2;
constexpr std::size_t kObjectHeader = 8;

// Fixed widths first, so that no two contexts give the same bytes.
Bytes associated_data(const SealContext& context, const Hash& key_id, Time sealed_at) {
  Bytes out;
  codec::Writer writer(out);
  writer.u8(kVersion).id(context.origin).id(context.ns).id(key_id).micros(sealed_at);
  writer.bytes(as_bytes(context.uri));
  return out;
}

}  // namespace

bool is_sealed(ByteView payload) {
  codec::Reader reader(payload);
  const std::uint32_t type = reader.u32();
  const std::size_t length = reader.u32();
  return reader.ok() && type == kSealedType && length == reader.remaining();
}

Result<SealedPayload> parse_sealed_payload(ByteView payload) {
  if (!is_sealed(payload)) return fail(ErrorCode::kMalformed, "not a sealed payload");
  codec::Reader reader(payload.subspan(kObjectHeader));
  const std::uint8_t version = reader.u8();
  const std::uint8_t flags = reader.u8();
  if (reader.ok() && (version != kVersion || (flags & ~(kHasKeys | kRenewed)) != 0)) {
    return fail(ErrorCode::kUnsupported,
                "sealed payload: version {} with flags {:#04x} is not supported", version, flags);
  }
  SealedPayload sealed;
  sealed.renewed = (flags & kRenewed) != 0;
  sealed.key_id = reader.id<Hash>();
  sealed.sealed_at = reader.micros();
  if ((flags & kHasKeys) != 0) {
    BW_TRY(sealed.keys, parse_key_envelope(reader));
  }
  sealed.nonce = reader.array<crypto::kAeadNonceBytes>();
  sealed.ciphertext = reader.rest();
  if (!reader.ok() || sealed.ciphertext.size() < crypto::kAeadTagBytes) {
    return fail(ErrorCode::kMalformed, "sealed payload: too short or a field is out of range");
  }
  return sealed;
}

Bytes seal_payload(const crypto::Secret<32>& content_key, const SealTerms& terms,
                   const std::optional<KeyEnvelope>& keys, const crypto::AeadNonce& nonce,
                   ByteView plaintext) {
  Bytes out;
  out.reserve(kSealedOverhead + (keys ? keys->wraps.size() : 0) + plaintext.size());
  codec::Writer writer(out);
  writer.u32(kSealedType).u32(0).u8(kVersion);
  writer.u8(static_cast<std::uint8_t>((keys ? kHasKeys : 0) | (terms.renewed ? kRenewed : 0)));
  writer.id(terms.key_id).micros(terms.sealed_at);
  if (keys) encode(*keys, out);
  writer.bytes(nonce);
  crypto::aead_seal(content_key, nonce,
                    associated_data(terms.context, terms.key_id, terms.sealed_at), plaintext, out);
  Bytes length;
  codec::Writer(length).u32(static_cast<std::uint32_t>(out.size() - kObjectHeader));
  std::ranges::copy(length, out.begin() + 4);
  return out;
}

Result<Bytes> open_payload(const SealedPayload& sealed, const crypto::Secret<32>& content_key,
                           const SealContext& context) {
  return crypto::aead_open(content_key, sealed.nonce,
                           associated_data(context, sealed.key_id, sealed.sealed_at),
                           sealed.ciphertext);
}

}  // namespace bw::syndication
