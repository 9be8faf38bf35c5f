// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "base/check.hpp"
#include "ledger/head.hpp"

// Whatever is taken for a signed head is written back byte for byte.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bw::ByteView bytes(data, size);
  if (const auto head = bw::ledger::parse_head(bytes)) {
    BW_ASSERT(bw::ledger::encode(*head) == bw::to_bytes(bytes));
    static_cast<void>(bw::ledger::verify_head(*head));
  }
  return 0;
}
