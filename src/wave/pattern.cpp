// SPDX-License-Identifier: Apache-2.0
#include "wave/pattern.hpp"

#include <algorithm>
#include <array>

#include "base/limits.hpp"
#include "base/text.hpp"

namespace bw::wave {
namespace {

constexpr std::array<bool, 256> cell_characters() {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789-_,().$")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}
constexpr auto kCellCharacter = cell_characters();

// Where the cell that starts at `begin` ends as far as its own characters go. The caller sees from
// what stands there whether that is a cell.
std::size_t scan_cell(std::string_view text, std::size_t begin) {
  std::size_t at = begin;
  while (at < text.size() && kCellCharacter[static_cast<unsigned char>(text[at])]) ++at;
  return at;
}

auto malformed(std::string_view text, std::size_t at, std::string_view what) {
  return fail(ErrorCode::kMalformed, "pattern: \"{}\" {} at byte {}", printable(text), what, at);
}

}  // namespace

Result<Pattern> Pattern::parse(std::string_view text) {
  if (text.size() > limits::kUriBytes) {
    return fail(ErrorCode::kTooLarge, "pattern: {} bytes; at most {} are allowed", text.size(),
                limits::kUriBytes);
  }
  Pattern pattern;
  bool has_bang = false;
  std::size_t at = 0;
  while (true) {
    const char first = at < text.size() ? text[at] : '/';
    if (first == '+') {
      pattern.has_plus_ = true;
      ++at;
    } else if (first == '*') {
      if (pattern.has_star_) return malformed(text, at, "has a second *");
      pattern.has_star_ = true;
      ++at;
    } else {
      if (first == '!') {
        if (has_bang) return malformed(text, at, "has a second cell with !");
        has_bang = true;
        ++at;
      }
      const std::size_t end = scan_cell(text, at);
      if (end == at && (end == text.size() || text[end] == '/')) {
        return malformed(text, at, "has an empty cell");
      }
      at = end;
    }
    if (++pattern.cell_count_ > limits::kUriCells) {
      return fail(ErrorCode::kTooLarge, "pattern: \"{}\" has more than {} cells", printable(text),
                  limits::kUriCells);
    }
    if (at == text.size()) break;
    if (text[at] != '/') {
      return malformed(
          text, at,
          "has a character that is not allowed there (a cell is +, * or made of letters, "
          "digits and - _ , ( ) . $, with ! only in front)");
    }
    ++at;
  }
  pattern.text_ = text;
  return pattern;
}

std::vector<std::string_view> Pattern::cells() const {
  std::vector<std::string_view> cells;
  cells.reserve(cell_count_);
  std::string_view rest = text_;
  while (cells.size() < cell_count_) {
    const std::string_view cell = rest.substr(0, rest.find('/'));
    cells.push_back(cell);
    rest.remove_prefix(std::min(cell.size() + 1, rest.size()));
  }
  return cells;
}

std::string_view Pattern::literal_prefix() const {
  if (is_concrete()) return text_;
  const std::size_t wildcard = text_.find_first_of("+*");
  return std::string_view(text_).substr(0, wildcard == 0 ? 0 : wildcard - 1);
}

}  // namespace bw::wave
