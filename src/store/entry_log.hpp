// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "crypto/merkle.hpp"

namespace bw::store {

// The ledger on disk: one append-only file of entries, which is all that a back-up needs, and the
// RFC 9162 tree over them. Beside it `<file>.tree`, one record (offset, subtree hash) per 64
// entries, which is made again from the file when missing, short or not of this file. File formats:
// docs/formats.md, "Ledger file".
//
// One writer, any number of readers; readers see only entries whose append returned, and wait for
// nothing but rewind().
class EntryLog : public crypto::SubtreeReader {
 public:
  // Creates the file when missing. A torn record at the end (a crash during append) is cut off; a
  // damaged record before the end is kCorrupt, and nothing is changed. kConflict while another
  // process has it open. Reads only what the side file does not tell.
  static Result<std::unique_ptr<EntryLog>> open(const std::filesystem::path& file);
  ~EntryLog() override;

  // What open() had to mend.
  struct Recovery {
    std::uint64_t cut_bytes = 0;        // of a torn append
    std::uint64_t scanned_entries = 0;  // read because the side file did not cover them
  };
  [[nodiscard]] const Recovery& recovery() const;

  // Each entry has 1 to limits::kObjectBytes bytes (else kInvalidArgument). All or nothing; durable
  // (fdatasync) when it returns the offsets of the entries' records. On kIo (disk full) the file is
  // as before; when not even that can be had, further appends are refused until it is opened again.
  Result<std::vector<std::uint64_t>> append(const std::vector<ByteView>& entries);

  // Withdraws the entries from `size` on, durably. On kIo appends are refused until it is opened
  // again.
  Result<void> rewind(std::uint64_t size);

  [[nodiscard]] std::uint64_t size() const;
  [[nodiscard]] Hash root() const;  // over size() entries; the writer's thread only
  // Byte offset of the record of each entry: stable, dense enough to serve as a reference (40
  // bits).
  [[nodiscard]] std::uint64_t end_offset() const;
  [[nodiscard]] Result<Bytes> read_at(std::uint64_t offset) const;
  // The position of the entry whose record starts at `offset`; kNotFound when none does.
  [[nodiscard]] Result<std::uint64_t> index_of(std::uint64_t offset) const;
  // Up to `most` entries from `index` on, at most `most_bytes` (but at least one, if there is one).
  [[nodiscard]] Result<std::vector<Bytes>> read(std::uint64_t index, std::size_t most,
                                                std::size_t most_bytes) const;
  // Calls visit(index, offset, entry) for each entry from `index` on, until it fails.
  using Visit = std::function<Result<void>(std::uint64_t, std::uint64_t, ByteView)>;
  Result<void> scan(std::uint64_t index, const Visit& visit) const;

  // kNotFound for a subtree that is not complete yet.
  [[nodiscard]] Result<Hash> subtree(unsigned level, std::uint64_t index) const override;
  [[nodiscard]] std::uint64_t bytes_on_disk() const;  // both files

 private:
  struct Impl;
  explicit EntryLog(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bw::store
