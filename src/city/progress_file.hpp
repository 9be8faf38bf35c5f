// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace bw::city {

// One line of text: which work it is, and how many of its objects are done. Replaced as a whole, so
// that a kill leaves the old or the new one.
class ProgressFile {
 public:
  ProgressFile(std::filesystem::path file, std::string work)
      : file_(std::move(file)), work_(std::move(work)) {}
  // 0 when there is none. kConflict when it tells of other work.
  [[nodiscard]] Result<std::uint64_t> load() const;
  Result<void> save(std::uint64_t done) const;

 private:
  std::filesystem::path file_;
  std::string work_;
};

}  // namespace bw::city
