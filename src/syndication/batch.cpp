// SPDX-License-Identifier: Apache-2.0
#include "syndication/batch.hpp"

#include <bit>

#include "base/limits.hpp"
#include "codec/reader.hpp"
#include "codec/writer.hpp"

namespace bw::syndication {
namespace {

// origin, stream, sequence, created, count, present, signature.
constexpr std::size_t kFixedBytes = 32 + 8 + 8 + 8 + 2 + 2 + 64;

// What the signature covers besides the root, and what a batch starts with.
void put_header(const BatchHeader& header, codec::Writer& writer) {
  writer.id(header.origin).u64(header.stream).u64(header.sequence);
  writer.micros(header.created).u16(header.count);
}

Hash signed_hash(const BatchHeader& header, const Hash& root) {
  static const crypto::TaggedHash kTag("bosswave/batch");
  Bytes bytes;
  bytes.reserve(kFixedBytes);
  codec::Writer writer(bytes);
  put_header(header, writer);
  return kTag({bytes, root.view()});
}

Result<void> parse_header(codec::Reader& reader, std::size_t bytes, BatchView& out) {
  BatchHeader& header = out.header;
  header.origin = reader.id<EntityKey>();
  header.stream = reader.u64();
  header.sequence = reader.u64();
  header.created = reader.micros();
  header.count = reader.u16();
  const std::size_t present = reader.u16();
  if (!reader.ok()) {
    return fail(ErrorCode::kMalformed, "batch: too short or a field is out of range");
  }
  if (header.count > limits::kBatchMessages) {
    return fail(ErrorCode::kTooLarge, "batch: {} messages; at most {} are allowed", header.count,
                limits::kBatchMessages);
  }
  if (present < 1 || present > header.count || header.sequence < 1) {
    return fail(ErrorCode::kMalformed, "batch: {} of {} messages present, sequence {}", present,
                header.count, header.sequence);
  }
  const std::size_t most =
      present == header.count ? limits::kBatchBytes : limits::kPartialBatchBytes;
  if (bytes > most) {
    return fail(ErrorCode::kTooLarge, "batch: {} bytes; at most {} are allowed", bytes, most);
  }
  out.messages.resize(present);
  out.indices.resize(present);
  return {};
}

Result<void> parse_indices(codec::Reader& reader, BatchView& out) {
  if (out.whole()) {
    for (std::size_t i = 0; i < out.indices.size(); ++i) {
      out.indices[i] = static_cast<std::uint16_t>(i);
    }
    return {};
  }
  int previous = -1;
  for (std::uint16_t& index : out.indices) {
    index = reader.u16();
    if (index <= previous || index >= out.header.count) {
      return fail(ErrorCode::kMalformed, "batch: index {} is out of order or range", index);
    }
    previous = index;
  }
  return {};
}

Result<void> parse_hashes(codec::Reader& reader, BatchView& out) {
  const std::size_t needed = crypto::multi_proof_size(out.header.count, out.indices);
  if (reader.remaining() != needed * Hash::kSize) {
    return fail(ErrorCode::kMalformed, "batch: {} bytes of hashes where {} hashes are needed",
                reader.remaining(), needed);
  }
  out.hashes.resize(needed);
  for (Hash& hash : out.hashes) hash = reader.id<Hash>();
  return {};
}

Result<Hash> root_of(const BatchView& batch, std::span<const Hash> leaves) {
  if (batch.whole()) return crypto::batch_root(leaves);
  return crypto::multi_proof_root(batch.header.count, batch.indices, leaves, batch.hashes);
}

bool is_selection(std::span<const std::uint16_t> kept, std::size_t of) {
  int previous = -1;
  for (const std::uint16_t position : kept) {
    if (position <= previous || position >= of) return false;
    previous = position;
  }
  return !kept.empty();
}

// The multi-proof for the messages at `indices`, from what `batch` has.
Result<std::vector<Hash>> proof_of(const BatchView& batch, std::span<const Hash> leaves,
                                   std::span<const std::uint16_t> indices) {
  if (batch.whole()) return crypto::multi_proof(leaves, indices);
  return crypto::narrow_multi_proof(batch.header.count, batch.indices, leaves, batch.hashes,
                                    indices);
}

}  // namespace

bool BatchBuilder::full(std::size_t payload_bytes) const {
  const std::size_t bytes = kFixedBytes + messages_.size() + kMessageOverhead + payload_bytes;
  return waiting_.size() >= limits::kBatchMessages || bytes > limits::kBatchBytes;
}

std::uint16_t BatchBuilder::add(const Message& message, const crypto::Sha256& leaf_prefix) {
  BW_ASSERT(!full(message.payload.size()));
  encode(message, messages_);
  waiting_.push_back({&leaf_prefix, messages_.size()});
  return static_cast<std::uint16_t>(waiting_.size() - 1);
}

std::vector<Hash> BatchBuilder::leaves() const {
  std::vector<crypto::HashJob> jobs;
  jobs.reserve(waiting_.size());
  std::size_t begin = 0;
  for (const Waiting& message : waiting_) {
    const ByteView raw = ByteView(messages_).subspan(begin, message.end - begin);
    jobs.push_back({message.leaf_prefix, raw.subspan(kTopicNumberBytes)});
    begin = message.end;
  }
  std::vector<Hash> leaves(jobs.size());
  crypto::sha256_many(jobs, leaves);
  return leaves;
}

void BatchBuilder::seal(BatchHeader header, const crypto::SigningKey& key, Bytes& out) {
  BW_ASSERT(!empty() && header.sequence >= 1 && key.public_key() == header.origin);
  header.count = static_cast<std::uint16_t>(waiting_.size());
  codec::Writer writer(out);
  put_header(header, writer);
  writer.u16(header.count);
  writer.bytes(key.sign(signed_hash(header, crypto::batch_root(leaves())))).bytes(messages_);
  messages_.clear();
  waiting_.clear();
}

Result<void> parse_batch(ByteView bytes, BatchView& out) {
  codec::Reader reader(bytes);
  BW_CHECK(parse_header(reader, bytes.size(), out));
  BW_CHECK(parse_indices(reader, out));
  out.signature = reader.array<64>();
  for (ParsedMessage& message : out.messages) BW_CHECK(parse_message(reader, message));
  return parse_hashes(reader, out);
}

Result<void> verify_batch(const BatchView& batch, std::span<const Hash> leaves,
                          const crypto::VerifyingKey& origin) {
  BW_ASSERT(leaves.size() == batch.messages.size());
  BW_TRY(const Hash root, root_of(batch, leaves));
  if (origin.verify(signed_hash(batch.header, root), batch.signature)) return {};
  return fail(ErrorCode::kBadSignature,
              "batch: entity {} did not sign it as batch {} of its stream",
              batch.header.origin.text(), batch.header.sequence);
}

Result<void> select(const BatchView& batch, std::span<const Hash> leaves,
                    std::span<const std::uint16_t> kept, Bytes& out) {
  if (leaves.size() != batch.messages.size() || !is_selection(kept, leaves.size())) {
    return fail(ErrorCode::kInvalidArgument, "batch: not a selection of its {} messages",
                batch.messages.size());
  }
  std::vector<std::uint16_t> indices;
  indices.reserve(kept.size());
  for (const std::uint16_t position : kept) indices.push_back(batch.indices[position]);
  BW_TRY(const std::vector<Hash> proof, proof_of(batch, leaves, indices));

  codec::Writer writer(out);
  put_header(batch.header, writer);
  writer.u16(static_cast<std::uint16_t>(kept.size()));
  if (kept.size() != batch.header.count) {
    for (const std::uint16_t index : indices) writer.u16(index);
  }
  writer.bytes(batch.signature);
  for (const std::uint16_t position : kept) writer.bytes(batch.messages[position].raw);
  for (const Hash& hash : proof) writer.id(hash);
  return {};
}

}  // namespace bw::syndication
