// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "city/objects.hpp"

namespace bw::city {

struct CheckReport {
  double reopen_s = 0;  // from the files to the first answer
  std::uint64_t pairs = 0;
  std::uint64_t allowed = 0;
  // Where proof search, the model and the oracle do not say the same, at most kNamed in words.
  std::uint64_t disagreements = 0;
  std::vector<std::string> named;
  // Microseconds, sorted, for each proof of an occupant.
  struct Times {
    std::vector<double> build;   // to find it for the first time
    std::vector<double> verify;  // from its bytes: parsed, every signature, and the decision
  };
  std::map<std::size_t, Times> by_links;

  static constexpr std::size_t kNamed = 10;
  // To build, over all lengths; 0 when there are none. `part`: 0.5 for the median.
  [[nodiscard]] double cold(double part) const;
};

// Opens the authority store of a built city, whose ledger is not running, and asks it about random
// pairs of somebody and something at a home: mostly occupants at their own, and strangers, devices,
// utilities and owners. Each answer is held against the model's truth, with its path, and against
// the oracle's.
Result<CheckReport> check(const Model& model, const std::filesystem::path& authority,
                          std::uint64_t pairs);

}  // namespace bw::city
