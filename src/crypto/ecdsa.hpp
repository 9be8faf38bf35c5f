// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/keys.hpp"

// What Ethereum needs of secp256k1 beside BIP-340: transactions are signed by ECDSA, and the
// contracts take a hint that saves them a square root.
namespace bw::crypto {

// r and s in big-endian, s in the lower half of the group's order (EIP-2). `odd_y`: of the point R,
// from which the signer's key can be recovered.
struct EcdsaSignature {
  ByteArray<32> r{};
  ByteArray<32> s{};
  bool odd_y = false;
};

// Deterministic (RFC 6979). Thread-safe.
EcdsaSignature sign_ecdsa(const SigningKey& key, const Hash& digest);

// The account of a key: the last 20 bytes of the Keccak-256 of its public point.
ByteArray<20> account_of(const SigningKey& key);

// The account whose key made the signature; kBadSignature when none did.
Result<ByteArray<20>> recover_account(const EcdsaSignature& signature, const Hash& digest);

// The even y of the point with this x; kMalformed when there is none.
Result<ByteArray<32>> even_y(std::span<const std::uint8_t, 32> x);

}  // namespace bw::crypto
