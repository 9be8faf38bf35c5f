// SPDX-License-Identifier: Apache-2.0
#include "link/access.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <random>

namespace bw::link {
namespace {

// Speeds and round trips:
//   fibre      Verizon, AT&T: Ookla, 4th quarter of 2022 (183/105, 187/143); 9 ms: Ookla on Verizon
//   cable      Comcast: Ookla, 4th quarter of 2022 (226/20); 14 ms: all fixed access of the US,
//   same vdsl       50/10, first hop 24 ms without vectoring: lines of Deutsche Telekom, 2023 dsl
//   WebPageTest's profile of DSL (1.5/0.384); 49 ms: FCC, Measuring Broadband America
//              of 2013, mean of DSL (fibre 24, cable 32)
//   5g         US mobile median: Ookla, 4th quarter of 2022 (79/9.3, 31 ms)
//   lte        WebPageTest's profile of LTE (12/12, 70 ms); OpenSignal, US, 2016: 16 Mbit/s, 62 ms
//   3g         WebPageTest's profile of 3G (1.6/0.768, 300 ms)
//   leo        Starlink: Ookla, 3rd quarter of 2021 (87/13.5, 44 ms); its span of 20 ms from the
//              25th to the 75th percentile: Michel et al., IMC 2022
//   satellite  Viasat: Ookla, 3rd quarter of 2021 (18.8/3.0), geostationary: fifteen times
//   Starlink's
//              round trip
// Loss: the bands in which Measuring Broadband America counts consumers (below 0.4 %, to 1 %,
// above). Jitter besides Starlink's, and the weights, are ours: a tenth to a third of the round
// trip, and most participants in the middle, each kind there among a hundred.
constexpr std::array<AccessKind, 9> kKinds{{
    {"fibre", 185, 120, 9, 1, 0.02, 22},
    {"cable", 226, 20, 14, 4, 0.1, 34},
    {"vdsl", 50, 10, 24, 4, 0.1, 9},
    {"dsl", 1.5, 0.384, 49, 8, 0.4, 6},
    {"5g", 79, 9.3, 31, 10, 0.2, 11},
    {"lte", 12, 12, 70, 20, 0.4, 10},
    {"3g", 1.6, 0.768, 300, 60, 1, 3},
    {"leo", 87, 13.5, 44, 10, 0.5, 3},
    {"satellite", 18.8, 3, 660, 40, 1, 2},
}};

Quality direction(const AccessKind& kind, double mbit_s) {
  const auto ms = [](double value) {
    return std::chrono::round<Duration>(std::chrono::duration<double, std::milli>(value));
  };
  // On the way between, the mean is half of the round trip.
  return {.bits_per_s = mbit_s * 1e6,
          .delay = ms((kind.rtt_ms - kind.jitter_ms) / 2),
          .jitter = ms(kind.jitter_ms),
          .loss = kind.loss_percent / 100};
}

}  // namespace

std::span<const AccessKind> access_kinds() {
  return kKinds;
}

Access access_of(const AccessKind& kind) {
  return {.name = kind.name,
          .up = direction(kind, kind.up_mbit_s),
          .down = direction(kind, kind.down_mbit_s)};
}

std::vector<Access> draw_accesses(std::size_t count, std::uint64_t seed) {
  std::vector<Access> hundred;
  for (const AccessKind& kind : kKinds) {
    hundred.insert(hundred.end(), kind.weight, access_of(kind));
  }
  std::mt19937_64 random(seed);
  const auto shuffle = [&random](auto& those) {
    for (std::size_t i = those.size(); i > 1; --i) std::swap(those[i - 1], those[random() % i]);
  };
  std::vector<Access> out;
  while (out.size() < count) {
    shuffle(hundred);
    out.insert(out.end(), hundred.begin(), hundred.end());
  }
  out.resize(count);
  return out;
}

}  // namespace bw::link
