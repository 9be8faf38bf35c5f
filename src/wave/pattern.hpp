// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

// URIs within a namespace and patterns over them: the one definition that authorisation,
// subscription, query and list share.
//
//   uri     = cell { "/" cell }           1..32 cells, 1..512 bytes
//   pattern = a uri whose cells may also be "+" (exactly one cell) or, once, "*" (zero or more)
//   cell    = ["!"] 1*( A-Z a-z 0-9 - _ , ( ) . $ )      "!" in at most one cell of a uri
namespace bw::wave {

// A well-formed pattern, kept as its text. A concrete URI is a pattern without wildcards. Different
// texts can mean the same URIs ("a/+/*" and "a/*/+"); == compares texts.
class Pattern {
 public:
  // kTooLarge above limits::kUriBytes or limits::kUriCells, else kMalformed.
  static Result<Pattern> parse(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::size_t cell_count() const { return cell_count_; }
  [[nodiscard]] bool has_plus() const { return has_plus_; }
  [[nodiscard]] bool has_star() const { return has_star_; }
  [[nodiscard]] bool is_concrete() const { return !has_plus_ && !has_star_; }
  [[nodiscard]] std::vector<std::string_view> cells() const;
  // The cells before the first wildcard, joined: "a/b" of "a/b/+/c"; empty when it starts with one.
  [[nodiscard]] std::string_view literal_prefix() const;

  friend auto operator<=>(const Pattern& a, const Pattern& b) { return a.text_ <=> b.text_; }
  friend bool operator==(const Pattern& a, const Pattern& b) { return a.text_ == b.text_; }

 private:
  std::string text_;
  std::uint16_t cell_count_ = 0;
  bool has_plus_ = false;
  bool has_star_ = false;
};

// True when `uri` is concrete and in the language of `pattern`. Does not allocate.
[[nodiscard]] bool matches(const Pattern& pattern, const Pattern& uri);

// True when every URI that matches `narrow` also matches `wide`. Exact as if URIs could be of any
// length. The limits only take URIs away, so true is always right, and false is too strict only
// where the URIs that would tell the two apart are all above kUriCells or kUriBytes. Does not
// allocate.
[[nodiscard]] bool covers(const Pattern& wide, const Pattern& narrow);

// Patterns whose union is exactly the URIs that match both; empty when there are none. At most
// kUriCells of them, none covered by another, in ascending order of text. More than one only when
// both have a `*` and their fixed ends can overlap: "a/*" and "*/a" meet in "a" and "a/*/a".
[[nodiscard]] std::vector<Pattern> intersect(const Pattern& a, const Pattern& b);

}  // namespace bw::wave
