// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/check.hpp"
#include "wave/proof.hpp"

using namespace bw;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  const auto proof = wave::parse_proof(bytes);
  if (!proof) return 0;
  BW_ASSERT(proof->dots.size() <= limits::kProofDots);
  BW_ASSERT(std::ranges::equal(wave::encode(*proof), bytes));
  return 0;
}
