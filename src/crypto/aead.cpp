// SPDX-License-Identifier: Apache-2.0
#include "crypto/aead.hpp"

#include <sodium.h>

#include "base/check.hpp"

namespace bw::crypto {

static_assert(kAeadNonceBytes == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
static_assert(kAeadTagBytes == crypto_aead_xchacha20poly1305_ietf_ABYTES);

void aead_seal(const Secret<32>& key, const AeadNonce& nonce, ByteView associated,
               ByteView plaintext, Bytes& out) {
  const std::size_t begin = out.size();
  out.resize(begin + plaintext.size() + kAeadTagBytes);
  BW_ASSERT(crypto_aead_xchacha20poly1305_ietf_encrypt(
                out.data() + begin, nullptr, plaintext.data(), plaintext.size(), associated.data(),
                associated.size(), nullptr, nonce.data(), key.view().data()) == 0);
}

Result<Bytes> aead_open(const Secret<32>& key, const AeadNonce& nonce, ByteView associated,
                        ByteView ciphertext) {
  if (ciphertext.size() < kAeadTagBytes) {
    return fail(ErrorCode::kBadSignature, "sealed content: {} bytes are too few",
                ciphertext.size());
  }
  Bytes plaintext(ciphertext.size() - kAeadTagBytes);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          plaintext.data(), nullptr, nullptr, ciphertext.data(), ciphertext.size(),
          associated.data(), associated.size(), nonce.data(), key.view().data()) != 0) {
    return fail(ErrorCode::kBadSignature, "sealed content: altered, or sealed with another key");
  }
  return plaintext;
}

}  // namespace bw::crypto
