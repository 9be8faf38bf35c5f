// SPDX-License-Identifier: Apache-2.0
#include "wave/proof.hpp"

#include "base/check.hpp"
#include "codec/reader.hpp"
#include "codec/writer.hpp"
#include "crypto/sha256.hpp"

namespace bw::wave {
namespace {

constexpr std::uint8_t kVersion = 1;

}  // namespace

Hash proof_hash(const Proof& proof) {
  static const crypto::TaggedHash kTag("bosswave/proof");
  crypto::Sha256 state = kTag.prefix();
  for (const Signed<Dot>& dot : proof.dots) state.update(dot.id.view());
  return state.finish();
}

Bytes encode(const Proof& proof) {
  BW_ASSERT(proof.dots.size() <= limits::kProofDots);
  Bytes bytes;
  codec::Writer out(bytes);
  out.u8(kVersion).u8(static_cast<std::uint8_t>(proof.dots.size()));
  for (const Signed<Dot>& dot : proof.dots) out.text16(as_text(dot.bytes));
  return bytes;
}

Result<Proof> parse_proof(ByteView bytes) {
  if (bytes.size() > limits::kProofBytes) {
    return fail(ErrorCode::kTooLarge, "proof: {} bytes, at most {}", bytes.size(),
                limits::kProofBytes);
  }
  codec::Reader in(bytes);
  const std::uint8_t version = in.u8();
  const std::uint8_t count = in.u8();
  if (in.ok() && version != kVersion) {
    return fail(ErrorCode::kUnsupported, "proof: version {} is not supported", version);
  }
  if (count > limits::kProofDots) {
    return fail(ErrorCode::kTooLarge, "proof: {} DoTs, at most {}", count, limits::kProofDots);
  }
  Proof proof;
  for (std::uint8_t i = 0; i < count && in.ok(); ++i) {
    BW_TRY(Signed<Dot> dot, parse<Dot>(as_bytes(in.text16())));
    proof.dots.push_back(std::move(dot));
  }
  BW_CHECK(in.finish("proof"));
  return proof;
}

}  // namespace bw::wave
