// SPDX-License-Identifier: Apache-2.0
#include "store/key_file.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/limits.hpp"
#include "store/file.hpp"

namespace bw::store {
namespace {

constexpr unsigned kOwnerOnly = 0600;
constexpr mode_t kGroupAndOthers = 077;

}  // namespace

Result<void> write_key_file(const std::filesystem::path& path, ByteView bytes, bool overwrite) {
  return atomic_write_file(path, bytes, kOwnerOnly, overwrite);
}

// Everything is asked of the open file, so that no other can take its name in between. O_NONBLOCK:
// opening a pipe must not wait for a writer.
Result<Bytes> read_key_file(const std::filesystem::path& path) {
  BW_TRY(const File file, File::open(path, O_RDONLY | O_NONBLOCK));
  struct stat status{};
  if (::fstat(file.descriptor(), &status) != 0) return fail(system_error("examine", path, errno));
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorCode::kInvalidArgument, "{}: is not a regular file", path.string());
  }
  if ((status.st_mode & kGroupAndOthers) != 0) {
    return fail(ErrorCode::kDenied,
                "{}: others may read or change this key file (mode {:04o}); run: chmod 600 {}",
                path.string(), status.st_mode & 07777U, path.string());
  }
  return read_whole(file, limits::kKeyFileBytes);
}

}  // namespace bw::store
