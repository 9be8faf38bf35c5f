// SPDX-License-Identifier: Apache-2.0
#include "crypto/sha256.hpp"

#include <cstring>

#include <openssl/sha.h>

namespace bw::crypto {
namespace {

// EVP cannot copy a state without allocating, and hashing a message must not allocate. The
// low-level functions use the same SHA instructions.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"

static_assert(sizeof(SHA256_CTX) == 112 && alignof(SHA256_CTX) <= 8);

void init(SHA256_CTX* context) {
  SHA256_Init(context);
}
void absorb(SHA256_CTX* context, ByteView bytes) {
  SHA256_Update(context, bytes.data(), bytes.size());
}
void squeeze(SHA256_CTX* context, std::uint8_t* out) {
  SHA256_Final(out, context);
}

#pragma clang diagnostic pop

SHA256_CTX* context_of(ByteArray<112>& state) {
  return reinterpret_cast<SHA256_CTX*>(state.data());
}

}  // namespace

Sha256::Sha256() {
  init(context_of(state_));
}

Sha256& Sha256::update(ByteView bytes) {
  absorb(context_of(state_), bytes);
  return *this;
}

Hash Sha256::finish() const {
  Sha256 copy = *this;
  Hash hash;
  squeeze(context_of(copy.state_), hash.bytes.data());
  return hash;
}

Hash sha256(ByteView bytes) {
  return Sha256().update(bytes).finish();
}

TaggedHash::TaggedHash(std::string_view tag) {
  const Hash tag_hash = sha256(as_bytes(tag));
  prefix_.update(tag_hash.view()).update(tag_hash.view());
}

Hash TaggedHash::operator()(std::initializer_list<ByteView> parts) const {
  Sha256 state = prefix_;
  for (const ByteView part : parts) state.update(part);
  return state.finish();
}

}  // namespace bw::crypto
