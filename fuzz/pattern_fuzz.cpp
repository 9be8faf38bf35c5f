// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/limits.hpp"
#include "wave/pattern.hpp"

using namespace bw;
using wave::covers;
using wave::Pattern;

namespace {

void check_meet(const Pattern& a, const Pattern& b) {
  const std::vector<Pattern> meet = wave::intersect(a, b);
  BW_ASSERT(meet.size() <= limits::kUriCells);
  BW_ASSERT(std::ranges::is_sorted(meet));
  BW_ASSERT(meet.empty() == wave::intersect(b, a).empty());
  for (const Pattern& part : meet) {
    BW_ASSERT(Pattern::parse(part.text()).has_value());
    BW_ASSERT(covers(a, part) && covers(b, part));
    BW_ASSERT(std::ranges::count_if(meet, [&](const Pattern& p) { return covers(p, part); }) == 1);
  }
  if (covers(a, b)) {
    BW_ASSERT(std::ranges::any_of(meet, [&](const Pattern& part) { return covers(part, b); }));
  }
}

}  // namespace

// Two patterns, one to a line.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text({data, size});
  const std::size_t newline = text.find('\n');
  const auto a = Pattern::parse(text.substr(0, newline));
  if (!a) return 0;
  BW_ASSERT(a->text() == text.substr(0, newline) && a->cells().size() == a->cell_count());
  BW_ASSERT(covers(*a, *a));
  if (newline == std::string_view::npos) return 0;
  const auto b = Pattern::parse(text.substr(newline + 1));
  if (!b) return 0;
  if (b->is_concrete()) BW_ASSERT(wave::matches(*a, *b) == covers(*a, *b));
  check_meet(*a, *b);
  check_meet(*b, *a);
  return 0;
}
