// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "city/churn.hpp"
#include "city/participants/agents.hpp"
#include "city/participants/traffic.hpp"
#include "city/site.hpp"

namespace bw::city {

// The homes of the participants. The devices of the k-th home are at participant 2k, its resident
// is at 2k + 1.
class Neighbourhood {
 public:
  // Apartments that are neighbours and houses, as many of each as the city has of a hundred.
  // Precondition: not more homes than the city has.
  Neighbourhood(const Model& model, std::size_t homes, std::uint64_t lot);

  [[nodiscard]] const std::vector<std::uint32_t>& homes() const { return homes_; }

  // What goes on there: each meter reports to its resident, each resident sets the thermostat; two
  // feeds a home, in their order. Has all namespaces carried and all keys at their agents.
  Result<std::vector<Traffic::Feed>> feeds(const Churn& churn, Site& site, Agents& agents) const;

 private:
  std::uint64_t seed_;
  std::vector<std::uint32_t> homes_;
};

}  // namespace bw::city
