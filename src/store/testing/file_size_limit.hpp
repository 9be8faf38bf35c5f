// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <cstdint>

#include <sys/resource.h>

#include "base/check.hpp"

namespace bw::store::testing {

// While it lives, no file of this process grows beyond `bytes`: writes come out short and then
// fail, just as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(std::uint64_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    BW_ASSERT(::getrlimit(RLIMIT_FSIZE, &before_) == 0);
    const rlimit limited{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    BW_ASSERT(::setrlimit(RLIMIT_FSIZE, &limited) == 0);
  }
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
};

}  // namespace bw::store::testing
