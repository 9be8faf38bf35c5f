// SPDX-License-Identifier: Apache-2.0
#include "wave/pattern.hpp"

#include <algorithm>
#include <array>
#include <utility>

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

// One past the longest thing like a cell that starts at `begin`; empty and "!" are among those.
std::size_t cell_end(std::string_view text, std::size_t begin) {
  std::size_t at = begin;
  if (at < text.size() && (text[at] == '+' || text[at] == '*')) return at + 1;
  if (at < text.size() && text[at] == '!') ++at;
  while (at < text.size() && kCellCharacter[static_cast<unsigned char>(text[at])]) ++at;
  return at;
}

constexpr std::string_view kForeign =
    "has a character that is not allowed there (a cell is + or * or made of letters, digits and "
    "- _ , ( ) . $, and may start with !)";

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
  for (std::size_t begin = 0, end = 0;; begin = end + 1) {
    end = cell_end(text, begin);
    const std::string_view cell = text.substr(begin, end - begin);
    if (end < text.size() && text[end] != '/') return malformed(text, end, kForeign);
    if (cell.empty() || cell == "!") return malformed(text, begin, "has an empty cell");
    if (cell == "+") pattern.has_plus_ = true;
    if (cell == "*" && std::exchange(pattern.has_star_, true)) {
      return malformed(text, begin, "has a second *");
    }
    if (cell.front() == '!' && std::exchange(has_bang, true)) {
      return malformed(text, begin, "has a second cell with !");
    }
    if (++pattern.cell_count_ > limits::kUriCells) {
      return fail(ErrorCode::kTooLarge, "pattern: \"{}\" has more than {} cells", printable(text),
                  limits::kUriCells);
    }
    if (end == text.size()) break;
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
