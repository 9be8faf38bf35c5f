// SPDX-License-Identifier: Apache-2.0
#include "ledger/head.hpp"

#include "codec/reader.hpp"
#include "codec/writer.hpp"
#include "crypto/sha256.hpp"

namespace bw::ledger {
namespace {

constexpr std::size_t kUnsignedBytes = kSignedHeadBytes - sizeof(crypto::Signature);

Bytes signed_part(const EntityKey& ledger, const TreeHead& head) {
  Bytes out;
  out.reserve(kSignedHeadBytes);
  codec::Writer(out).id(ledger).u64(head.size).id(head.root).micros(head.time);
  return out;
}

Hash message_of(const EntityKey& ledger, const TreeHead& head) {
  static const crypto::TaggedHash tagged("bosswave/head");
  return tagged({signed_part(ledger, head)});
}

}  // namespace

SignedHead sign_head(const TreeHead& head, const crypto::SigningKey& ledger) {
  const EntityKey& key = ledger.public_key();
  return {.ledger = key, .head = head, .signature = ledger.sign(message_of(key, head))};
}

bool verify_head(const SignedHead& head) {
  return crypto::verify(head.ledger, message_of(head.ledger, head.head), head.signature);
}

Bytes encode(const SignedHead& head) {
  Bytes out = signed_part(head.ledger, head.head);
  append(out, head.signature);
  return out;
}

Result<SignedHead> parse_head(ByteView bytes) {
  static_assert(kUnsignedBytes == 80);
  codec::Reader reader(bytes);
  SignedHead head;
  head.ledger = reader.id<EntityKey>();
  head.head.size = reader.u64();
  head.head.root = reader.id<Hash>();
  head.head.time = reader.micros();
  head.signature = reader.array<sizeof(crypto::Signature)>();
  BW_CHECK(reader.finish("tree head"));
  return head;
}

}  // namespace bw::ledger
