// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "wave/permissions.hpp"

// San Francisco as a statistical model (paper section 5, Table 1): who lives where, who owns what,
// and every DoT that follows from it. Pure: drawn from a seed and a scale, held as arrays of
// indexes, never as objects.
//
// Namespaces, and the DoTs in them (granter -> grantee, pattern, number that each granter type
// gives):
//   each apartment building   building -> owner        *                      1 a building
//                             owner    -> lease        UNIT/thermostat/*      2 an apartment
//                             owner    -> lease        UNIT/meter/*
//                             lease    -> resident     UNIT/*                 1 a lease
//   each house title          title    -> resident     home/*                 1 a title
//   both, for each home       resident -> housemates   by Access              1 a housemate
//                             resident -> thermostat   UNIT/thermostat/*      2 a home
//                             resident -> utility      UNIT/meter/*
//                             utility  -> meter        UNIT/meter/*           1 a home
//   the city's utility        utility 0 -> district    D/*                    602
//                             district -> resident     D/HOME/*               1 a home
// UNIT is "a17" in a building and "home" in a house; "resident" is the first occupant of a home,
// who signed the lease or holds the title; utility 0 is the root, the others its districts.
namespace bw::city {

enum class Kind : std::uint8_t {
  kOccupant,
  kOwner,
  kBuilding,
  kLease,
  kTitle,
  kThermostat,
  kMeter,
  kUtility,
};
inline constexpr std::size_t kKinds = 8;
std::string_view kind_name(Kind kind);  // as in Table 1

// An entity of the model: the index-th of its kind.
struct Who {
  Kind kind = Kind::kOccupant;
  std::uint32_t index = 0;
  friend auto operator<=>(const Who&, const Who&) = default;
};

// Table 1: entities by kind, and DoTs by the kind of their granter.
struct Counts {
  std::array<std::uint64_t, kKinds> entities{};
  std::array<std::uint64_t, kKinds> dots{};

  [[nodiscard]] std::uint64_t entities_of(Kind kind) const {
    return entities[static_cast<std::size_t>(kind)];
  }
  [[nodiscard]] std::uint64_t dots_of(Kind kind) const {
    return dots[static_cast<std::size_t>(kind)];
  }
  [[nodiscard]] std::uint64_t all_entities() const;
  [[nodiscard]] std::uint64_t all_dots() const;
  friend bool operator==(const Counts&, const Counts&) = default;
};

// A DoT of the model.
struct Grant {
  Who granter;
  Who grantee;
  Who ns;
  wave::Permissions permissions;
  std::uint8_t ttl = 0;
  std::string pattern;
  friend bool operator==(const Grant&, const Grant&) = default;
};

// Who lives in a home, and by whose leave: what changes while a city lives.
struct Tenancy {
  Who owner;                             // of the building; of a house the title
  Who tenure;                            // the lease or title
  std::vector<std::uint32_t> occupants;  // the first is the resident
  std::uint32_t district = 0;            // the utility that serves the home

  [[nodiscard]] Who resident() const { return {Kind::kOccupant, occupants.front()}; }
};

// What somebody may want to do at a home.
enum class Act : std::uint8_t {
  kSetThermostat,     // publish UNIT/thermostat/slot/setpoint
  kReadThermostat,    // consume UNIT/thermostat/signal/info
  kReportThermostat,  // publish the same: what the thermostat itself does
  kReadMeter,         // consume UNIT/meter/signal/reading
  kReportMeter,       // publish the same: what the meter itself does
  kReadBill,          // consume D/HOME/bill, in the utility's namespace
};
inline constexpr std::array kActs{Act::kSetThermostat, Act::kReadThermostat, Act::kReportThermostat,
                                  Act::kReadMeter,     Act::kReportMeter,    Act::kReadBill};
std::string_view act_name(Act act);  // "set the thermostat", ...

// An act as a request: of which namespace, which URI and right.
struct Resource {
  Who ns;
  std::string uri;
  wave::Permissions permissions;
};

class Model {
 public:
  // `scale` 1 gives the very numbers of Table 1. kInvalidArgument unless 0 < scale <= 10.
  static Result<Model> draw(std::uint64_t seed, double scale);

  [[nodiscard]] std::uint64_t seed() const { return seed_; }
  [[nodiscard]] double scale() const { return scale_; }
  [[nodiscard]] const Counts& counts() const { return counts_; }

  // Homes: first the apartments, building by building, then the houses. A home's thermostat and
  // meter have its index; the lease of apartment h has index h, the title of house h the index
  // h - apartments().
  [[nodiscard]] std::uint32_t homes() const { return apartments() + houses(); }
  [[nodiscard]] std::uint32_t apartments() const { return count(Kind::kLease); }
  [[nodiscard]] std::uint32_t houses() const { return count(Kind::kTitle); }
  [[nodiscard]] bool is_apartment(std::uint32_t home) const { return home < apartments(); }
  // Of an apartment.
  [[nodiscard]] std::uint32_t building_of(std::uint32_t home) const;
  [[nodiscard]] std::uint32_t owner_of(std::uint32_t building) const { return owners_[building]; }
  // The utility (1 and up) that serves a home.
  [[nodiscard]] std::uint32_t district_of(std::uint32_t home) const { return districts_[home]; }
  // The lease or title.
  [[nodiscard]] Who tenure_of(std::uint32_t home) const;
  // The building or title in whose namespace the home's devices are.
  [[nodiscard]] Who namespace_of(std::uint32_t home) const;
  // First cell of the URIs of its devices: "a17" or "home".
  [[nodiscard]] std::string unit_of(std::uint32_t home) const;

  // Indexes [first, end) of a building's apartments, of all homes.
  struct Range {
    std::uint32_t first = 0;
    std::uint32_t end = 0;
    [[nodiscard]] std::uint32_t size() const { return end - first; }
  };
  [[nodiscard]] Range apartments_of(std::uint32_t building) const;
  // Occupants of a home; the first is its resident.
  [[nodiscard]] Range occupants_of(std::uint32_t home) const;
  [[nodiscard]] std::uint32_t home_of(std::uint32_t occupant) const;

  // What a resident lets a housemate do.
  enum class Access : std::uint8_t {
    kAll,         // everything in the home
    kThermostat,  // everything about the thermostat, nothing about the meter
    kRead,        // read everything, set nothing
  };
  // Of an occupant who is not the resident.
  [[nodiscard]] Access access_of(std::uint32_t occupant) const;

  // As the city was drawn.
  [[nodiscard]] Tenancy tenancy_of(std::uint32_t home) const;

  // Every DoT, in the order in which they are put: first those of the utility, then building by
  // building, each with its apartments, then the houses.
  [[nodiscard]] std::vector<Grant> utility_grants() const;
  [[nodiscard]] Grant building_grant(std::uint32_t building) const;
  [[nodiscard]] std::vector<Grant> home_grants(std::uint32_t home) const {
    return home_grants(home, tenancy_of(home));
  }
  [[nodiscard]] std::vector<Grant> home_grants(std::uint32_t home, const Tenancy& tenancy) const;

  // The truth. The path is namespace first, `who` last: the entities that a proof goes through.
  [[nodiscard]] Resource resource(std::uint32_t home, Act act) const {
    return resource(home, act, district_of(home));
  }
  [[nodiscard]] Resource resource(std::uint32_t home, Act act, std::uint32_t district) const;
  [[nodiscard]] std::optional<std::vector<Who>> allowed(Who who, std::uint32_t home,
                                                        Act act) const {
    return allowed(who, home, act, tenancy_of(home));
  }
  [[nodiscard]] std::optional<std::vector<Who>> allowed(Who who, std::uint32_t home, Act act,
                                                        const Tenancy& tenancy) const;
  // All that an occupant may do, each at their own home.
  [[nodiscard]] std::vector<Act> acts_of(std::uint32_t occupant) const;

  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  [[nodiscard]] std::uint32_t count(Kind kind) const {
    return static_cast<std::uint32_t>(counts_.entities_of(kind));
  }
  [[nodiscard]] bool occupant_may(std::uint32_t occupant, const Tenancy& tenancy, Act act) const;
  [[nodiscard]] std::vector<Who> path_to_resident(std::uint32_t home, const Tenancy& tenancy) const;

  std::uint64_t seed_ = 0;
  double scale_ = 1;
  Counts counts_;
  std::vector<std::uint32_t> owners_;           // by building
  std::vector<std::uint32_t> first_apartment_;  // by building, and the end
  std::vector<std::uint16_t> districts_;        // by home
  std::vector<std::uint32_t> first_occupant_;   // by home, and the end
};

}  // namespace bw::city
