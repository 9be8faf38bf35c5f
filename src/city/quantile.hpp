// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

namespace bw::city {

// The smallest value that `part` (0.5: the median) of the sorted values do not exceed; 0 of none.
inline double quantile(const std::vector<double>& sorted, double part) {
  if (sorted.empty()) return 0;
  const double place = std::ceil(part * static_cast<double>(sorted.size()));
  return sorted[static_cast<std::size_t>(std::max(place, 1.0)) - 1];
}

}  // namespace bw::city
