// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/check.hpp"
#include "wave/object_body.hpp"

using namespace bw;

// What parses is the one encoding of its fields. Whether its signature holds is asked too, because
// that is what happens to every stranger's bytes next.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  const auto object = wave::parse_object(bytes);
  if (!object) return 0;
  BW_ASSERT(std::ranges::equal(wave::bytes_of(*object), bytes));
  std::visit(
      [&](const auto& o) {
        const auto body = wave::encode_body(o.value);
        BW_ASSERT(body.has_value() && std::ranges::equal(*body, o.body()));
      },
      *object);
  const auto verified = wave::verify_signature(*object);
  BW_ASSERT(verified.has_value() || verified.error().code == ErrorCode::kBadSignature);
  return 0;
}
