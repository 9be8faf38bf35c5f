// SPDX-License-Identifier: Apache-2.0
#include "node/config_text.hpp"

#include <algorithm>
#include <array>

namespace bw::node {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kComment = "\n";  // what ends one
// Texts begin and end with the same; the longer come first.
constexpr std::string_view kBeforeText = " \t\r\n,";
constexpr std::array<std::string_view, 4> kQuotes{"\"\"\"", "'''", "\"", "'"};

bool is_foreign(std::string_view rest) {
  return !rest.empty() && static_cast<unsigned char>(rest.front()) >= 0x80;
}

// A quote within a word opens nothing: the parser takes it for a part of the word.
std::string_view opened_by(std::string_view rest, char previous, unsigned equals) {
  if (rest.front() == '#') return kComment;
  const bool word = kBeforeText.find(previous) == std::string_view::npos;
  // Only the first "=" after a separator surely ends a key.
  if (word && !(previous == '=' && equals == 1)) return {};
  for (const std::string_view quote : kQuotes) {
    if (rest.starts_with(quote)) return quote;
  }
  return {};
}

// Bytes of the end of a text or comment at the start of `rest`. Two quotes of the text may stand
// before three that end it.
std::size_t closing_bytes(std::string_view rest, std::string_view end) {
  if (!rest.starts_with(end)) return 0;
  std::size_t bytes = end.size();
  while (end.size() == 3 && bytes < 5 && bytes < rest.size() && rest[bytes] == end[0]) ++bytes;
  return bytes;
}

}  // namespace

std::optional<std::size_t> line_of_stray_character(std::string_view toml) {
  std::size_t line = 1;
  std::string_view end;  // of the text or comment that `rest` starts in
  std::string_view rest = toml;
  char previous = '\n';
  unsigned equals = 0;  // since the last line break or comma
  const auto take = [&](std::size_t bytes) {
    for (const char c : rest.substr(0, bytes)) {
      line += c == '\n' ? 1U : 0U;
      previous = c;
      equals = c == '\n' || c == ',' ? 0 : equals + (c == '=' ? 1U : 0U);
    }
    rest.remove_prefix(std::min(bytes, rest.size()));
  };
  if (rest.starts_with(kByteOrderMark)) rest.remove_prefix(kByteOrderMark.size());
  while (!rest.empty()) {
    if (end.empty()) {
      if (is_foreign(rest)) return line;
      end = opened_by(rest, previous, equals);
      take(end.empty() || end == kComment ? 1 : end.size());
    } else if (const std::size_t bytes = closing_bytes(rest, end); bytes != 0) {
      take(bytes);
      end = {};
    } else if (rest.front() == '\\' && end.front() == '"') {
      take(1);
      // The parser looks for the end of the whitespace that it skips.
      const std::size_t space = rest.find_first_not_of(" \t\r\n");
      take(space == 0 ? 0 : space);
      if (is_foreign(rest)) return line;
      if (space == 0) take(1);
    } else {
      if (rest.front() == '\n' && end.size() == 1) end = {};
      take(1);
    }
  }
  return std::nullopt;
}

}  // namespace bw::node
