// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>

#include "base/bytes.hpp"
#include "base/id.hpp"

namespace bw::crypto {

// Incremental SHA-256 (FIPS 180-4) by OpenSSL, which uses the CPU's SHA instructions. A value type:
// copying one copies the state, so a common prefix is hashed once and continued many times.
// The state lives inline; nothing is allocated.
class Sha256 {
 public:
  Sha256();
  Sha256& update(ByteView bytes);
  [[nodiscard]] Hash finish() const;  // leaves the state usable: finish() is const on purpose

 private:
  friend struct Sha256Access;  // sha256_many.cpp
  // Room for OpenSSL's SHA256_CTX (112 bytes), kept out of this header.
  alignas(8) ByteArray<112> state_;
};

Hash sha256(ByteView bytes);

// BIP-340 tagged hash: SHA256(SHA256(tag) || SHA256(tag) || message). Every signed thing has its
// own tag, so a signature made for one purpose can never be used for another (docs/formats.md,
// "Tags").
class TaggedHash {
 public:
  explicit TaggedHash(std::string_view tag);
  // The state after the 64-byte prefix; continue it with update().
  [[nodiscard]] const Sha256& prefix() const { return prefix_; }
  [[nodiscard]] Hash operator()(std::initializer_list<ByteView> parts) const;

 private:
  Sha256 prefix_;
};

}  // namespace bw::crypto
