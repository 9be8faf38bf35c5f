// SPDX-License-Identifier: Apache-2.0
#include "city/participants/neighbourhood.hpp"

#include <algorithm>

namespace bw::city {

Neighbourhood::Neighbourhood(const Model& model, std::size_t homes, std::uint64_t lot)
    : seed_(model.seed()) {
  const std::uint64_t all = model.homes();
  const std::uint64_t houses = std::min<std::uint64_t>(
      model.houses(), std::max(homes * model.houses() / all,
                               homes - std::min<std::uint64_t>(homes, model.apartments())));
  const std::uint64_t apartments = homes - houses;
  for (std::uint64_t i = 0; i < apartments; ++i) {
    homes_.push_back(
        static_cast<std::uint32_t>((lot % model.apartments() + i) % model.apartments()));
  }
  for (std::uint64_t i = 0; i < houses; ++i) {
    homes_.push_back(static_cast<std::uint32_t>(model.apartments() +
                                                (lot % model.houses() + i) % model.houses()));
  }
}

Result<std::vector<Traffic::Feed>> Neighbourhood::feeds(const Churn& churn, Site& site,
                                                        Agents& agents) const {
  for (const std::uint32_t home : homes_) {
    BW_CHECK(site.serve(churn.resource(home, Act::kReadMeter).ns));
  }
  BW_TRY(const auto status, site.application().calls().ledger_status());
  std::vector<Traffic::Feed> out;
  for (std::size_t i = 0; i < homes_.size(); ++i) {
    const std::uint32_t home = homes_[i];
    Application& devices = agents.application(2 * i);
    Application& person = agents.application(2 * i + 1);
    BW_CHECK(devices.await_ledger(status.size()));
    BW_CHECK(person.await_ledger(status.size()));
    BW_TRY(const std::string meter, devices.hold({Kind::kMeter, home}));
    BW_TRY(const std::string thermostat, devices.hold({Kind::kThermostat, home}));
    BW_TRY(const std::string resident, person.hold(churn.tenancy(home).resident()));
    const auto uri = [&](Act act) {
      const Resource resource = churn.resource(home, act);
      return key_of(seed_, resource.ns).public_key().text() + "/" + resource.uri;
    };
    out.push_back({2 * i, 2 * i + 1, &devices, &person, meter, resident, uri(Act::kReadMeter)});
    out.push_back(
        {2 * i + 1, 2 * i, &person, &devices, resident, thermostat, uri(Act::kSetThermostat)});
  }
  return out;
}

}  // namespace bw::city
