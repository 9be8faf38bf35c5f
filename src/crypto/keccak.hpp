// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/id.hpp"

namespace bw::crypto {

// Keccak-256 as Ethereum uses it: the padding of the submission to NIST, not that of FIPS 202.
Hash keccak256(ByteView data);

}  // namespace bw::crypto
