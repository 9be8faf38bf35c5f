// SPDX-License-Identifier: Apache-2.0
#include "store/log_tree.hpp"

#include <algorithm>

#include <fcntl.h>

#include "base/check.hpp"
#include "codec/reader.hpp"
#include "codec/writer.hpp"
#include "store/log_record.hpp"

namespace bw::store {
namespace {

constexpr std::string_view kMagic = "BWLTREE1";
constexpr std::size_t kGroupBytes = LogTree::side_bytes(1) - LogTree::side_bytes(0);

// The end of the 64 records from `offset` on, if they hash to `hash`.
Result<std::optional<std::uint64_t>> check_group(const File& log, std::uint64_t log_bytes,
                                                 std::uint64_t offset, const Hash& hash) {
  RecordReader reader(log, offset, log_bytes, 16 * 1024);
  std::vector<Hash> leaves;
  while (leaves.size() < LogTree::kGroup) {
    BW_TRY(const auto entry, reader.next());
    if (!entry) return std::nullopt;
    leaves.push_back(crypto::leaf_hash(*entry));
  }
  if (crypto::merkle_root(leaves) != hash) return std::nullopt;
  return reader.offset();
}

}  // namespace

Result<std::unique_ptr<LogTree>> LogTree::open(const std::filesystem::path& side_file,
                                               const File& log, std::uint64_t log_bytes) {
  BW_TRY(File side, File::open(side_file, O_RDWR | O_CREAT));
  std::unique_ptr<LogTree> tree(new LogTree(std::move(side)));
  BW_CHECK(tree->load(log, log_bytes));
  return tree;
}

std::vector<LogTree::Group> LogTree::parse_groups(ByteView side, std::uint64_t log_bytes) {
  std::vector<Group> groups;
  std::uint64_t least = kLogHeaderBytes;
  for (ByteView rest = side; rest.size() >= kGroupBytes; rest = rest.subspan(kGroupBytes)) {
    codec::Reader reader(rest);
    const std::uint64_t offset = reader.u64();
    const Hash hash = reader.id<Hash>();
    const bool sane = reader.u32() == crc32c({rest.first(kGroupBytes - 4)}) && offset >= least &&
                      offset < log_bytes;
    if (!sane) break;
    groups.push_back({offset, hash});
    least = offset + kGroup * (kRecordHeaderBytes + 1);
  }
  return groups;
}

Result<void> LogTree::load(const File& log, std::uint64_t log_bytes) {
  end_offset_ = kLogHeaderBytes;
  BW_TRY(const Bytes bytes, read_whole(side_, static_cast<std::size_t>(limits::kLedgerFileBytes)));
  codec::Reader header(bytes);
  const bool ours = as_text(header.bytes(kMagic.size())) == kMagic;
  const std::uint64_t durable = header.u64();
  if (!ours || !header.ok()) return side_.truncate(0);
  durable_end_ = durable;

  std::vector<Group> groups = parse_groups(header.rest(), log_bytes);
  // The ledger may have been put back from a back-up that ends within the last group that still
  // starts within it; when the one before does not fit either, this is another ledger's tree.
  for (int attempt = 0; attempt < 2 && !groups.empty(); ++attempt) {
    BW_TRY(const auto end, check_group(log, log_bytes, groups.back().offset, groups.back().hash));
    if (end) return restore(groups, *end);
    groups.pop_back();
  }
  return side_.truncate(side_bytes(0));
}

Result<void> LogTree::restore(const std::vector<Group>& groups, std::uint64_t end) {
  for (const Group& group : groups) {
    offsets_.push_back(group.offset);
    push_group(group.hash);
  }
  std::vector<Hash> nodes;
  for (std::size_t level = levels_.size(); level-- > 0;) {
    // A complete subtree of the frontier is the last of its level, where the level has an odd
    // count.
    if (levels_[level].size() % 2 == 1) nodes.push_back(levels_[level][levels_[level].size() - 1]);
  }
  BW_TRY(frontier_, crypto::Frontier::restore(groups.size() * kGroup, std::move(nodes)));
  end_offset_ = end;
  saved_groups_ = groups.size();
  return side_.truncate(side_bytes(saved_groups_));
}

void LogTree::push_group(const Hash& hash) {
  levels_[0].push_back(hash);
  for (std::size_t level = 0; levels_[level].size() % 2 == 0; ++level) {
    BW_ASSERT(level + 1 < levels_.size());
    const std::size_t count = levels_[level].size();
    levels_[level + 1].push_back(
        crypto::node_hash(levels_[level][count - 2], levels_[level][count - 1]));
  }
}

void LogTree::add(std::uint64_t offset, std::uint64_t next_offset, const Hash& leaf) {
  if (unfinished_.empty()) offsets_.push_back(offset);
  unfinished_.push_back(leaf);
  frontier_.add(leaf);
  end_offset_ = next_offset;
  if (unfinished_.size() < kGroup) return;
  push_group(crypto::merkle_root(unfinished_));
  unfinished_.clear();
}

void LogTree::save() {
  Bytes records;
  const std::uint64_t groups = levels_[0].size();
  for (std::uint64_t group = saved_groups_; group < groups; ++group) {
    const std::size_t start = records.size();
    codec::Writer writer(records);
    writer.u64(offsets_[group]).id(levels_[0][group]);
    writer.u32(crc32c({ByteView(records).subspan(start)}));
  }
  Bytes header;
  codec::Writer(header).bytes(as_bytes(kMagic)).u64(end_offset_);
  // When the disk is full the side file may stay behind or get holes; the next open sees that by
  // the checksums and makes it again.
  (void)side_.write_at(side_bytes(saved_groups_), records).has_value();
  (void)side_.write_at(0, header).has_value();
  saved_groups_ = groups;
  durable_end_ = end_offset_;
}

}  // namespace bw::store
