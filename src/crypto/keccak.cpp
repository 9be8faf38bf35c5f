// SPDX-License-Identifier: Apache-2.0
#include "crypto/keccak.hpp"

#include <crypto++/keccak.h>

namespace bw::crypto {

Hash keccak256(ByteView data) {
  Hash hash;
  CryptoPP::Keccak_256 keccak;
  keccak.CalculateDigest(hash.bytes.data(), data.data(), data.size());
  return hash;
}

}  // namespace bw::crypto
