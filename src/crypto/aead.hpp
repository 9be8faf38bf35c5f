// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "crypto/secret.hpp"

namespace bw::crypto {

inline constexpr std::size_t kAeadNonceBytes = 24;
inline constexpr std::size_t kAeadTagBytes = 16;
using AeadNonce = ByteArray<kAeadNonceBytes>;

// XChaCha20-Poly1305 (IETF construction) by libsodium: appends the ciphertext, kAeadTagBytes longer
// than `plaintext`, its tag last. `associated` is bound and not contained. A key must not meet the
// same nonce twice; random nonces never do.
void aead_seal(const Secret<32>& key, const AeadNonce& nonce, ByteView associated,
               ByteView plaintext, Bytes& out);

// kBadSignature unless every bit of key, nonce, associated data and ciphertext is as it was sealed.
Result<Bytes> aead_open(const Secret<32>& key, const AeadNonce& nonce, ByteView associated,
                        ByteView ciphertext);

}  // namespace bw::crypto
