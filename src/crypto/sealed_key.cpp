// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed_key.hpp"

#include <algorithm>

#include <sodium.h>

#include "base/check.hpp"

// Key file; integers are big-endian, nothing may follow the last field:
//   magic "BWKEY" | version u8 = 1 | flags u8 (0 clear, 1 sealed) | public key 32, then
//   clear (71 bytes):   secret 32
//   sealed (135 bytes): salt 16 | opslimit u32 | memlimit_kib u32 | nonce 24 | ciphertext 48
// The sealing key is 32 bytes of Argon2id version 1.3 (RFC 9106, one lane) over the passphrase,
// with `opslimit` passes over `memlimit_kib` KiB. The ciphertext is XChaCha20-Poly1305 (IETF) of
// the secret, its tag last; the 87 bytes before it are its associated data.
namespace bw::crypto {
namespace {

constexpr std::string_view kMagic = "BWKEY";
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kKeyAt = kMagic.size() + 2;
constexpr std::size_t kHeaderBytes = kKeyAt + EntityKey::kSize;
constexpr std::size_t kSaltBytes = crypto_pwhash_SALTBYTES;
constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t kParametersAt = kHeaderBytes + kSaltBytes;
constexpr std::size_t kNonceAt = kParametersAt + 8;
constexpr std::size_t kSealedHeaderBytes = kNonceAt + kNonceBytes;
constexpr std::size_t kClearBytes = kHeaderBytes + 32;
constexpr std::size_t kSealedBytes = kSealedHeaderBytes + 32 + kTagBytes;
static_assert(kSaltBytes == 16 && kNonceBytes == 24 && kTagBytes == 16);

// About 0.1 s, and little enough memory for a small gateway.
constexpr std::uint32_t kOperations = crypto_pwhash_OPSLIMIT_MODERATE;
constexpr std::uint32_t kMemoryKib = 64 * 1024;
// What a file may ask for: a hostile one must not make us spend minutes or gigabytes.
constexpr std::uint32_t kMostOperations = 16;
constexpr std::uint32_t kMostMemoryKib = 256 * 1024;

void put_u32(Bytes& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8)
    out.push_back(static_cast<std::uint8_t>(value >> shift));
}

std::uint32_t get_u32(ByteView at) {
  return std::uint32_t{at[0]} << 24U | std::uint32_t{at[1]} << 16U | std::uint32_t{at[2]} << 8U |
         at[3];
}

Bytes header(const EntityKey& key, bool sealed) {
  Bytes out = to_bytes(kMagic);
  out.push_back(kVersion);
  out.push_back(sealed ? 1 : 0);
  append(out, key.view());
  return out;
}

// kLimited when the memory for Argon2id cannot be had.
Result<Secret<32>> derive(const Passphrase& passphrase, ByteView salt, std::uint32_t operations,
                          std::uint32_t memory_kib) {
  BW_ASSERT(sodium_init() >= 0);
  Secret<32> key;
  if (crypto_pwhash(key.writable().data(), 32, passphrase.text().data(), passphrase.text().size(),
                    salt.data(), operations, std::size_t{memory_kib} * 1024,
                    crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return fail(ErrorCode::kLimited, "key file: cannot allocate {} MiB to derive the sealing key",
                memory_kib / 1024);
  }
  return key;
}

Result<SigningKey> checked(const Secret<32>& secret, const EntityKey& expected) {
  auto key = SigningKey::from_secret(secret.view());
  if (!key || key->public_key() != expected) {
    return fail(ErrorCode::kCorrupt, "key file: the secret does not belong to its public key");
  }
  return key;
}

Result<SigningKey> unseal(ByteView file, const EntityKey& expected, const Passphrase& passphrase) {
  const std::uint32_t operations = get_u32(file.subspan(kParametersAt));
  const std::uint32_t memory_kib = get_u32(file.subspan(kParametersAt + 4));
  if (operations < 1 || operations > kMostOperations || memory_kib < 8 ||
      memory_kib > kMostMemoryKib) {
    return fail(ErrorCode::kCorrupt, "key file: sealing parameters out of range");
  }
  BW_TRY(const Secret<32> sealing,
         derive(passphrase, file.subspan(kHeaderBytes, kSaltBytes), operations, memory_kib));
  Secret<32> secret;
  const ByteView sealed = file.subspan(kSealedHeaderBytes);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          secret.writable().data(), nullptr, nullptr, sealed.data(), sealed.size(), file.data(),
          kSealedHeaderBytes, file.data() + kNonceAt, sealing.view().data()) != 0) {
    return fail(ErrorCode::kDenied, "key file of {}: wrong passphrase, or the file was altered",
                expected.brief());
  }
  return checked(secret, expected);
}

}  // namespace

Result<Bytes> seal_key(const SigningKey& key, const Passphrase* passphrase, Random& random) {
  Bytes out = header(key.public_key(), passphrase != nullptr);
  const Secret<32> secret = key.secret();
  if (passphrase == nullptr) {
    append(out, secret.view());
    return out;
  }
  Bytes salt(kSaltBytes);
  Bytes nonce(kNonceBytes);
  random.fill(salt);
  random.fill(nonce);
  BW_TRY(const Secret<32> sealing, derive(*passphrase, salt, kOperations, kMemoryKib));
  append(out, salt);
  put_u32(out, kOperations);
  put_u32(out, kMemoryKib);
  append(out, nonce);
  out.resize(kSealedBytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      out.data() + kSealedHeaderBytes, nullptr, secret.view().data(), 32, out.data(),
      kSealedHeaderBytes, nullptr, out.data() + kNonceAt, sealing.view().data());
  return out;
}

Result<KeyFileInfo> inspect_key_file(ByteView file) {
  const bool magic = file.size() >= kHeaderBytes && as_text(file.first(kMagic.size())) == kMagic;
  if (!magic) return fail(ErrorCode::kCorrupt, "not a Bosswave key file");
  if (file[kMagic.size()] != kVersion) {
    return fail(ErrorCode::kUnsupported, "key file: version {} is not supported",
                file[kMagic.size()]);
  }
  const std::uint8_t sealed = file[kMagic.size() + 1];
  if (sealed > 1 || file.size() != (sealed == 1 ? kSealedBytes : kClearBytes)) {
    return fail(ErrorCode::kCorrupt, "key file: wrong length or form; restore it from a back-up");
  }
  return KeyFileInfo{EntityKey::from(file.subspan(kKeyAt, EntityKey::kSize)), sealed == 1};
}

Result<SigningKey> open_key(ByteView file, const Passphrase* passphrase) {
  BW_TRY(const KeyFileInfo info, inspect_key_file(file));
  if (info.sealed) {
    if (passphrase == nullptr) {
      return fail(ErrorCode::kDenied, "key file of {} is sealed: give its passphrase",
                  info.key.brief());
    }
    return unseal(file, info.key, *passphrase);
  }
  Secret<32> secret;
  std::ranges::copy(file.subspan(kHeaderBytes), secret.writable().begin());
  return checked(secret, info.key);
}

}  // namespace bw::crypto
