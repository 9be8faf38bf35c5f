// SPDX-License-Identifier: Apache-2.0
#include "store/entry_log.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <shared_mutex>

#include <fcntl.h>

#include "base/check.hpp"
#include "codec/reader.hpp"
#include "store/file.hpp"
#include "store/log_record.hpp"
#include "store/log_tree.hpp"

namespace bw::store {
namespace {

constexpr std::size_t kScanChunk = 1024 * 1024;
constexpr std::size_t kGroupChunk = 16 * 1024;
// Most entries fit; a longer one takes a second read.
constexpr std::size_t kFirstRead = 512;

Error damaged(const File& file, std::uint64_t offset) {
  return {ErrorCode::kCorrupt,
          fmt::format("{}: the record at byte {} is damaged; restore the file from a back-up, or "
                      "move it away and fetch the entries again from the ledger",
                      file.path().string(), offset)};
}

// A crash while the file was being made leaves a part of the header, or zeros.
Result<void> ensure_header(File& file) {
  const Bytes expected = log_header();
  Bytes found(kLogHeaderBytes);
  BW_TRY(const std::size_t got, file.read_at(0, found));
  if (found == expected) return {};
  const bool unborn = got < kLogHeaderBytes &&
                      (std::equal(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(got),
                                  expected.begin()) ||
                       std::ranges::all_of(found, [](std::uint8_t byte) { return byte == 0; }));
  if (!unborn) {
    return fail(ErrorCode::kUnsupported,
                "{}: is not a ledger file of a version that this program knows; name another file",
                file.path().string());
  }
  BW_CHECK(file.truncate(0));
  BW_CHECK(file.write_at(0, expected));
  BW_CHECK(file.sync());
  return sync_directory(std::filesystem::absolute(file.path()).parent_path());
}

}  // namespace

struct EntryLog::Impl {
  explicit Impl(File opened) : file(std::move(opened)), side_file(file.path().string() + ".tree") {}

  File file;
  std::filesystem::path side_file;
  // Readers of the tree hold it shared: rewind() makes another tree.
  mutable std::shared_mutex tree_mutex;
  std::unique_ptr<LogTree> tree;
  Recovery recovery;
  // An append failed and what it left could not be taken back.
  bool broken = false;
  // Readers may use whatever lies below these; `end` is never behind `size`.
  std::atomic<std::uint64_t> size = 0;
  std::atomic<std::uint64_t> end = kLogHeaderBytes;

  Result<void> take_in();
  Result<void> cut(std::uint64_t new_size);
  Result<void> mend_tail(std::uint64_t bad_offset, std::uint64_t file_bytes);
  void publish();
  Result<void> write_durably(ByteView records);
  Result<RecordReader> reader_at(std::uint64_t index, std::size_t chunk) const;
  Result<Hash> read_subtree(std::uint64_t first, std::uint64_t count) const;
};

EntryLog::EntryLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EntryLog::~EntryLog() = default;

Result<std::unique_ptr<EntryLog>> EntryLog::open(const std::filesystem::path& path) {
  BW_TRY(File file, File::open(path, O_RDWR | O_CREAT));
  BW_CHECK(file.lock());
  BW_CHECK(ensure_header(file));
  auto impl = std::make_unique<Impl>(std::move(file));
  BW_TRY(const std::uint64_t bytes, impl->file.size());
  BW_TRY(impl->tree, LogTree::open(impl->side_file, impl->file, bytes));
  BW_CHECK(impl->take_in());
  return std::unique_ptr<EntryLog>(new EntryLog(std::move(impl)));
}

// Everything after the groups that the side file told.
Result<void> EntryLog::Impl::take_in() {
  BW_TRY(const std::uint64_t bytes, file.size());
  RecordReader reader(file, tree->end_offset(), bytes, kScanChunk);
  const std::uint64_t known = tree->size();
  while (true) {
    const std::uint64_t offset = reader.offset();
    BW_TRY(const auto entry, reader.next());
    if (!entry) break;
    tree->add(offset, reader.offset(), crypto::leaf_hash(*entry));
  }
  if (!reader.at_end()) BW_CHECK(mend_tail(reader.offset(), bytes));
  recovery.scanned_entries = tree->size() - known;
  // After a kill these may be in the system's cache only.
  if (recovery.scanned_entries > 0) BW_CHECK(file.sync());
  tree->save();
  publish();
  return {};
}

// What was never durable is a torn append; what was, is damage. Without that knowledge (the side
// file is missing, or the ledger is an older back-up) a whole record further on tells damage.
Result<void> EntryLog::Impl::mend_tail(std::uint64_t bad_offset, std::uint64_t file_bytes) {
  const auto durable = tree->durable_end();
  bool was_durable = false;
  if (durable && *durable <= file_bytes) {
    was_durable = bad_offset < *durable;
  } else {
    BW_TRY(was_durable, any_record_after(file, bad_offset, file_bytes));
  }
  if (was_durable) return fail(damaged(file, bad_offset));
  BW_CHECK(file.truncate(bad_offset));
  BW_CHECK(file.sync());
  recovery.cut_bytes = file_bytes - bad_offset;
  return {};
}

void EntryLog::Impl::publish() {
  end.store(tree->end_offset(), std::memory_order_release);
  size.store(tree->size(), std::memory_order_release);
}

const EntryLog::Recovery& EntryLog::recovery() const {
  return impl_->recovery;
}
std::uint64_t EntryLog::size() const {
  return impl_->size.load(std::memory_order_acquire);
}
std::uint64_t EntryLog::end_offset() const {
  return impl_->end.load(std::memory_order_acquire);
}
Hash EntryLog::root() const {
  return impl_->tree->root();
}

std::uint64_t EntryLog::bytes_on_disk() const {
  return end_offset() + LogTree::side_bytes(size() / LogTree::kGroup);
}

Result<std::vector<std::uint64_t>> EntryLog::append(const std::vector<ByteView>& entries) {
  Bytes records;
  std::vector<std::uint64_t> offsets;
  const std::uint64_t start = impl_->tree->end_offset();
  for (const ByteView entry : entries) {
    if (entry.empty() || entry.size() > limits::kObjectBytes) {
      return fail(ErrorCode::kInvalidArgument, "ledger entry: has {} bytes, not 1 to {}",
                  entry.size(), limits::kObjectBytes);
    }
    offsets.push_back(start + records.size());
    append_record(records, entry);
  }
  if (start + records.size() > limits::kLedgerFileBytes) {
    return fail(ErrorCode::kLimited, "{}: is full: a ledger file holds at most {} bytes",
                impl_->file.path().string(), limits::kLedgerFileBytes);
  }
  BW_CHECK(impl_->write_durably(records));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    impl_->tree->add(offsets[i], offsets[i] + kRecordHeaderBytes + entries[i].size(),
                     crypto::leaf_hash(entries[i]));
  }
  impl_->tree->save();
  impl_->publish();
  return offsets;
}

Result<void> EntryLog::rewind(std::uint64_t size) {
  BW_ASSERT(size <= this->size());
  if (size == this->size()) return {};
  const std::unique_lock lock(impl_->tree_mutex);
  auto done = impl_->cut(size);
  if (!done) impl_->broken = true;
  return done;
}

// The side file may still tell of what is cut off, as after a back-up was put back.
Result<void> EntryLog::Impl::cut(std::uint64_t new_size) {
  BW_TRY(const RecordReader reader, reader_at(new_size, kGroupChunk));
  const std::uint64_t new_end = reader.offset();
  BW_CHECK(file.truncate(new_end));
  BW_CHECK(file.sync());
  BW_TRY(tree, LogTree::open(side_file, file, new_end));
  return take_in();
}

Result<void> EntryLog::Impl::write_durably(ByteView records) {
  if (broken) {
    return fail(ErrorCode::kIo,
                "{}: an earlier append failed and could not be taken back; check the disk and "
                "restart",
                file.path().string());
  }
  const std::uint64_t start = tree->end_offset();
  auto done = file.write_at(start, records);
  if (done) done = file.sync();
  if (done) return {};
  // A failed fdatasync may have dropped pages, so the old end has to be made durable anew.
  broken = !file.truncate(start) || !file.sync();
  return done;
}

Result<Bytes> EntryLog::read_at(std::uint64_t offset) const {
  const std::uint64_t end = end_offset();
  if (offset < kLogHeaderBytes || offset >= end) return fail(damaged(impl_->file, offset));
  std::array<std::uint8_t, kRecordBytes> buffer;  // NOLINT: filled by the reads below
  std::size_t have = 0;
  for (std::size_t wanted = kFirstRead; have < wanted;) {
    const auto room = static_cast<std::size_t>(std::min<std::uint64_t>(wanted, end - offset));
    BW_TRY(have, impl_->file.read_at(offset, std::span(buffer).first(room)));
    const auto length = record_length(ByteView(buffer).first(have));
    // Less than wanted: nothing more is there, whatever the length says.
    if (!length || *length <= have || have < wanted) break;
    wanted = *length;
  }
  const auto entry = record_entry(ByteView(buffer).first(have));
  if (!entry) return fail(damaged(impl_->file, offset));
  return to_bytes(*entry);
}

// Stands before entry `index`. Precondition: index < size().
Result<RecordReader> EntryLog::Impl::reader_at(std::uint64_t index, std::size_t chunk) const {
  const std::uint64_t start = tree->group_offset(index / LogTree::kGroup);
  RecordReader reader(file, start, end.load(std::memory_order_acquire), chunk);
  for (std::uint64_t skip = index % LogTree::kGroup; skip > 0; --skip) {
    BW_TRY(const auto entry, reader.next());
    if (!entry) return fail(damaged(file, reader.offset()));
  }
  return reader;
}

Result<std::uint64_t> EntryLog::index_of(std::uint64_t offset) const {
  const std::shared_lock lock(impl_->tree_mutex);
  const std::uint64_t count = size();
  std::uint64_t low = 0;
  std::uint64_t high = (count + LogTree::kGroup - 1) / LogTree::kGroup;
  while (high - low > 1) {
    const std::uint64_t middle = low + (high - low) / 2;
    (impl_->tree->group_offset(middle) <= offset ? low : high) = middle;
  }
  std::uint64_t index = low * LogTree::kGroup;
  if (index < count) {
    BW_TRY(RecordReader reader, impl_->reader_at(index, kGroupChunk));
    for (; index < count && reader.offset() < offset; ++index) {
      BW_TRY(const auto entry, reader.next());
      if (!entry) return fail(damaged(impl_->file, reader.offset()));
    }
    if (index < count && reader.offset() == offset) return index;
  }
  return fail(ErrorCode::kNotFound, "{}: no record starts at byte {}", impl_->file.path().string(),
              offset);
}

Result<std::vector<Bytes>> EntryLog::read(std::uint64_t index, std::size_t most,
                                          std::size_t most_bytes) const {
  const std::shared_lock lock(impl_->tree_mutex);
  std::vector<Bytes> entries;
  const std::uint64_t count = size();
  if (index >= count || most == 0) return entries;
  BW_TRY(RecordReader reader, impl_->reader_at(index, kGroupChunk));
  std::size_t bytes = 0;
  for (; index < count && entries.size() < most; ++index) {
    BW_TRY(const auto entry, reader.next());
    if (!entry) return fail(damaged(impl_->file, reader.offset()));
    bytes += entry->size();
    if (bytes > most_bytes && !entries.empty()) break;
    entries.push_back(to_bytes(*entry));
  }
  return entries;
}

Result<void> EntryLog::scan(std::uint64_t index, const Visit& visit) const {
  const std::shared_lock lock(impl_->tree_mutex);
  const std::uint64_t count = size();
  if (index >= count) return {};
  BW_TRY(RecordReader reader, impl_->reader_at(index, kScanChunk));
  for (; index < count; ++index) {
    const std::uint64_t offset = reader.offset();
    BW_TRY(const auto entry, reader.next());
    if (!entry) return fail(damaged(impl_->file, offset));
    BW_CHECK(visit(index, offset, *entry));
  }
  return {};
}

Result<Hash> EntryLog::subtree(unsigned level, std::uint64_t index) const {
  const std::shared_lock lock(impl_->tree_mutex);
  const std::uint64_t complete = level < 64 ? size() >> level : 0;
  if (index >= complete) {
    return fail(ErrorCode::kNotFound, "{}: the tree of {} entries has no subtree {} at level {}",
                impl_->file.path().string(), size(), index, level);
  }
  if (level >= LogTree::kGroupLevel) return impl_->tree->subtree(level, index);
  return impl_->read_subtree(index << level, std::uint64_t{1} << level);
}

Result<Hash> EntryLog::Impl::read_subtree(std::uint64_t first, std::uint64_t count) const {
  BW_TRY(RecordReader reader, reader_at(first, kGroupChunk));
  std::vector<Hash> leaves;
  while (leaves.size() < count) {
    BW_TRY(const auto entry, reader.next());
    if (!entry) return fail(damaged(file, reader.offset()));
    leaves.push_back(crypto::leaf_hash(*entry));
  }
  return crypto::merkle_root(leaves);
}

}  // namespace bw::store
