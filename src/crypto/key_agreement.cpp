// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <secp256k1_ecdh.h>
#include <secp256k1_extrakeys.h>

#include "crypto/keys.hpp"
#include "crypto/sha256.hpp"

namespace bw::crypto {
namespace {

// The x coordinate as it is: what is derived from it is hashed by the caller.
int take_x(unsigned char* output, const unsigned char* x32, const unsigned char*, void*) {
  std::copy_n(x32, 32, output);
  return 1;
}

}  // namespace

Result<Secret<32>> SigningKey::agree(const EntityKey& peer) const {
  // An x-only key names the point with even y (BIP-340). Which of the two is taken, on either side,
  // changes the sign of the product and so not its x.
  ByteArray<33> compressed{0x02};
  std::ranges::copy(peer.bytes, compressed.begin() + 1);
  secp256k1_pubkey point;
  if (secp256k1_ec_pubkey_parse(secp256k1_context_static, &point, compressed.data(),
                                compressed.size()) != 1) {
    return fail(ErrorCode::kMalformed, "{} is no key: nobody can hold its secret", peer.text());
  }
  const Secret<32> own = secret();
  Secret<32> shared;
  if (secp256k1_ecdh(secp256k1_context_static, shared.writable().data(), &point, own.view().data(),
                     take_x, nullptr) != 1) {
    return fail(ErrorCode::kInternal, "key agreement with {} failed", peer.text());
  }
  return shared;
}

Secret<32> SigningKey::derived(std::string_view tag) const {
  const Secret<32> own = secret();
  Hash derived = TaggedHash(tag)({own.view()});
  Secret<32> out;
  std::ranges::copy(derived.bytes, out.writable().begin());
  wipe(derived.bytes);
  return out;
}

}  // namespace bw::crypto
