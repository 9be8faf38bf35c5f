// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fcntl.h>

#include "base/check.hpp"
#include "codec/reader.hpp"
#include "codec/writer.hpp"
#include "store/entry_log.hpp"
#include "store/log_record.hpp"
#include "store/testing/temp_directory.hpp"

using namespace bw;

namespace {

// Without these no input would ever get past a checksum.
constexpr unsigned kMendRecords = 1;
constexpr unsigned kMendTree = 2;
constexpr unsigned kNoTree = 4;
constexpr std::size_t kTreeHeaderBytes = 16;
constexpr std::size_t kGroupBytes = 44;

// The records that stand at the start of a ledger file, without its header.
std::vector<Bytes> entries_in(ByteView records) {
  std::vector<Bytes> entries;
  while (const auto entry = store::record_entry(records)) {
    records = records.subspan(store::kRecordHeaderBytes + entry->size());
    entries.push_back(to_bytes(*entry));
  }
  return entries;
}

void put_u32(std::uint32_t value, std::span<std::uint8_t> out) {
  Bytes bytes;
  codec::Writer(bytes).u32(value);
  std::ranges::copy(bytes, out.begin());
}

void mend_records(std::span<std::uint8_t> records) {
  for (auto length = store::record_length(records); length && *length <= records.size();
       length = store::record_length(records)) {
    const auto record = records.first(*length);
    put_u32(store::crc32c({record.first(4), record.subspan(store::kRecordHeaderBytes)}),
            record.subspan(4));
    records = records.subspan(*length);
  }
}

void mend_groups(Bytes& tree) {
  for (std::size_t at = kTreeHeaderBytes; at + kGroupBytes <= tree.size(); at += kGroupBytes) {
    const auto group = std::span(tree).subspan(at, kGroupBytes);
    put_u32(store::crc32c({group.first(kGroupBytes - 4)}), group.subspan(kGroupBytes - 4));
  }
}

Bytes bytes_at(const std::filesystem::path& path) {
  const auto file = store::File::open(path, O_RDONLY);
  BW_ASSERT(file.has_value());
  return store::read_whole(*file, std::size_t{1} << 24U).value();
}

void put(const std::filesystem::path& path, ByteView bytes) {
  auto file = store::File::open(path, O_RDWR | O_CREAT | O_TRUNC);
  BW_ASSERT(file.has_value() && file->write_at(0, bytes).has_value());
}

// Whatever the log takes for its content is what a reader of the file alone would find.
void check_content(const store::EntryLog& log, const std::vector<Bytes>& entries) {
  BW_ASSERT(log.size() == entries.size());
  std::vector<Hash> leaves;
  leaves.reserve(entries.size());
  for (const Bytes& entry : entries) leaves.push_back(crypto::leaf_hash(entry));
  BW_ASSERT(log.root() == crypto::merkle_root(leaves));
  BW_ASSERT(crypto::root_at(log, log.size()) == log.root());
  BW_ASSERT(log.read(0, entries.size(), std::size_t{1} << 24U).value() == entries);
  const auto visit = [&](std::uint64_t index, std::uint64_t offset, ByteView) -> Result<void> {
    BW_ASSERT(log.index_of(offset).value() == index);
    BW_ASSERT(log.read_at(offset).value() == entries[index]);
    return {};
  };
  BW_ASSERT(log.scan(entries.size() - std::min<std::size_t>(entries.size(), 3), visit).has_value());
}

// A tree whose groups bear good checksums is not held against all of the ledger; what it says may
// be wrong, but nothing worse comes of it.
void use(const store::EntryLog& log) {
  static_cast<void>(log.read(0, 100, 4096).has_value());
  static_cast<void>(log.read(log.size() / 2, 100, 4096).has_value());
  static_cast<void>(log.index_of(log.end_offset() / 2).has_value());
  static_cast<void>(log.read_at(log.end_offset() / 2).has_value());
  static_cast<void>(crypto::root_at(log, log.size()).has_value());
}

class Node {
 public:
  void put_files(ByteView ledger, const Bytes* tree) {
    put(ledger_, ledger);
    std::error_code ignored;
    std::filesystem::remove(tree_, ignored);
    if (tree != nullptr) put(tree_, *tree);
  }
  [[nodiscard]] Result<std::unique_ptr<store::EntryLog>> open() const {
    return store::EntryLog::open(ledger_);
  }
  [[nodiscard]] Bytes ledger() const { return bytes_at(ledger_); }

 private:
  store::testing::TempDirectory directory_;
  std::filesystem::path ledger_ = directory_ / "ledger.log";
  std::filesystem::path tree_ = directory_ / "ledger.log.tree";
};

void check_opened(Node& node, ByteView records, bool trusted) {
  const auto entries = entries_in(records);
  {
    const auto log = node.open();
    BW_ASSERT(log.has_value());
    if (!trusted) return use(**log);
    check_content(**log, entries);
  }
  const Bytes left = node.ledger();
  const auto again = node.open();
  BW_ASSERT(again.has_value() && (*again)->recovery().cut_bytes == 0);
  check_content(**again, entries);
  BW_ASSERT(node.ledger() == left);
  const Bytes more{1, 2, 3};
  BW_ASSERT((*again)->append({more}).value() == std::vector<std::uint64_t>{left.size()});
  BW_ASSERT((*again)->read_at(left.size()).value() == more);
}

}  // namespace

// What to mend u8, the length of the tree file u16, the tree file, the ledger file. A ledger that
// opens has exactly the whole records that the file starts with, whatever its tree says, and stays
// as it is from then on; one that does not open is not touched.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Node kNode;
  codec::Reader input({data, size});
  const unsigned mend = input.u8();
  Bytes tree = to_bytes(input.bytes(input.u16()));
  if (!input.ok()) return 0;
  Bytes ledger = to_bytes(input.rest());
  const bool has_records = ledger.size() >= store::kLogHeaderBytes;
  const auto records = std::span(ledger).subspan(has_records ? store::kLogHeaderBytes : 0);
  if (has_records && (mend & kMendRecords) != 0) mend_records(records);
  if ((mend & kMendTree) != 0) mend_groups(tree);

  kNode.put_files(ledger, (mend & kNoTree) != 0 ? nullptr : &tree);
  if (const auto opened = kNode.open(); !opened) {
    BW_ASSERT(opened.error().code == ErrorCode::kCorrupt ||
              opened.error().code == ErrorCode::kUnsupported);
    BW_ASSERT(kNode.ledger() == ledger);
    return 0;
  }
  check_opened(kNode, has_records ? ByteView(records) : ByteView{}, (mend & kMendTree) == 0);
  return 0;
}
