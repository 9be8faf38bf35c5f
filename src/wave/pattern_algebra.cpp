// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <utility>

#include "base/limits.hpp"
#include "wave/pattern.hpp"

namespace bw::wave {
namespace {

constexpr std::string_view kPlus = "+";
constexpr std::string_view kStar = "*";

std::string_view take_front(std::string_view& rest) {
  const std::size_t slash = rest.find('/');
  const std::string_view cell = rest.substr(0, slash);
  rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  return cell;
}

std::string_view take_back(std::string_view& rest) {
  const std::size_t slash = rest.rfind('/');
  if (slash == std::string_view::npos) return std::exchange(rest, {});
  const std::string_view cell = rest.substr(slash + 1);
  rest = rest.substr(0, slash);
  return cell;
}

// Compares the cells of `wide` up to its * (or all) with those of `narrow`, from one end. Where
// `narrow` has reached its own *, anything can stand, which only + covers.
template <std::string_view (*take)(std::string_view&)>
bool end_covers(std::string_view wide, std::string_view narrow) {
  std::string_view other;
  while (!wide.empty()) {
    const std::string_view cell = take(wide);
    if (cell == kStar) return true;
    if (other != kStar) other = take(narrow);
    if (cell != kPlus && cell != other) return false;
  }
  return true;
}

std::size_t fixed_cells(const Pattern& pattern) {
  return pattern.cell_count() - (pattern.has_star() ? 1 : 0);
}

// A pattern as its cells before and after the *. Without a * everything is prefix. Refers to the
// pattern's text.
struct Ends {
  std::vector<std::string_view> cells;
  std::size_t prefix = 0;
  std::size_t suffix = 0;

  explicit Ends(const Pattern& pattern) : cells(pattern.cells()) {
    const auto star = std::find(cells.begin(), cells.end(), kStar);
    prefix = static_cast<std::size_t>(star - cells.begin());
    if (star != cells.end()) suffix = cells.size() - prefix - 1;
  }

  [[nodiscard]] bool fits(std::size_t length) const {
    return prefix == cells.size() ? length == prefix : length >= prefix + suffix;
  }

  // What the pattern asks of cell `i` of a URI of `length` cells, given fits(length).
  [[nodiscard]] std::string_view at(std::size_t i, std::size_t length) const {
    if (i < prefix) return cells[i];
    const std::size_t from_right = length - i;
    return from_right <= suffix ? cells[cells.size() - from_right] : kPlus;
  }
};

using Cells = std::vector<std::string_view>;

// What both ask of a URI of `length` cells, or nothing when two literals clash.
std::optional<Cells> meet(const Ends& a, const Ends& b, std::size_t length) {
  Cells cells;
  cells.reserve(length + 1);
  for (std::size_t i = 0; i < length; ++i) {
    const std::string_view x = a.at(i, length);
    const std::string_view y = b.at(i, length);
    if (x != y && x != kPlus && y != kPlus) return std::nullopt;
    cells.push_back(x == kPlus ? y : x);
  }
  return cells;
}

// False when the cells are not a pattern: two ! cells, too many cells or bytes. Nothing is lost by
// dropping those: the shortest URI of a pattern without * has as many cells and bytes as the
// pattern itself, so no valid URI matches.
bool add(const Cells& cells, std::vector<Pattern>& patterns) {
  auto pattern = Pattern::parse(fmt::format("{}", fmt::join(cells, "/")));
  if (!pattern) return false;
  patterns.push_back(*std::move(pattern));
  return true;
}

// Both have a *. A URI long enough for both longer ends side by side matches the merged ends with a
// * between them; on a shorter one a prefix and a suffix overlap, so each such length is a case of
// its own.
void intersect_starred(const Ends& a, const Ends& b, std::vector<Pattern>& patterns) {
  const std::size_t prefix = std::max(a.prefix, b.prefix);
  const std::size_t apart = prefix + std::max(a.suffix, b.suffix);
  const std::size_t shortest = std::max(a.prefix + a.suffix, b.prefix + b.suffix);
  for (std::size_t n = shortest; n < std::min(apart, limits::kUriCells + 1); ++n) {
    if (const auto cells = meet(a, b, n)) add(*cells, patterns);
  }
  if (apart > limits::kUriCells) return;
  const auto fixed = meet(a, b, apart);
  if (!fixed) return;
  Cells starred = *fixed;
  starred.insert(starred.begin() + static_cast<std::ptrdiff_t>(prefix), kStar);
  // At the limit there is no room for the *, and so for no cell in its place either.
  if (!add(starred, patterns)) add(*fixed, patterns);
}

}  // namespace

bool covers(const Pattern& wide, const Pattern& narrow) {
  if (wide.is_concrete()) return wide == narrow;
  if (!wide.has_star()) {
    return !narrow.has_star() && wide.cell_count() == narrow.cell_count() &&
           end_covers<take_front>(wide.text(), narrow.text());
  }
  // A URI has at least one cell, so that "+/*" covers "*".
  return std::max<std::size_t>(fixed_cells(narrow), 1) >= fixed_cells(wide) &&
         end_covers<take_front>(wide.text(), narrow.text()) &&
         end_covers<take_back>(wide.text(), narrow.text());
}

bool matches(const Pattern& pattern, const Pattern& uri) {
  return uri.is_concrete() && covers(pattern, uri);
}

std::vector<Pattern> intersect(const Pattern& a, const Pattern& b) {
  const bool a_covers_b = covers(a, b);
  const bool b_covers_a = covers(b, a);
  if (a_covers_b && b_covers_a) return {std::min(a, b)};
  if (a_covers_b) return {b};
  if (b_covers_a) return {a};

  std::vector<Pattern> patterns;
  const Ends ends_a(a);
  const Ends ends_b(b);
  if (a.has_star() && b.has_star()) {
    intersect_starred(ends_a, ends_b, patterns);
    std::sort(patterns.begin(), patterns.end());
    return patterns;
  }
  const std::size_t length = a.has_star() ? b.cell_count() : a.cell_count();
  if (!ends_a.fits(length) || !ends_b.fits(length)) return patterns;
  if (const auto cells = meet(ends_a, ends_b, length)) add(*cells, patterns);
  return patterns;
}

}  // namespace bw::wave
