// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "crypto/merkle.hpp"

namespace bw::store {

// The ledger on disk: one append-only file of entries, which is all that a back-up needs, and the
// RFC 9162 tree over them. Beside it `<file>.tree`, one record (offset, subtree hash) per 64 entries, which
// is rebuilt from the file when missing or short. File format: docs/formats.md, "Ledger file".
//
// One writer, any number of readers; readers never block and see only entries whose append returned.
class EntryLog : public crypto::SubtreeReader {
 public:
  // Creates the file when missing. A torn record at the end (a crash during append) is cut off; a
  // damaged record before the end is kCorrupt, and nothing is changed.
  static Result<std::unique_ptr<EntryLog>> open(const std::filesystem::path& file);
  ~EntryLog() override;

  // All or nothing; durable (fdatasync) when it returns. On kIo (disk full) the file is as before.
  Result<void> append(const std::vector<ByteView>& entries);

  [[nodiscard]] std::uint64_t size() const;
  [[nodiscard]] Hash root() const;  // over size() entries; the writer's thread only
  // Byte offset of the record of each entry: stable, dense enough to serve as a reference (40 bits).
  [[nodiscard]] std::uint64_t end_offset() const;
  [[nodiscard]] Result<Bytes> read_at(std::uint64_t offset) const;
  // Up to `most` entries from `index` on, at most `most_bytes` (but at least one).
  [[nodiscard]] Result<std::vector<Bytes>> read(std::uint64_t index, std::size_t most,
                                                std::size_t most_bytes) const;
  // Calls visit(index, offset, entry) for each entry from `index` on.
  Result<void> scan(std::uint64_t index,
                    const std::function<Result<void>(std::uint64_t, std::uint64_t, ByteView)>& visit) const;

  [[nodiscard]] Result<Hash> subtree(unsigned level, std::uint64_t index) const override;

 private:
  struct Impl;
  explicit EntryLog(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bw::store
