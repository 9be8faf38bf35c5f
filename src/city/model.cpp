// SPDX-License-Identifier: Apache-2.0
#include "city/model.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"

namespace bw::city {
namespace {

using wave::Permissions;

constexpr double kMostScale = 10;

// Table 1 of the paper, what is drawn freely; the rest follows from it.
constexpr double kOccupants = 951'293;
constexpr double kOwners = 15'787;
constexpr double kBuildings = 40'921;
constexpr double kApartments = 264'781;
constexpr double kHouses = 95'931;
constexpr double kUtilities = 603;

// Links that may follow: owner, lease, resident, utility, meter come after a building.
constexpr std::uint8_t kTtlOfOwner = 4;
constexpr std::uint8_t kTtlOfTenure = 3;
constexpr std::uint8_t kTtlOfResident = 2;
constexpr std::uint8_t kTtlOfMeterService = 1;

// SplitMix64: a value for each (seed, stream, index), so that nothing depends on the order of
// drawing.
enum class Stream : std::uint64_t { kOwner = 1, kApartments, kHousehold, kDistrict, kAccess };

std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31U);
}

std::uint64_t random(std::uint64_t seed, Stream stream, std::uint64_t index) {
  constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15U;
  return mix(mix(seed + kStep * static_cast<std::uint64_t>(stream)) + kStep * (index + 1));
}

// Shares `total` out to `count` holders by weight, each at least 1: the first index of each, and
// the end. Exact, whatever the weights.
template <class Weight>
std::vector<std::uint32_t> shared_out(std::uint64_t total, std::uint32_t count, Weight weight) {
  std::uint64_t all = 0;
  for (std::uint32_t i = 0; i < count; ++i) all += weight(i);
  std::vector<std::uint32_t> first{0};
  first.reserve(count + 1);
  std::uint64_t sum = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    sum += weight(i);
    first.push_back(static_cast<std::uint32_t>(i + 1 + sum * (total - count) / all));
  }
  return first;
}

// Apartments of a building beyond the first: many small buildings, few with hundreds.
std::uint64_t building_weight(std::uint64_t draw) {
  const std::uint64_t rank = 20 + draw % 981;
  return 1'000'000 / (rank * rank);
}

// People of a household beyond the first, in hundredths: 27 % live alone, 33 % in pairs, ...
std::uint64_t household_weight(std::uint64_t draw) {
  const std::uint64_t percent = draw % 100;
  if (percent < 27) return 0;
  if (percent < 60) return 100;
  if (percent < 76) return 200;
  if (percent < 90) return 300;
  return percent < 96 ? 400 : 600;
}

std::uint64_t& at(std::array<std::uint64_t, kKinds>& numbers, Kind kind) {
  return numbers[static_cast<std::size_t>(kind)];
}

Counts counts_at(double scale) {
  const auto scaled = [scale](double number, std::uint64_t least) {
    return std::max(static_cast<std::uint64_t>(std::llround(number * scale)), least);
  };
  Counts out;
  auto& entities = out.entities;
  const std::uint64_t owners = at(entities, Kind::kOwner) = scaled(kOwners, 1);
  const std::uint64_t buildings = at(entities, Kind::kBuilding) = scaled(kBuildings, owners);
  const std::uint64_t leases = at(entities, Kind::kLease) = scaled(kApartments, buildings);
  const std::uint64_t titles = at(entities, Kind::kTitle) = scaled(kHouses, 1);
  const std::uint64_t homes = leases + titles;
  const std::uint64_t occupants = at(entities, Kind::kOccupant) = scaled(kOccupants, homes);
  const std::uint64_t utilities = at(entities, Kind::kUtility) = scaled(kUtilities, 2);
  at(entities, Kind::kThermostat) = at(entities, Kind::kMeter) = homes;

  at(out.dots, Kind::kOccupant) = (occupants - homes) + 2 * homes;
  at(out.dots, Kind::kOwner) = 2 * leases;
  at(out.dots, Kind::kBuilding) = buildings;
  at(out.dots, Kind::kLease) = leases;
  at(out.dots, Kind::kTitle) = titles;
  at(out.dots, Kind::kUtility) = (utilities - 1) + 2 * homes;
  return out;
}

std::uint64_t sum(const std::array<std::uint64_t, kKinds>& numbers) {
  std::uint64_t all = 0;
  for (const std::uint64_t number : numbers) all += number;
  return all;
}

Permissions everything() {
  return Permissions::of(Permissions::kPublish | Permissions::kConsumeStar | Permissions::kList);
}
Permissions reading() {
  return Permissions::of(Permissions::kConsumeStar | Permissions::kList);
}
Permissions reporting() {
  return Permissions::of(Permissions::kPublish);
}

std::string account_of(std::uint32_t home, std::uint32_t district) {
  return fmt::format("d{}/h{}", district, home);
}

bool is_about_thermostat(Act act) {
  return act == Act::kSetThermostat || act == Act::kReadThermostat || act == Act::kReportThermostat;
}

}  // namespace

std::string_view kind_name(Kind kind) {
  constexpr std::array<std::string_view, kKinds> kNames{"Occupant",  "Apt Owner",   "Apt Bldg",
                                                        "Apt Lease", "House Title", "Thermostat",
                                                        "Meter",     "Utility"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string_view act_name(Act act) {
  constexpr std::array<std::string_view, kActs.size()> kNames{
      "set the thermostat", "read the thermostat", "report as the thermostat",
      "read the meter",     "report as the meter", "read the bill"};
  return kNames[static_cast<std::size_t>(act)];
}

std::uint64_t Counts::all_entities() const {
  return sum(entities);
}
std::uint64_t Counts::all_dots() const {
  return sum(dots);
}

Result<Model> Model::draw(std::uint64_t seed, double scale) {
  if (!(scale > 0 && scale <= kMostScale)) {
    return fail(ErrorCode::kInvalidArgument, "scale {}: must be above 0 and at most {}", scale,
                kMostScale);
  }
  Model model;
  model.seed_ = seed;
  model.scale_ = scale;
  model.counts_ = counts_at(scale);
  const auto draw = [seed](Stream stream, std::uint64_t index) {
    return random(seed, stream, index);
  };
  const std::uint32_t owners = model.count(Kind::kOwner);
  const std::uint32_t buildings = model.count(Kind::kBuilding);
  // The first building of each owner, then the rest to few owners more than to many.
  for (std::uint32_t i = 0; i < buildings; ++i) {
    const std::uint64_t one = draw(Stream::kOwner, 2 * std::uint64_t{i}) % owners;
    const std::uint64_t other = draw(Stream::kOwner, 2 * std::uint64_t{i} + 1) % owners;
    model.owners_.push_back(i < owners ? i : static_cast<std::uint32_t>(one * other / owners));
  }
  model.first_apartment_ = shared_out(model.apartments(), buildings, [&](std::uint32_t i) {
    return building_weight(draw(Stream::kApartments, i));
  });
  // With a little for everybody, so that weights of small cities cannot all be nothing.
  model.first_occupant_ = shared_out(
      model.count(Kind::kOccupant), model.homes(),
      [&](std::uint32_t i) { return 1 + household_weight(draw(Stream::kHousehold, i)); });
  const std::uint64_t districts = model.count(Kind::kUtility) - 1;
  for (std::uint32_t home = 0; home < model.homes(); ++home) {
    // A building hangs on one district's network.
    const std::uint64_t place =
        home < model.apartments() ? model.building_of(home) : std::uint64_t{buildings} + home;
    model.districts_.push_back(
        static_cast<std::uint16_t>(1 + draw(Stream::kDistrict, place) % districts));
  }
  return model;
}

std::uint32_t Model::building_of(std::uint32_t home) const {
  const auto after = std::ranges::upper_bound(first_apartment_, home);
  return static_cast<std::uint32_t>(after - first_apartment_.begin()) - 1;
}

Who Model::tenure_of(std::uint32_t home) const {
  return is_apartment(home) ? Who{Kind::kLease, home} : Who{Kind::kTitle, home - apartments()};
}

Who Model::namespace_of(std::uint32_t home) const {
  return is_apartment(home) ? Who{Kind::kBuilding, building_of(home)} : tenure_of(home);
}

std::string Model::unit_of(std::uint32_t home) const {
  if (!is_apartment(home)) return "home";
  return fmt::format("a{}", home - first_apartment_[building_of(home)] + 1);
}

Model::Range Model::apartments_of(std::uint32_t building) const {
  return {first_apartment_[building], first_apartment_[building + 1]};
}

Model::Range Model::occupants_of(std::uint32_t home) const {
  return {first_occupant_[home], first_occupant_[home + 1]};
}

std::uint32_t Model::home_of(std::uint32_t occupant) const {
  const auto after = std::ranges::upper_bound(first_occupant_, occupant);
  return static_cast<std::uint32_t>(after - first_occupant_.begin()) - 1;
}

Model::Access Model::access_of(std::uint32_t occupant) const {
  const std::uint64_t percent = random(seed_, Stream::kAccess, occupant) % 100;
  if (percent < 60) return Access::kAll;
  return percent < 85 ? Access::kThermostat : Access::kRead;
}

std::vector<Grant> Model::utility_grants() const {
  std::vector<Grant> grants;
  const Who root{Kind::kUtility, 0};
  for (std::uint32_t i = 1; i < count(Kind::kUtility); ++i) {
    grants.push_back({root,
                      {Kind::kUtility, i},
                      root,
                      everything(),
                      kTtlOfMeterService,
                      fmt::format("d{}/*", i)});
  }
  return grants;
}

Grant Model::building_grant(std::uint32_t building) const {
  const Who ns{Kind::kBuilding, building};
  return {ns, {Kind::kOwner, owner_of(building)}, ns, everything(), kTtlOfOwner, "*"};
}

Tenancy Model::tenancy_of(std::uint32_t home) const {
  Tenancy out;
  out.tenure = tenure_of(home);
  out.owner = is_apartment(home) ? Who{Kind::kOwner, owner_of(building_of(home))} : out.tenure;
  const Range there = occupants_of(home);
  for (std::uint32_t i = there.first; i < there.end; ++i) out.occupants.push_back(i);
  out.district = district_of(home);
  return out;
}

std::vector<Grant> Model::home_grants(std::uint32_t home, const Tenancy& tenancy) const {
  const Who ns = namespace_of(home);
  const Who tenure = tenancy.tenure;
  const Who resident = tenancy.resident();
  const Who utility{Kind::kUtility, tenancy.district};
  const std::string unit = unit_of(home);
  const std::string thermostat = unit + "/thermostat/*";
  const std::string meter = unit + "/meter/*";

  std::vector<Grant> grants;
  if (is_apartment(home)) {
    grants.push_back({tenancy.owner, tenure, ns, everything(), kTtlOfTenure, thermostat});
    grants.push_back({tenancy.owner, tenure, ns, everything(), kTtlOfTenure, meter});
  }
  grants.push_back({tenure, resident, ns, everything(), kTtlOfResident, unit + "/*"});
  for (const std::uint32_t i : tenancy.occupants) {
    if (i == resident.index) continue;
    const Access access = access_of(i);
    grants.push_back({resident,
                      {Kind::kOccupant, i},
                      ns,
                      access == Access::kRead ? reading() : everything(),
                      0,
                      access == Access::kThermostat ? thermostat : unit + "/*"});
  }
  grants.push_back({resident, {Kind::kThermostat, home}, ns, everything(), 0, thermostat});
  grants.push_back({resident, utility, ns, everything(), kTtlOfMeterService, meter});
  grants.push_back({utility, {Kind::kMeter, home}, ns, reporting(), 0, meter});
  grants.push_back({utility,
                    resident,
                    {Kind::kUtility, 0},
                    reading(),
                    0,
                    account_of(home, utility.index) + "/*"});
  return grants;
}

Resource Model::resource(std::uint32_t home, Act act, std::uint32_t district) const {
  const Permissions publish = Permissions::of(Permissions::kPublish);
  const Permissions consume = Permissions::of(Permissions::kConsume);
  const Who ns = namespace_of(home);
  switch (act) {
    case Act::kSetThermostat:
      return {ns, unit_of(home) + "/thermostat/slot/setpoint", publish};
    case Act::kReadThermostat:
      return {ns, unit_of(home) + "/thermostat/signal/info", consume};
    case Act::kReportThermostat:
      return {ns, unit_of(home) + "/thermostat/signal/info", publish};
    case Act::kReadMeter:
      return {ns, unit_of(home) + "/meter/signal/reading", consume};
    case Act::kReportMeter:
      return {ns, unit_of(home) + "/meter/signal/reading", publish};
    case Act::kReadBill:
      break;
  }
  return {{Kind::kUtility, 0}, account_of(home, district) + "/bill", consume};
}

std::vector<Who> Model::path_to_resident(std::uint32_t home, const Tenancy& tenancy) const {
  std::vector<Who> path{namespace_of(home)};
  if (is_apartment(home)) {
    path.push_back(tenancy.owner);
    path.push_back(tenancy.tenure);
  }
  path.push_back(tenancy.resident());
  return path;
}

// In the home's own namespace.
bool Model::occupant_may(std::uint32_t occupant, const Tenancy& tenancy, Act act) const {
  if (occupant == tenancy.occupants.front()) return true;
  if (std::ranges::find(tenancy.occupants, occupant) == tenancy.occupants.end()) return false;
  switch (access_of(occupant)) {
    case Access::kAll:
      return true;
    case Access::kThermostat:
      return is_about_thermostat(act);
    case Access::kRead:
      break;
  }
  return act == Act::kReadThermostat || act == Act::kReadMeter;
}

std::optional<std::vector<Who>> Model::allowed(Who who, std::uint32_t home, Act act,
                                               const Tenancy& tenancy) const {
  const Who utility{Kind::kUtility, tenancy.district};
  std::vector<Who> path = path_to_resident(home, tenancy);
  const Who resident = path.back();
  if (act == Act::kReadBill) {
    const Who root{Kind::kUtility, 0};
    if (who == root) return std::vector{root};
    if (who == utility) return std::vector{root, utility};
    if (who == resident) return std::vector{root, utility, resident};
    return std::nullopt;
  }
  // The namespace, the owner, the lease, the resident: whoever holds everything on the way.
  if (const auto found = std::ranges::find(path, who); found != path.end()) {
    path.erase(found + 1, path.end());
    return path;
  }
  const bool meter = !is_about_thermostat(act);
  switch (who.kind) {
    case Kind::kOccupant:
      if (!occupant_may(who.index, tenancy, act)) return std::nullopt;
      break;
    case Kind::kThermostat:
      if (who.index != home || meter) return std::nullopt;
      break;
    case Kind::kUtility:
      if (who != utility || !meter) return std::nullopt;
      break;
    case Kind::kMeter:
      if (who.index != home || act != Act::kReportMeter) return std::nullopt;
      path.push_back(utility);
      break;
    default:
      return std::nullopt;
  }
  path.push_back(who);
  return path;
}

std::vector<Act> Model::acts_of(std::uint32_t occupant) const {
  const std::uint32_t home = home_of(occupant);
  std::vector<Act> acts;
  for (const Act act : kActs) {
    if (allowed({Kind::kOccupant, occupant}, home, act)) acts.push_back(act);
  }
  return acts;
}

std::size_t Model::memory_bytes() const {
  return (owners_.capacity() + first_apartment_.capacity() + first_occupant_.capacity()) *
             sizeof(std::uint32_t) +
         districts_.capacity() * sizeof(std::uint16_t);
}

}  // namespace bw::city
