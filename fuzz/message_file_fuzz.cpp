// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "base/check.hpp"
#include "syndication/standing_message.hpp"

// Whatever is taken for a message file is written back byte for byte, and can be judged.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bw::ByteView bytes(data, size);
  if (const auto message = bw::syndication::parse_standing_message(bytes)) {
    BW_ASSERT(bw::syndication::encode(*message) == bw::to_bytes(bytes));
    static_cast<void>(bw::syndication::verify_offline(*message));
  }
  return 0;
}
