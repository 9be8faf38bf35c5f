// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "city/objects.hpp"

namespace bw::city {

// The order in which a city's objects are put, and each of them signed by its own entity: first the
// utilities, then the owners, then building by building, each with all of its apartments, then the
// houses. A granter always comes before its grants. The same model gives the same bytes.
//
// Pure; make() may be called from many threads. Keeps the key pairs of owners and utilities, which
// grant in many places.
class Plan {
 public:
  // `model` must outlive the plan.
  explicit Plan(const Model& model);

  // What one thread signs at once: some hundred objects, or one large building.
  struct Job {
    std::uint32_t first_plot = 0;
    std::uint32_t end_plot = 0;
    std::uint64_t first_object = 0;  // its number in the order of all
    std::uint64_t end_object = 0;
  };
  [[nodiscard]] const std::vector<Job>& jobs() const { return jobs_; }
  [[nodiscard]] std::uint64_t objects() const { return jobs_.back().end_object; }
  [[nodiscard]] std::vector<Bytes> make(const Job& job) const;

 private:
  class Maker;
  // A plot: all utilities, a block of owners, a building, or a house.
  [[nodiscard]] std::uint64_t objects_of(std::uint32_t plot) const;
  [[nodiscard]] std::uint32_t number(Kind kind) const {
    return static_cast<std::uint32_t>(model_.counts().entities_of(kind));
  }

  const Model& model_;
  std::uint32_t owner_plots_;
  std::vector<crypto::SigningKey> owners_;
  std::vector<crypto::SigningKey> utilities_;
  std::vector<Job> jobs_;
};

}  // namespace bw::city
