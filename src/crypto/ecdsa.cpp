// SPDX-License-Identifier: Apache-2.0
#include "crypto/ecdsa.hpp"

#include <algorithm>

#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include "base/check.hpp"
#include "crypto/keccak.hpp"

namespace bw::crypto {
namespace {

constexpr std::size_t kPointBytes = 65;  // 4, x, y

// Blinded against side channels once, then only read.
const secp256k1_context* blinded_context() {
  static const secp256k1_context* const context = [] {
    secp256k1_context* fresh = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    Secret<32> seed;
    system_random().fill(seed.writable());
    BW_ASSERT(secp256k1_context_randomize(fresh, seed.view().data()) == 1);
    return fresh;
  }();
  return context;
}

ByteArray<kPointBytes> uncompressed(const secp256k1_pubkey& point) {
  ByteArray<kPointBytes> out{};
  std::size_t size = out.size();
  BW_ASSERT(secp256k1_ec_pubkey_serialize(secp256k1_context_static, out.data(), &size, &point,
                                          SECP256K1_EC_UNCOMPRESSED) == 1);
  return out;
}

ByteArray<20> account_of(const secp256k1_pubkey& point) {
  const Hash hash = keccak256(ByteView(uncompressed(point)).subspan(1));
  ByteArray<20> account{};
  std::copy(hash.bytes.begin() + 12, hash.bytes.end(), account.begin());
  return account;
}

}  // namespace

EcdsaSignature sign_ecdsa(const SigningKey& key, const Hash& digest) {
  const Secret<32> secret = key.secret();
  secp256k1_ecdsa_recoverable_signature made;
  BW_ASSERT(secp256k1_ecdsa_sign_recoverable(blinded_context(), &made, digest.bytes.data(),
                                             secret.view().data(), nullptr, nullptr) == 1);
  ByteArray<64> compact{};
  int recovery = 0;
  secp256k1_ecdsa_recoverable_signature_serialize_compact(secp256k1_context_static, compact.data(),
                                                          &recovery, &made);
  EcdsaSignature signature{.r = {}, .s = {}, .odd_y = (recovery & 1) != 0};
  std::copy_n(compact.begin(), 32, signature.r.begin());
  std::copy_n(compact.begin() + 32, 32, signature.s.begin());
  return signature;
}

ByteArray<20> account_of(const SigningKey& key) {
  const Secret<32> secret = key.secret();
  secp256k1_pubkey point;
  BW_ASSERT(secp256k1_ec_pubkey_create(blinded_context(), &point, secret.view().data()) == 1);
  return account_of(point);
}

Result<ByteArray<20>> recover_account(const EcdsaSignature& signature, const Hash& digest) {
  ByteArray<64> compact{};
  std::copy(signature.r.begin(), signature.r.end(), compact.begin());
  std::copy(signature.s.begin(), signature.s.end(), compact.begin() + 32);
  secp256k1_ecdsa_recoverable_signature parsed;
  secp256k1_pubkey point;
  const bool good =
      secp256k1_ecdsa_recoverable_signature_parse_compact(
          secp256k1_context_static, &parsed, compact.data(), signature.odd_y ? 1 : 0) == 1 &&
      secp256k1_ecdsa_recover(secp256k1_context_static, &point, &parsed, digest.bytes.data()) == 1;
  if (!good) return fail(ErrorCode::kBadSignature, "no key can have made this ECDSA signature");
  return account_of(point);
}

Result<ByteArray<32>> even_y(std::span<const std::uint8_t, 32> x) {
  ByteArray<33> compressed{2};  // 2: the y is even (SEC 1, section 2.3.3)
  std::copy(x.begin(), x.end(), compressed.begin() + 1);
  secp256k1_pubkey point;
  if (secp256k1_ec_pubkey_parse(secp256k1_context_static, &point, compressed.data(),
                                compressed.size()) != 1) {
    return fail(ErrorCode::kMalformed, "no point of secp256k1 has this x coordinate");
  }
  const auto whole = uncompressed(point);
  ByteArray<32> y{};
  std::copy(whole.begin() + 33, whole.end(), y.begin());
  return y;
}

}  // namespace bw::crypto
