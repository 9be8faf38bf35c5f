// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/marks.hpp"

#include <algorithm>

#include <fcntl.h>

#include "base/check.hpp"
#include "base/limits.hpp"
#include "codec/reader.hpp"
#include "codec/writer.hpp"
#include "crypto/sha256.hpp"
#include "evm/address.hpp"
#include "store/file.hpp"

namespace bw::ledger_ethereum {
namespace {

constexpr std::string_view kMagic = "BWMARKS1";
constexpr std::size_t kMarkBytes = 80;
constexpr std::uint64_t kSpacing = 32;
// Of suspects there are a few bytes more on disk than are counted.
constexpr std::size_t kFileBytes = 2 * kSuspectBytes + 1024 * 1024;

Result<FollowerMemory> parse_body(codec::Reader& reader) {
  FollowerMemory memory;
  const std::size_t marks = reader.u32();
  if (marks > reader.remaining() / kMarkBytes) reader.reject();
  for (std::size_t i = 0; i < marks && reader.ok(); ++i) {
    Mark mark;
    mark.size = reader.u64();
    mark.root = reader.id<Hash>();
    mark.block = reader.u64();
    mark.hash = reader.id<Hash>();
    const auto& all = memory.marks.all();
    if (!all.empty() && (all.back().block >= mark.block || all.back().size > mark.size)) {
      reader.reject();
      break;
    }
    memory.marks.add(mark);
  }
  const std::size_t suspects = reader.u32();
  for (std::size_t i = 0; i < suspects && reader.ok(); ++i) {
    const Time seen = reader.micros();
    memory.suspects[to_bytes(reader.bytes(reader.u16()))] = seen;
  }
  BW_CHECK(reader.finish("marks"));
  return memory;
}

}  // namespace

void Marks::add(const Mark& mark) {
  BW_ASSERT(marks_.empty() || marks_.back().block < mark.block);
  marks_.push_back(mark);
  std::vector<Mark> kept{marks_.front()};
  for (std::size_t i = 1; i + 1 < marks_.size(); ++i) {
    const std::uint64_t after = marks_[i + 1].block;
    const bool needed = after - kept.back().block > (mark.block - after) / kSpacing;
    if (needed) kept.push_back(marks_[i]);
  }
  if (marks_.size() > 1) kept.push_back(mark);
  marks_ = std::move(kept);
}

Bytes encode(const FollowerMemory& memory, const Address& registry) {
  Bytes out = to_bytes(kMagic);
  codec::Writer writer(out);
  writer.bytes(registry).u32(static_cast<std::uint32_t>(memory.marks.all().size()));
  for (const Mark& mark : memory.marks.all()) {
    writer.u64(mark.size).id(mark.root).u64(mark.block).id(mark.hash);
  }
  writer.u32(static_cast<std::uint32_t>(memory.suspects.size()));
  for (const auto& [revocation, seen] : memory.suspects) {
    writer.micros(seen).u16(static_cast<std::uint16_t>(revocation.size())).bytes(revocation);
  }
  const Hash sum = crypto::sha256(out);
  append(out, sum.view());
  return out;
}

Result<FollowerMemory> parse_memory(ByteView bytes, const Address& registry) {
  if (bytes.size() < Hash::kSize) return fail(ErrorCode::kMalformed, "marks: too short");
  const ByteView body = bytes.first(bytes.size() - Hash::kSize);
  if (crypto::sha256(body) != Hash::from(bytes.last(Hash::kSize))) {
    return fail(ErrorCode::kMalformed, "marks: the checksum does not fit");
  }
  codec::Reader reader(body);
  if (as_text(reader.bytes(kMagic.size())) != kMagic) {
    return fail(ErrorCode::kMalformed, "marks: of no version that this program knows");
  }
  if (reader.array<20>() != registry) {
    return fail(ErrorCode::kConflict, "marks: are not of the contract {}", evm::to_text(registry));
  }
  return parse_body(reader);
}

Result<FollowerMemory> load_memory(const std::filesystem::path& file, const Address& registry) {
  const auto opened = store::File::open(file, O_RDONLY);
  if (!opened && opened.error().code == ErrorCode::kNotFound) return FollowerMemory{};
  if (!opened) return fail(opened.error());
  BW_TRY(const Bytes bytes, store::read_whole(*opened, kFileBytes));
  return parse_memory(bytes, registry);
}

Result<void> save_memory(const std::filesystem::path& file, const FollowerMemory& memory,
                         const Address& registry) {
  return store::atomic_write_file(file, encode(memory, registry), 0600, true);
}

}  // namespace bw::ledger_ethereum
