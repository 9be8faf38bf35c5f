// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace bw {

std::string to_hex(ByteView bytes);
Result<Bytes> from_hex(std::string_view text);

// base64url without padding (RFC 4648 section 5). Decoding is strict: padding, foreign characters
// and non-zero trailing bits are refused, so that one byte string has one text.
std::string to_base64url(ByteView bytes);
Result<Bytes> from_base64url(std::string_view text);

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(ByteView bytes);

// `text` with control characters and broken UTF-8 replaced, safe for a terminal or a log line, and
// cut at `most` bytes.
std::string printable(std::string_view text, std::size_t most = 200);

}  // namespace bw
