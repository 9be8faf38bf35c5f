// SPDX-License-Identifier: Apache-2.0
#include "say.hpp"

#include "must.hpp"

namespace bw::e2e {
namespace {

wire::Topic topic_of(const Say& message) {
  return {message.ns, wave::proof_hash(message.proof), must(wave::Pattern::parse(message.uri))};
}

}  // namespace

Bytes opening_frames(const Say& message, const EntityKey& origin, std::uint64_t stream,
                     std::uint32_t number) {
  Bytes frames;
  if (!message.proof.dots.empty()) {
    const Bytes proof = wave::encode(message.proof);
    wire::encode_frame(wire::ProofFrame{proof}, frames);
  }
  wire::encode_frame(wire::TopicFrame{origin, stream, number, topic_of(message)}, frames);
  return frames;
}

Bytes batch_frame(const Say& message, const wire::BatchHeader& header, std::uint32_t number,
                  const crypto::SigningKey& signer) {
  const Bytes payload = message.raw.empty()
                            ? wire::encode_payload({{0x40000000, to_bytes(message.payload)}})
                            : message.raw;
  const auto prefix = wire::leaf_prefix(wire::topic_hash(topic_of(message)));
  wire::BatchBuilder builder;
  builder.add({.topic = number,
               .type = message.type,
               .expires = {},
               .consumers = 0,
               .replay = false,
               .payload = payload},
              prefix);
  Bytes frame;
  const std::size_t begin = wire::begin_frame(wire::FrameType::kBatch, frame);
  builder.seal(header, signer, frame);
  wire::finish_frame(begin, frame);
  return frame;
}

}  // namespace bw::e2e
