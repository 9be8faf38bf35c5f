// SPDX-License-Identifier: Apache-2.0
#include "syndication/seal_opener.hpp"

namespace bw::syndication {

Result<SealOpener::Opened> SealOpener::open(const SealContext& context, ByteView payload,
                                            const crypto::SigningKey& reader) {
  BW_TRY(const SealedPayload sealed, parse_sealed_payload(payload));
  BW_TRY(const crypto::Secret<32>* key, key_of(context, sealed, reader));
  BW_TRY(Bytes plaintext, open_payload(sealed, *key, context));
  return Opened{std::move(plaintext), sealed.renewed, sealed.sealed_at};
}

Result<const crypto::Secret<32>*> SealOpener::key_of(const SealContext& context,
                                                     const SealedPayload& sealed,
                                                     const crypto::SigningKey& reader) {
  const EntityKey& who = reader.public_key();
  const Pair name{who, sealed.key_id.bytes};
  if (const auto* known = keys_.find(name)) return known;
  if (!sealed.keys) {
    return fail(ErrorCode::kUnavailable,
                "sealed with a key that has not come yet; its publisher sends it again soon");
  }
  const Pair met{who, sealed.keys->wrapper.bytes};
  const crypto::Secret<32>* shared = shared_.find(met);
  if (shared == nullptr) {
    BW_TRY(crypto::Secret<32> fresh, reader.agree(sealed.keys->wrapper));
    shared = &shared_.put(met, std::move(fresh));
  }
  BW_TRY(crypto::Secret<32> key, unwrap(*sealed.keys, sealed.key_id, *shared, who, context));
  return &keys_.put(name, std::move(key));
}

}  // namespace bw::syndication
