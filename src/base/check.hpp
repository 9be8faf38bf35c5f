// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace bw {

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace bw

// Always compiled in. For our own bugs only, never for input: it ends the process.
#define BW_ASSERT(expression) \
  ((expression) ? void(0) : ::bw::assertion_failed(#expression, __FILE__, __LINE__))
