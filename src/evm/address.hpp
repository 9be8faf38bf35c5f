// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace bw::evm {

using Address = ByteArray<20>;

// "0x" and 40 digits with the checksum of EIP-55 in their case.
std::string to_text(const Address& address);
// Digits of one case, or of both with the right checksum; kMalformed otherwise.
Result<Address> parse_address(std::string_view text);

}  // namespace bw::evm
