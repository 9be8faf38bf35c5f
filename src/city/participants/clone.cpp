// SPDX-License-Identifier: Apache-2.0
#include "city/participants/clone.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include "link/net_space.hpp"

namespace bw::city {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kSpare = std::uintmax_t{1} << 30U;

bool is_constant(const fs::path& file) {
  return file.extension() == ".sst";
}

// Another name for the same blocks, until one is written.
bool share_blocks(const fs::path& from, const fs::path& to) {
  const link::Descriptor in(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  const link::Descriptor out(::open(to.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  return in.is_open() && out.is_open() && ::ioctl(out.number(), FICLONE, in.number()) == 0;
}

Result<void> copy_one(const fs::path& from, const fs::path& to) {
  std::error_code error;
  if (is_constant(from)) {
    fs::create_hard_link(from, to, error);
    if (!error) return {};
  }
  if (share_blocks(from, to)) return {};
  fs::copy_file(from, to, fs::copy_options::overwrite_existing, error);
  if (!error) return {};
  return fail(ErrorCode::kIo, "cannot copy {} to {}: {}", from.string(), to.string(),
              error.message());
}

bool blocks_can_be_shared(const fs::path& from, const fs::path& near) {
  const fs::path to = near / "share";
  const bool can = share_blocks(from / "ledger.log", to);
  std::error_code ignored;
  fs::remove(to, ignored);
  return can;
}

}  // namespace

Result<Cloner> Cloner::of(const fs::path& from, const fs::path& near, std::size_t copies) {
  std::error_code error;
  std::uintmax_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(from, error)) {
    if (entry.is_regular_file(error) && !is_constant(entry.path())) bytes += entry.file_size(error);
  }
  const fs::space_info space = error ? fs::space_info{} : fs::space(near, error);
  if (error) return fail(ErrorCode::kIo, "{}: {}", from.string(), error.message());
  if (bytes * copies + kSpare > space.available && !blocks_can_be_shared(from, near)) {
    return fail(ErrorCode::kIo,
                "{} copies of {} take {} MiB, and {} MiB are free: have fewer participants, a "
                "smaller city, or the city on a file system that shares blocks (xfs, btrfs)",
                copies, from.string(), bytes * copies >> 20U, space.available >> 20U);
  }
  return Cloner(from);
}

Result<void> Cloner::copy_to(const fs::path& to) const {
  std::error_code error;
  fs::create_directories(to, error);
  for (const auto& entry : fs::recursive_directory_iterator(from_, error)) {
    const fs::path there = to / entry.path().lexically_relative(from_);
    if (entry.is_directory(error)) {
      fs::create_directories(there, error);
    } else if (entry.is_regular_file(error)) {
      BW_CHECK(copy_one(entry.path(), there));
    }
  }
  if (!error) return {};
  return fail(ErrorCode::kIo, "cannot copy {}: {}", from_.string(), error.message());
}

}  // namespace bw::city
