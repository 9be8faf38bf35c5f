// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "crypto/keys.hpp"
#include "crypto/merkle.hpp"
#include "syndication/message.hpp"

// Messages signed together: one signature over origin, stream, sequence, time, count and the Merkle
// root of the messages (design, section 6). A batch of one costs what a plain signature costs.
//
// Bytes of a batch (the body of a BATCH frame):
//   origin 32 | stream u64 | sequence u64 | created u64 (us) | count u16 | present u16
//   | [ index u16 * present, strictly ascending; absent when present == count ]
//   | signature 64 | message * present | hash 32 * (as many as the multi-proof needs)
// signed: tagged_hash("bosswave/batch", origin | stream | sequence | created | count | root)
namespace bw::syndication {

struct BatchHeader {
  EntityKey origin;
  std::uint64_t stream = 0;    // random, chosen when the origin attaches to a session
  std::uint64_t sequence = 0;  // strictly rising within the stream, from 1
  Time created;
  std::uint16_t count = 0;
};

// Names one message for ever: the batch and the place in it.
struct MessageId {
  EntityKey origin;
  std::uint64_t stream = 0;
  std::uint64_t sequence = 0;
  std::uint16_t index = 0;

  friend auto operator<=>(const MessageId&, const MessageId&) = default;
};

// Collects waiting messages and signs them as one. Buffers are reused from batch to batch.
class BatchBuilder {
 public:
  [[nodiscard]] bool empty() const { return leaves_.empty(); }
  [[nodiscard]] std::size_t count() const { return leaves_.size(); }
  [[nodiscard]] std::size_t bytes() const { return messages_.size(); }
  // True when another message of `payload_bytes` would break kBatchMessages or kFrameBytes.
  [[nodiscard]] bool full(std::size_t payload_bytes) const;
  // Returns the message's index within the batch. Precondition: not full.
  std::uint16_t add(const Message& message, const crypto::Sha256& leaf_prefix);
  // Appends the batch's bytes to `out` and empties the builder. `count` is filled in.
  void seal(BatchHeader header, const crypto::SigningKey& key, Bytes& out);

 private:
  Bytes messages_;
  std::vector<Hash> leaves_;
};

// A batch as parsed: views into the frame, which must outlive it.
struct BatchView {
  BatchHeader header;
  crypto::Signature signature{};
  std::vector<std::uint16_t> indices;  // of the messages present
  std::vector<ParsedMessage> messages;
  std::vector<Hash> hashes;            // multi-proof for the absent ones
  std::vector<ByteView> raw;           // each present message's bytes
};

// Strict form only. `out` keeps its capacity from call to call.
Result<void> parse_batch(ByteView bytes, BatchView& out);

// Computes the leaves of the present messages. `prefix_of(topic number)` returns the leaf prefix or
// nullptr when the stream never named that topic (kMalformed).
using PrefixOf = std::function<const crypto::Sha256*(std::uint32_t)>;
Result<void> batch_leaves(const BatchView& batch, const PrefixOf& prefix_of, std::vector<Hash>& leaves);
// kBadSignature when the origin did not sign these messages under this header.
[[nodiscard]] Result<void> verify_batch(const BatchView& batch, std::span<const Hash> leaves);

// The same batch with only the messages at positions `kept` (positions in batch.messages, strictly
// ascending): the others become subtree hashes. Still verifiable alone.
Result<void> select(const BatchView& batch, std::span<const Hash> leaves,
                    std::span<const std::uint16_t> kept, Bytes& out);

}  // namespace bw::syndication
