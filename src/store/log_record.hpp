// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <optional>

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "store/file.hpp"

// The framing of the ledger file: header and records (docs/formats.md, "Ledger file").
namespace bw::store {

inline constexpr std::size_t kLogHeaderBytes = 16;
inline constexpr std::size_t kRecordHeaderBytes = 8;
inline constexpr std::size_t kRecordBytes = kRecordHeaderBytes + limits::kObjectBytes;  // at most

// CRC-32C (Castagnoli) of the parts joined.
std::uint32_t crc32c(std::initializer_list<ByteView> parts);

Bytes log_header();
// Precondition: 1 to limits::kObjectBytes bytes.
void append_record(Bytes& out, ByteView entry);

// The bytes that the record at the start of `bytes` claims to have; nothing when no record starts
// so or its header is cut short.
std::optional<std::size_t> record_length(ByteView bytes);
// The entry in the whole and undamaged record at the start of `bytes`, else nothing.
std::optional<ByteView> record_entry(ByteView bytes);

// Reads records one after the other, with a buffer of about `chunk` bytes.
class RecordReader {
 public:
  RecordReader(const File& file, std::uint64_t offset, std::uint64_t end, std::size_t chunk);

  // The next entry, valid until the next call. Nothing when offset() is at the end, or when what is
  // there is no whole record; offset() stays there then.
  Result<std::optional<ByteView>> next();
  [[nodiscard]] std::uint64_t offset() const { return offset_; }
  [[nodiscard]] bool at_end() const { return offset_ == end_; }

 private:
  Result<void> fill();

  const File& file_;
  std::uint64_t offset_;  // of buffer_[used_]
  std::uint64_t end_;
  std::size_t chunk_;
  Bytes buffer_;
  std::size_t used_ = 0;
};

// Whether any whole record starts after `from`, at whatever byte.
Result<bool> any_record_after(const File& file, std::uint64_t from, std::uint64_t end);

}  // namespace bw::store
