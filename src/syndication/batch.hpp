// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "crypto/batch_tree.hpp"
#include "crypto/keys.hpp"
#include "crypto/sha256_many.hpp"
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

  friend bool operator==(const BatchHeader&, const BatchHeader&) = default;
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
  [[nodiscard]] bool empty() const { return waiting_.empty(); }
  [[nodiscard]] std::size_t count() const { return waiting_.size(); }
  [[nodiscard]] std::size_t bytes() const { return messages_.size(); }
  // True when another message of `payload_bytes` would break kBatchMessages or kBatchBytes. A
  // message that keeps to kMessageBytes always fits into an empty builder.
  [[nodiscard]] bool full(std::size_t payload_bytes) const;
  // Returns the message's index within the batch. `leaf_prefix` is looked at in seal() and must
  // stay where it is until then. Precondition: not full.
  std::uint16_t add(const Message& message, const crypto::Sha256& leaf_prefix);
  std::uint16_t add(const Message& message, const crypto::Sha256&& gone) = delete;
  // Appends the batch's bytes to `out` and empties the builder. `count` is filled in.
  // Preconditions: not empty, `key` is the origin's, sequence >= 1.
  void seal(BatchHeader header, const crypto::SigningKey& key, Bytes& out);

 private:
  struct Waiting {
    const crypto::Sha256* leaf_prefix;
    std::size_t end;  // in messages_
  };
  // Hashed together and only in seal(), which is cheaper than one by one.
  [[nodiscard]] std::vector<Hash> leaves() const;

  Bytes messages_;
  std::vector<Waiting> waiting_;
};

// A batch as parsed: views into the frame, which must outlive it.
struct BatchView {
  BatchHeader header;
  crypto::Signature signature{};
  std::vector<std::uint16_t> indices;   // of the messages present, strictly ascending
  std::vector<ParsedMessage> messages;  // as many
  std::vector<Hash> hashes;             // multi-proof for the absent ones

  // Nothing is absent.
  [[nodiscard]] bool whole() const { return messages.size() == header.count; }
};

// Strict form only. `out` keeps its capacity from call to call, and means nothing after an error.
Result<void> parse_batch(ByteView bytes, BatchView& out);

// Computes the leaves of the present messages. `prefix_of(topic number)` returns a
// `const crypto::Sha256*`, nullptr when the stream never named that topic (kMalformed). It is asked
// again only when the topic differs from that of the message before.
template <class PrefixOf>
Result<void> batch_leaves(const BatchView& batch, PrefixOf&& prefix_of, std::vector<Hash>& leaves) {
  std::vector<crypto::HashJob> jobs;
  jobs.reserve(batch.messages.size());
  const crypto::Sha256* prefix = nullptr;
  std::uint32_t topic = 0;
  for (const ParsedMessage& parsed : batch.messages) {
    if (prefix == nullptr || parsed.message.topic != topic) {
      topic = parsed.message.topic;
      prefix = prefix_of(topic);
    }
    if (prefix == nullptr) {
      return fail(ErrorCode::kMalformed, "batch: topic {} was not named on this stream", topic);
    }
    jobs.push_back({prefix, parsed.signed_tail()});
  }
  leaves.resize(jobs.size());
  crypto::sha256_many(jobs, leaves);
  return {};
}

// kBadSignature when the origin, whose key `origin` is, did not sign these messages under this
// header.
[[nodiscard]] Result<void> verify_batch(const BatchView& batch, std::span<const Hash> leaves,
                                        const crypto::VerifyingKey& origin);

// Appends the same batch with only the messages at positions `kept` (positions in batch.messages,
// strictly ascending, not empty: else kInvalidArgument): the others become subtree hashes. Still
// verifiable alone. `leaves` are those of batch.messages.
Result<void> select(const BatchView& batch, std::span<const Hash> leaves,
                    std::span<const std::uint16_t> kept, Bytes& out);

}  // namespace bw::syndication
