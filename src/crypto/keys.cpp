// SPDX-License-Identifier: Apache-2.0
#include "crypto/keys.hpp"

#include <algorithm>
#include <utility>

#include <secp256k1.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>
#include <sodium.h>

#include "base/check.hpp"

namespace bw::crypto {
namespace {

static_assert(sizeof(secp256k1_keypair) == 96);
static_assert(sizeof(secp256k1_xonly_pubkey) == 64);

class SodiumRandom : public Random {
 public:
  SodiumRandom() { BW_ASSERT(sodium_init() >= 0); }
  void fill(std::span<std::uint8_t> out) override { randombytes_buf(out.data(), out.size()); }
};

// The whole buffer: a short string keeps its characters inside itself, where a move leaves them
// behind with the size set to 0, and a longer one may have old characters past its end.
void wipe_text(std::string& text) {
  text.resize(text.capacity());
  sodium_memzero(text.data(), text.size());
  text.clear();
}

// Blinded against side channels once, then only read: libsecp256k1 allows concurrent const use.
const secp256k1_context* signing_context() {
  static const secp256k1_context* const context = [] {
    secp256k1_context* fresh = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    Secret<32> seed;
    system_random().fill(seed.writable());
    BW_ASSERT(secp256k1_context_randomize(fresh, seed.view().data()) == 1);
    return fresh;
  }();
  return context;
}

const secp256k1_keypair* pair_of(const Secret<96>& pair) {
  return reinterpret_cast<const secp256k1_keypair*>(pair.view().data());
}

Signature sign_digest(const Secret<96>& pair, ByteView digest) {
  static constexpr ByteArray<32> kNoAuxiliary{};
  Signature signature;
  BW_ASSERT(secp256k1_schnorrsig_sign32(signing_context(), signature.data(), digest.data(),
                                        pair_of(pair), kNoAuxiliary.data()) == 1);
  return signature;
}

bool parse(const EntityKey& key, secp256k1_xonly_pubkey& out) {
  return secp256k1_xonly_pubkey_parse(secp256k1_context_static, &out, key.bytes.data()) == 1;
}

bool verify_digest(const secp256k1_xonly_pubkey& key, ByteView digest, const Signature& signature) {
  return secp256k1_schnorrsig_verify(secp256k1_context_static, signature.data(), digest.data(),
                                     digest.size(), &key) == 1;
}

bool verify_digest(const EntityKey& key, ByteView digest, const Signature& signature) {
  secp256k1_xonly_pubkey parsed;
  return parse(key, parsed) && verify_digest(parsed, digest, signature);
}

}  // namespace

Random& system_random() {
  static SodiumRandom random;
  return random;
}

void wipe(std::span<std::uint8_t> bytes) {
  sodium_memzero(bytes.data(), bytes.size());
}

bool equal_in_constant_time(ByteView a, ByteView b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

Passphrase::Passphrase(std::string text) : text_(std::move(text)) {
  wipe_text(text);
}

Passphrase::~Passphrase() {
  wipe_text(text_);
}

Passphrase::Passphrase(Passphrase&& other) noexcept : text_(std::move(other.text_)) {
  wipe_text(other.text_);
}

Passphrase& Passphrase::operator=(Passphrase&& other) noexcept {
  if (this != &other) {
    wipe_text(text_);
    text_ = std::move(other.text_);
    wipe_text(other.text_);
  }
  return *this;
}

SigningKey SigningKey::generate(Random& random) {
  for (;;) {
    Secret<32> secret;
    random.fill(secret.writable());
    if (auto key = from_secret(secret.view())) return *std::move(key);
  }
}

Result<SigningKey> SigningKey::from_secret(std::span<const std::uint8_t, 32> secret) {
  SigningKey key;
  auto* const pair = reinterpret_cast<secp256k1_keypair*>(key.pair_.writable().data());
  if (secp256k1_keypair_create(signing_context(), pair, secret.data()) != 1) {
    return fail(ErrorCode::kMalformed, "secret key is zero or not below the group order");
  }
  secp256k1_xonly_pubkey point;
  BW_ASSERT(secp256k1_keypair_xonly_pub(signing_context(), &point, nullptr, pair) == 1);
  BW_ASSERT(secp256k1_xonly_pubkey_serialize(signing_context(), key.public_key_.bytes.data(),
                                             &point) == 1);
  return key;
}

SigningKey::SigningKey(SigningKey&&) noexcept = default;
SigningKey& SigningKey::operator=(SigningKey&&) noexcept = default;
SigningKey::~SigningKey() = default;

Signature SigningKey::sign(const Hash& message) const {
  return sign_digest(pair_, message.view());
}
Signature SigningKey::sign(const ObjectId& message) const {
  return sign_digest(pair_, message.view());
}

Secret<32> SigningKey::secret() const {
  Secret<32> out;
  BW_ASSERT(secp256k1_keypair_sec(signing_context(), out.writable().data(), pair_of(pair_)) == 1);
  return out;
}

bool verify(const EntityKey& key, const Hash& message, const Signature& signature) {
  return verify_digest(key, message.view(), signature);
}

bool verify(const EntityKey& key, const ObjectId& message, const Signature& signature) {
  return verify_digest(key, message.view(), signature);
}

VerifyingKey::VerifyingKey(const EntityKey& key) {
  secp256k1_xonly_pubkey parsed;
  valid_ = parse(key, parsed);
  if (valid_) std::ranges::copy(parsed.data, point_.begin());
}

bool VerifyingKey::verify(const Hash& message, const Signature& signature) const {
  secp256k1_xonly_pubkey parsed;
  std::ranges::copy(point_, parsed.data);
  return valid_ && verify_digest(parsed, message.view(), signature);
}

bool is_valid_key(const EntityKey& key) {
  secp256k1_xonly_pubkey parsed;
  return parse(key, parsed);
}

}  // namespace bw::crypto
