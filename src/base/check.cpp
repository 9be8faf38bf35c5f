// SPDX-License-Identifier: Apache-2.0
#include "base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace bw {

void assertion_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "bosswave: internal error at %s:%d: %s\n", file, line, expression);
  std::abort();
}

}  // namespace bw
