// SPDX-License-Identifier: Apache-2.0
#include "base/check.hpp"
#include "crypto/keccak.hpp"
#include "evm/header.hpp"

using namespace bw;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (const auto header = evm::parse_header({data, size})) {
    BW_ASSERT(header->hash == crypto::keccak256({data, size}));
  }
  return 0;
}
