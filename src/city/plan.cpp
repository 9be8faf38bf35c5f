// SPDX-License-Identifier: Apache-2.0
#include "city/plan.hpp"

#include <algorithm>
#include <map>

#include "base/check.hpp"

namespace bw::city {
namespace {

constexpr std::uint32_t kOwnersInPlot = 1024;
constexpr std::uint64_t kObjectsInJob = 1024;

}  // namespace

// Makes the objects of one job. Key pairs of those who appear in one plot only live as long as it.
class Plan::Maker {
 public:
  Maker(const Plan& plan, std::size_t objects) : plan_(plan), model_(plan.model_) {
    out_.reserve(objects);
  }

  void add(std::uint32_t plot) {
    local_.clear();
    if (plot == 0) return add_utilities();
    plot -= 1;
    if (plot < plan_.owner_plots_) return add_owners(plot);
    plot -= plan_.owner_plots_;
    if (plot < plan_.number(Kind::kBuilding)) return add_building(plot);
    add_home(model_.apartments() + plot - plan_.number(Kind::kBuilding));
  }
  std::vector<Bytes> take() { return std::move(out_); }

 private:
  void add_utilities() {
    for (const crypto::SigningKey& key : plan_.utilities_) put_entity(key);
    for (const Grant& grant : model_.utility_grants()) put(grant);
  }
  void add_owners(std::uint32_t block) {
    const std::size_t end =
        std::min<std::size_t>(plan_.owners_.size(), (block + 1) * kOwnersInPlot);
    for (std::size_t i = block * kOwnersInPlot; i < end; ++i) put_entity(plan_.owners_[i]);
  }
  void add_building(std::uint32_t building) {
    put_entity(key({Kind::kBuilding, building}));
    put(model_.building_grant(building));
    const Model::Range homes = model_.apartments_of(building);
    for (std::uint32_t home = homes.first; home < homes.end; ++home) add_home(home);
  }
  void add_home(std::uint32_t home) {
    put_entity(key(model_.tenure_of(home)));
    put_entity(key({Kind::kThermostat, home}));
    put_entity(key({Kind::kMeter, home}));
    const Model::Range occupants = model_.occupants_of(home);
    for (std::uint32_t i = occupants.first; i < occupants.end; ++i) {
      put_entity(key({Kind::kOccupant, i}));
    }
    for (const Grant& grant : model_.home_grants(home)) put(grant);
  }

  void put_entity(const crypto::SigningKey& key) { out_.push_back(entity_object(key).bytes); }
  void put(const Grant& grant) {
    out_.push_back(dot_object(grant, key(grant.granter), key(grant.grantee).public_key(),
                              key(grant.ns).public_key())
                       .bytes);
  }

  const crypto::SigningKey& key(Who who) {
    if (who.kind == Kind::kOwner) return plan_.owners_[who.index];
    if (who.kind == Kind::kUtility) return plan_.utilities_[who.index];
    if (const auto found = local_.find(who); found != local_.end()) return found->second;
    return local_.emplace(who, key_of(model_.seed(), who)).first->second;
  }

  const Plan& plan_;
  const Model& model_;
  std::map<Who, crypto::SigningKey> local_;
  std::vector<Bytes> out_;
};

Plan::Plan(const Model& model)
    : model_(model), owner_plots_((number(Kind::kOwner) + kOwnersInPlot - 1) / kOwnersInPlot) {
  for (std::uint32_t i = 0; i < number(Kind::kOwner); ++i) {
    owners_.push_back(key_of(model.seed(), {Kind::kOwner, i}));
  }
  for (std::uint32_t i = 0; i < number(Kind::kUtility); ++i) {
    utilities_.push_back(key_of(model.seed(), {Kind::kUtility, i}));
  }
  const std::uint32_t plots = 1 + owner_plots_ + number(Kind::kBuilding) + model.houses();
  Job job;
  for (std::uint32_t plot = 0; plot < plots; ++plot) {
    job.end_plot = plot + 1;
    job.end_object += objects_of(plot);
    if (job.end_object - job.first_object < kObjectsInJob && plot + 1 < plots) continue;
    jobs_.push_back(job);
    job.first_plot = job.end_plot;
    job.first_object = job.end_object;
  }
}

std::uint64_t Plan::objects_of(std::uint32_t plot) const {
  // Entities, and DoTs: see the table in city/model.hpp.
  const auto home = [this](std::uint32_t index) {
    const std::uint64_t occupants = model_.occupants_of(index).size();
    const std::uint64_t of_tenure = model_.is_apartment(index) ? 3 : 1;
    return (3 + occupants) + (of_tenure + (occupants - 1) + 2 + 2);
  };
  if (plot == 0) return 2 * std::uint64_t{number(Kind::kUtility)} - 1;
  plot -= 1;
  if (plot < owner_plots_) {
    return std::min(kOwnersInPlot, number(Kind::kOwner) - plot * kOwnersInPlot);
  }
  plot -= owner_plots_;
  if (plot >= number(Kind::kBuilding)) {
    return home(model_.apartments() + plot - number(Kind::kBuilding));
  }
  std::uint64_t objects = 2;
  const Model::Range homes = model_.apartments_of(plot);
  for (std::uint32_t i = homes.first; i < homes.end; ++i) objects += home(i);
  return objects;
}

std::vector<Bytes> Plan::make(const Job& job) const {
  const std::uint64_t expected = job.end_object - job.first_object;
  Maker maker(*this, expected);
  for (std::uint32_t plot = job.first_plot; plot < job.end_plot; ++plot) maker.add(plot);
  std::vector<Bytes> objects = maker.take();
  BW_ASSERT(objects.size() == expected);
  return objects;
}

}  // namespace bw::city
