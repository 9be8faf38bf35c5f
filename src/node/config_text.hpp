// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace bw::node {

// The line (from 1 on) of the first character that is not ASCII and in neither a text nor a comment
// of this TOML, or that follows a backslash in a text. None is valid there, and version 3.3 of the
// parser goes wrong on some of them: its test for whitespace has no answer for U+00A1 to U+0499,
// among others. A byte order mark at the start is let through.
std::optional<std::size_t> line_of_stray_character(std::string_view toml);

}  // namespace bw::node
