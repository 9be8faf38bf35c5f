// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>

#include "base/id.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "crypto/secret.hpp"

namespace bw::crypto {

using Signature = ByteArray<64>;  // BIP-340: R.x || s

// A secp256k1 key pair whose public half is x-only (BIP-340). Signing is thread-safe.
class SigningKey {
 public:
  static SigningKey generate(Random& random);
  // Fails on zero and on values not below the group order.
  static Result<SigningKey> from_secret(std::span<const std::uint8_t, 32> secret);

  SigningKey(SigningKey&&) noexcept;
  SigningKey& operator=(SigningKey&&) noexcept;
  SigningKey(const SigningKey&) = delete;
  SigningKey& operator=(const SigningKey&) = delete;
  ~SigningKey();

  [[nodiscard]] const EntityKey& public_key() const { return public_key_; }
  // Deterministic (BIP-340 with 32 zero bytes of auxiliary randomness): the same message gives the
  // same signature, so tests and vectors repeat. `message` is always one of our tagged hashes.
  [[nodiscard]] Signature sign(const Hash& message) const;
  [[nodiscard]] Signature sign(const ObjectId& message) const;
  // ECDH: the 32-byte x coordinate of secret * peer, the same on both sides. Not uniformly random:
  // hash it with a tag. kMalformed when `peer` is not the x coordinate of a point. Thread-safe.
  [[nodiscard]] Result<Secret<32>> agree(const EntityKey& peer) const;
  // tagged_hash(tag, secret): a symmetric key that only the holder of this key can make.
  [[nodiscard]] Secret<32> derived(std::string_view tag) const;
  // For sealing the key to a file, and nothing else.
  [[nodiscard]] Secret<32> secret() const;

 private:
  SigningKey() = default;
  Secret<96> pair_;  // libsecp256k1's secp256k1_keypair
  EntityKey public_key_;
};

// True when `signature` over `message` was made by the secret of `key`. Never fails otherwise: bad
// keys and signatures are simply not valid. Thread-safe.
[[nodiscard]] bool verify(const EntityKey& key, const Hash& message, const Signature& signature);
[[nodiscard]] bool verify(const EntityKey& key, const ObjectId& message,
                          const Signature& signature);

// A public key made ready for many signatures: finding the point costs a square root, an eighth of
// what verifying one costs. Any 32 bytes; when they are no key, no signature is valid. Thread-safe.
class VerifyingKey {
 public:
  explicit VerifyingKey(const EntityKey& key);
  [[nodiscard]] bool verify(const Hash& message, const Signature& signature) const;

 private:
  ByteArray<64> point_{};  // libsecp256k1's secp256k1_xonly_pubkey
  bool valid_;
};

// True when the 32 bytes are the x coordinate of a point, i.e. somebody may hold the secret.
[[nodiscard]] bool is_valid_key(const EntityKey& key);

// The system's generator (libsodium). Thread-safe.
Random& system_random();

}  // namespace bw::crypto
