// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "crypto/keys.hpp"

namespace bw::crypto {

// The bytes of a key file (docs/formats.md, "Key files"). With a passphrase: Argon2id, then
// XChaCha20-Poly1305 with the header as associated data; without: in clear, protected by the file's
// mode 0600 alone. Either form carries the public key in clear, so it can be named without opening.
// The caller wipes what it no longer needs. kLimited when the memory to derive the sealing key cannot be had.
Result<Bytes> seal_key(const SigningKey& key, const Passphrase* passphrase, Random& random);

// kDenied when a passphrase is needed but missing or wrong; kCorrupt when the file was altered.
Result<SigningKey> open_key(ByteView file, const Passphrase* passphrase);

struct KeyFileInfo {
  EntityKey key;
  bool sealed;
};
Result<KeyFileInfo> inspect_key_file(ByteView file);

}  // namespace bw::crypto
