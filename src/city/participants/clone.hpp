// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "base/result.hpp"

namespace bw::city {

// Copies of a store that nobody writes, `copies` of them at most: shares what no store changes
// (RocksDB's tables) by links and, where the file system can (xfs, btrfs), the blocks of the rest.
class Cloner {
 public:
  // kIo when the copies would not fit.
  static Result<Cloner> of(const std::filesystem::path& from, const std::filesystem::path& near,
                           std::size_t copies);
  // Makes the directory `to`, which is not there.
  Result<void> copy_to(const std::filesystem::path& to) const;

 private:
  explicit Cloner(std::filesystem::path from) : from_(std::move(from)) {}
  std::filesystem::path from_;
};

}  // namespace bw::city
