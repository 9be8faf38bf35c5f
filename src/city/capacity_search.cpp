// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>

#include "city/capacity.hpp"
#include "city/quantile.hpp"

namespace bw::city {
namespace {

constexpr std::size_t kParts = 4;
constexpr std::size_t kMostDoublings = 16;

double median_delay(std::span<const Delay> part) {
  std::vector<double> seconds;
  for (const Delay& delay : part) seconds.push_back(delay.seconds);
  std::ranges::sort(seconds);
  return quantile(seconds, 0.5);
}

}  // namespace

bool queue_grows(std::span<const Delay> in_order) {
  if (in_order.size() < 2 * kParts) return false;
  std::array<double, kParts> medians{};
  for (std::size_t i = 0; i < kParts; ++i) {
    const std::size_t first = i * in_order.size() / kParts;
    const std::size_t end = (i + 1) * in_order.size() / kParts;
    medians[i] = median_delay(in_order.subspan(first, end - first));
  }
  const double passed = in_order.back().due_s - in_order.front().due_s;
  const double between = passed * static_cast<double>(kParts - 1) / static_cast<double>(kParts);
  return std::ranges::is_sorted(medians) && medians.back() - medians.front() > kGrowth * between;
}

Result<CapacityReport> search_capacity(double first, std::size_t refinements,
                                       const TakeStep& step) {
  CapacityReport report;
  double highest = 0;
  const auto holds = [&](double offered) -> Result<bool> {
    for (int attempt = 0; attempt < 2; ++attempt) {
      BW_TRY(const CapacityStep taken, step(offered));
      report.steps.push_back(taken);
      if (!taken.grew) {
        highest = std::max(highest, offered);
        report.sustained = std::max(report.sustained, std::min(offered, taken.done));
        return true;
      }
    }
    return false;
  };
  double too_much = 0;
  for (std::size_t i = 0; i < kMostDoublings && too_much == 0; ++i) {
    const double offered = first * std::exp2(static_cast<double>(i));
    BW_TRY(const bool held, holds(offered));
    if (!held) too_much = offered;
  }
  if (highest == 0) {
    return fail(ErrorCode::kUnavailable,
                "the ledger does not keep up with {:.0f} permission changes an hour; begin lower, "
                "with --first",
                first);
  }
  for (std::size_t i = 0; i < refinements && too_much != 0; ++i) {
    const double offered = std::sqrt(highest * too_much);
    BW_TRY(const bool held, holds(offered));
    if (!held) too_much = offered;
  }
  return report;
}

}  // namespace bw::city
