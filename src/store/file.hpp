// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace bw::store {

// An open POSIX file. Every failure is an Error with the path, the system's words and the way out:
// kNotFound when the file is missing, else kIo. read_at() may be called from any thread.
class File {
 public:
  // `flags` as of open(2), O_CLOEXEC is added; `mode` for a file that is created.
  static Result<File> open(const std::filesystem::path& path, int flags, unsigned mode = 0644);
  // A new, empty file of mode 0600 in the same directory, named after `path`.
  static Result<File> create_beside(const std::filesystem::path& path);
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File();

  // Keeps every other open of the file from locking it, until this one is closed, however the
  // process ends. kConflict when somebody has it.
  [[nodiscard]] Result<void> lock() const;
  [[nodiscard]] Result<std::uint64_t> size() const;
  // Fills `out` as far as the file goes; fewer bytes than asked only at its end.
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset,
                                            std::span<std::uint8_t> out) const;
  // All of `bytes`; on failure some of them may be in the file.
  Result<void> write_at(std::uint64_t offset, ByteView bytes);
  Result<void> truncate(std::uint64_t size);
  // Data and size are on the medium when it returns (fdatasync).
  Result<void> sync();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  File(std::filesystem::path path, int descriptor)
      : path_(std::move(path)), descriptor_(descriptor) {}

  std::filesystem::path path_;
  int descriptor_ = -1;
};

// The error for a failed system call on `path` with `number` as its errno.
[[nodiscard]] Error system_error(std::string_view action, const std::filesystem::path& path,
                                 int number);

// Makes created, renamed and removed names in `directory` durable.
Result<void> sync_directory(const std::filesystem::path& directory);

// kTooLarge above `most` bytes.
Result<Bytes> read_whole(const File& file, std::size_t most);

// After a crash at any moment the name holds the old content or the new, never a mix, and when it
// returns the new one is durable. kConflict when the file exists and `replace` is false.
Result<void> atomic_write_file(const std::filesystem::path& path, ByteView bytes, unsigned mode,
                               bool replace);

}  // namespace bw::store
