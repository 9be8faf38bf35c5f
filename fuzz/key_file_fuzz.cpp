// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "base/check.hpp"
#include "crypto/sealed_key.hpp"

// A key that opens is the one that the file names. Sealed files are not opened: that costs 64 MiB
// each.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bw::ByteView bytes(data, size);
  const auto info = bw::crypto::inspect_key_file(bytes);
  if (const auto key = bw::crypto::open_key(bytes, nullptr)) {
    BW_ASSERT(info && !info->sealed && info->key == key->public_key());
  }
  return 0;
}
