// SPDX-License-Identifier: Apache-2.0
#include "store/log_record.hpp"

#include <algorithm>

#include <boost/crc.hpp>

#include "base/check.hpp"
#include "codec/reader.hpp"
#include "codec/writer.hpp"

namespace bw::store {
namespace {

constexpr std::string_view kMagic = "BWLEDGER";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kLengthBytes = 4;

}  // namespace

std::uint32_t crc32c(std::initializer_list<ByteView> parts) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  for (const ByteView part : parts) crc.process_bytes(part.data(), part.size());
  return crc.checksum();
}

Bytes log_header() {
  Bytes out;
  codec::Writer(out).bytes(as_bytes(kMagic)).u32(kVersion).u32(0);
  return out;
}

void append_record(Bytes& out, ByteView entry) {
  BW_ASSERT(!entry.empty() && entry.size() <= limits::kObjectBytes);
  Bytes length;
  codec::Writer(length).u32(static_cast<std::uint32_t>(entry.size()));
  codec::Writer(out).bytes(length).u32(crc32c({length, entry})).bytes(entry);
}

std::optional<std::size_t> record_length(ByteView bytes) {
  if (bytes.size() < kRecordHeaderBytes) return std::nullopt;
  const std::size_t length = codec::Reader(bytes).u32();
  // No entry is empty, so a run of zeros that a crash left behind holds no record.
  if (length == 0 || length > limits::kObjectBytes) return std::nullopt;
  return kRecordHeaderBytes + length;
}

std::optional<ByteView> record_entry(ByteView bytes) {
  const auto length = record_length(bytes);
  if (!length || *length > bytes.size()) return std::nullopt;
  const ByteView entry = bytes.subspan(kRecordHeaderBytes, *length - kRecordHeaderBytes);
  const std::uint32_t expected = codec::Reader(bytes.subspan(kLengthBytes)).u32();
  if (crc32c({bytes.first(kLengthBytes), entry}) != expected) return std::nullopt;
  return entry;
}

RecordReader::RecordReader(const File& file, std::uint64_t offset, std::uint64_t end,
                           std::size_t chunk)
    : file_(file), offset_(offset), end_(end), chunk_(chunk) {}

Result<void> RecordReader::fill() {
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(used_));
  used_ = 0;
  const std::size_t kept = buffer_.size();
  const std::size_t wanted = std::max(chunk_, kRecordBytes);
  buffer_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(wanted, end_ - offset_)));
  if (buffer_.size() <= kept) return {};
  BW_TRY(const std::size_t got, file_.read_at(offset_ + kept, std::span(buffer_).subspan(kept)));
  buffer_.resize(kept + got);
  return {};
}

Result<std::optional<ByteView>> RecordReader::next() {
  ByteView rest = ByteView(buffer_).subspan(used_);
  if (const auto length = record_length(rest); !length || *length > rest.size()) {
    BW_CHECK(fill());
    rest = buffer_;
  }
  const auto entry = record_entry(rest);
  if (entry) {
    used_ += kRecordHeaderBytes + entry->size();
    offset_ += kRecordHeaderBytes + entry->size();
  }
  return entry;
}

Result<bool> any_record_after(const File& file, std::uint64_t from, std::uint64_t end) {
  constexpr std::size_t kWindow = 1024 * 1024;
  Bytes window;
  for (std::uint64_t start = from + 1; start < end; start += kWindow) {
    window.resize(
        static_cast<std::size_t>(std::min<std::uint64_t>(kWindow + kRecordBytes, end - start)));
    BW_TRY(const std::size_t got, file.read_at(start, window));
    for (std::size_t i = 0; i < std::min(got, kWindow); ++i) {
      if (record_entry(ByteView(window).first(got).subspan(i))) return true;
    }
  }
  return false;
}

}  // namespace bw::store
