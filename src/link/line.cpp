// SPDX-License-Identifier: Apache-2.0
#include "link/line.hpp"

#include <algorithm>

namespace bw::link {

std::optional<Line::Instant> Line::pass(Instant now, std::size_t bytes) {
  if (chance() < quality_.loss) return std::nullopt;
  const Instant begins = std::max(free_, now);
  if (begins - now > quality_.queue) return std::nullopt;
  const double seconds = static_cast<double>(bytes) * 8 / quality_.bits_per_s;
  free_ = begins + std::chrono::round<Instant>(std::chrono::duration<double>(seconds));
  const auto wandering = std::chrono::duration<double, std::nano>(Instant(quality_.jitter));
  const Instant out = free_ + quality_.delay + std::chrono::floor<Instant>(wandering * chance());
  last_ = std::max(last_, out);
  return last_;
}

}  // namespace bw::link
