// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/id.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace bw::evm {

// What a follower reads of a block's header (Yellow Paper, section 4.4). Its hash names it, so a
// header whose hash is believed is believed whole.
struct Header {
  Hash hash;
  Hash parent;
  Hash state_root;
  std::uint64_t number = 0;
  Time time;  // whole seconds
  std::uint64_t gas_limit = 0;
  std::uint64_t base_fee = 0;  // wei for one unit of gas
};

// Of a block since London (EIP-1559); fields that later forks add at the end are hashed with the
// rest. kMalformed for anything else.
Result<Header> parse_header(ByteView rlp);

}  // namespace bw::evm
