// SPDX-License-Identifier: Apache-2.0
#include "store/file.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bw::store {
namespace {

std::string_view way_out(int number) {
  switch (number) {
    case ENOSPC:
    case EDQUOT:
      return "; free some space on its file system";
    case EFBIG:
      return "; raise the limit on file sizes (ulimit -f)";
    case EACCES:
    case EPERM:
      return "; check its owner and permissions, and those of its directory";
    case EROFS:
      return "; its file system is mounted read-only";
    case EMFILE:
    case ENFILE:
      return "; raise the limit on open files (ulimit -n)";
    case ENOENT:
      return "; check the path";
    case EIO:
      return "; check the disk and the kernel's log";
    default:
      return "";
  }
}

Result<void> put_in_place(const File& temporary, const std::filesystem::path& path, bool replace) {
  if (replace) {
    if (::rename(temporary.path().c_str(), path.c_str()) == 0) return {};
    return fail(system_error("write", path, errno));
  }
  if (::link(temporary.path().c_str(), path.c_str()) == 0) {
    ::unlink(temporary.path().c_str());
    return {};
  }
  if (errno == EEXIST) {
    return fail(ErrorCode::kConflict, "{}: exists already; choose another name or remove it first",
                path.string());
  }
  return fail(system_error("write", path, errno));
}

Result<void> write_temporary(File& temporary, const std::filesystem::path& path, ByteView bytes,
                             unsigned mode, bool replace) {
  BW_CHECK(temporary.write_at(0, bytes));
  if (::fchmod(temporary.descriptor(), mode) != 0) {
    return fail(system_error("set permissions of", temporary.path(), errno));
  }
  BW_CHECK(temporary.sync());
  return put_in_place(temporary, path, replace);
}

std::filesystem::path directory_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

}  // namespace

Error system_error(std::string_view action, const std::filesystem::path& path, int number) {
  return Error{number == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo,
               fmt::format("{}: cannot {} it: {}{}", path.string(), action,
                           std::generic_category().message(number), way_out(number))};
}

Result<File> File::open(const std::filesystem::path& path, int flags, unsigned mode) {
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  if (descriptor < 0) return fail(system_error("open", path, errno));
  return File(path, descriptor);
}

Result<File> File::create_beside(const std::filesystem::path& path) {
  std::string name = path.string() + ".XXXXXX";
  const int descriptor = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor < 0) return fail(system_error("create a file beside", path, errno));
  return File(name, descriptor);
}

File::File(File&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

File& File::operator=(File&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<void> File::lock() const {
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return {};
  if (errno != EWOULDBLOCK) return fail(system_error("lock", path_, errno));
  return fail(ErrorCode::kConflict,
              "{}: is in use by another process; stop that one first, or use another directory",
              path_.string());
}

Result<std::uint64_t> File::size() const {
  struct stat status{};
  if (::fstat(descriptor_, &status) != 0) return fail(system_error("examine", path_, errno));
  return static_cast<std::uint64_t>(status.st_size);
}

Result<std::size_t> File::read_at(std::uint64_t offset, std::span<std::uint8_t> out) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t count = ::pread(descriptor_, out.data() + done, out.size() - done,
                                  static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(system_error("read", path_, errno));
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

Result<void> File::write_at(std::uint64_t offset, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t count =
        ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(system_error("write", path_, errno));
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return {};
}

Result<void> File::truncate(std::uint64_t size) {
  if (::ftruncate(descriptor_, static_cast<off_t>(size)) == 0) return {};
  return fail(system_error("truncate", path_, errno));
}

Result<void> File::sync() {
  if (::fdatasync(descriptor_) == 0) return {};
  return fail(system_error("sync", path_, errno));
}

Result<void> sync_directory(const std::filesystem::path& directory) {
  BW_TRY(File opened, File::open(directory, O_RDONLY | O_DIRECTORY));
  if (::fsync(opened.descriptor()) == 0) return {};
  return fail(system_error("sync", directory, errno));
}

Result<Bytes> read_whole(const File& file, std::size_t most) {
  BW_TRY(const std::uint64_t size, file.size());
  if (size > most) {
    return fail(ErrorCode::kTooLarge, "{}: has {} bytes, more than the {} that make sense",
                file.path().string(), size, most);
  }
  Bytes bytes(size);
  BW_TRY(const std::size_t got, file.read_at(0, bytes));
  bytes.resize(got);
  return bytes;
}

Result<void> atomic_write_file(const std::filesystem::path& path, ByteView bytes, unsigned mode,
                               bool replace) {
  BW_TRY(File temporary, File::create_beside(path));
  if (auto written = write_temporary(temporary, path, bytes, mode, replace); !written) {
    ::unlink(temporary.path().c_str());
    return written;
  }
  return sync_directory(directory_of(path));
}

}  // namespace bw::store
