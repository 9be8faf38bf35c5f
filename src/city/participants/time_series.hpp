// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "city/participants/summary.hpp"

namespace bw::city {

// What was measured of participants, as rows of an SQLite file (tables:
// city/participants/watch_report.hpp). For one thread.
class TimeSeries {
 public:
  // Replaces what an earlier run left there.
  static Result<std::unique_ptr<TimeSeries>> create(const std::filesystem::path& file);
  ~TimeSeries();

  Result<void> participant(std::size_t id, std::string_view role, std::uint32_t home,
                           const link::Access& access);
  struct Sample {
    double s = 0;
    int phase = 0;
    std::size_t participant = 0;
    AgentUse use;
  };
  Result<void> sample(const Sample& sample);
  Result<void> message(double s, int phase, std::size_t sender, std::size_t receiver,
                       double latency_us);
  // What came since the last time is on disk when it returns, as one.
  Result<void> commit();

 private:
  struct Impl;
  explicit TimeSeries(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bw::city
