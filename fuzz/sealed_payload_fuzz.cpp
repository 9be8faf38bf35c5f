// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/check.hpp"
#include "codec/writer.hpp"
#include "syndication/seal_opener.hpp"

using namespace bw;

namespace {

// Entity 2 of tests/vectors/make_sealed.py, for whom some seeds are sealed.
const crypto::SigningKey& reader() {
  static const crypto::SigningKey kReader = [] {
    ByteArray<32> secret;
    secret.fill(2);
    return crypto::SigningKey::from_secret(secret).value();
  }();
  return kReader;
}

Bytes encoded(const syndication::SealedPayload& sealed) {
  Bytes out;
  codec::Writer writer(out);
  writer.u8(1).u8(static_cast<std::uint8_t>((sealed.keys ? 1 : 0) | (sealed.renewed ? 2 : 0)));
  writer.id(sealed.key_id).micros(sealed.sealed_at);
  if (sealed.keys) encode(*sealed.keys, out);
  writer.bytes(sealed.nonce).bytes(sealed.ciphertext);
  return out;
}

}  // namespace

// The content of a sealed payload object: what parses is the one encoding of its parts, and opening
// it ends well or with an error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > limits::kMessageBytes) return 0;
  const ByteView bytes(data, size);
  const Bytes payload = syndication::encode_payload({{syndication::kSealedType, to_bytes(bytes)}});
  const auto sealed = syndication::parse_sealed_payload(payload);
  if (!sealed) return 0;
  BW_ASSERT(std::ranges::equal(encoded(*sealed), bytes));
  syndication::SealOpener opener;
  const EntityKey& somebody = reader().public_key();
  static_cast<void>(opener.open({somebody, somebody, "a"}, payload, reader()));
  return 0;
}
