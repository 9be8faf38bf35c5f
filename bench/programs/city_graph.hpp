// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/authority_store.hpp"
#include "wave/authorize.hpp"

namespace bw::bench {

// How large a city is. `granted` is what each hub gave: the utility on one pattern per meter, the
// town hall on the same pattern to everybody.
struct CityShape {
  std::uint32_t districts;
  std::uint32_t buildings;  // in each district
  std::uint32_t floors;     // in each building
  std::uint32_t rooms;      // on each floor
  std::uint32_t keepers;    // people with a grant on a room, per room
  std::uint32_t granted;    // by each of the two hubs
  std::uint32_t people;     // registered
  std::uint32_t errands;    // rooms that the prover and her twin have a grant on, each
  std::uint32_t spam;       // DoTs aimed at the prover
  std::uint32_t spammers;   // keys that they come from

  [[nodiscard]] std::uint32_t all_buildings() const { return districts * buildings; }
  [[nodiscard]] std::uint32_t all_floors() const { return all_buildings() * floors; }
  [[nodiscard]] std::uint32_t all_rooms() const { return all_floors() * rooms; }
  [[nodiscard]] std::uint64_t dots() const;
};
CityShape small_city();  // 100,000 DoTs before the spam
CityShape large_city();  // 3,000,000 DoTs

// A permission graph in one namespace, every entity and DoT of it signed: city -> district ->
// building -> floor -> room -> person, five links each with ttl for the rest; two hubs under the
// city; a prover and her twin with the same grants; spammers who gave the prover what looks
// relevant to every request. The same shape gives the same keys and grants.
class CityGraph {
 public:
  enum class Who : std::uint8_t {
    kCity,
    kDistrict,
    kBuilding,
    kFloor,
    kRoom,
    kPerson,
    kUtility,
    kTownHall,
    kProver,
    kTwin,
    kSpammer,
  };

  explicit CityGraph(const CityShape& shape) : shape_(shape) {}

  // Fills an empty store; says how far it is on standard error. Uses all cores.
  Result<void> build(store::AuthorityStore& store) const;

  [[nodiscard]] const CityShape& shape() const { return shape_; }
  [[nodiscard]] static EntityKey key(Who who, std::uint32_t index = 0);
  [[nodiscard]] std::string room_uri(std::uint32_t room) const;
  [[nodiscard]] std::uint32_t person_of_room(std::uint32_t room, std::uint32_t keeper) const;
  [[nodiscard]] std::uint32_t room_of_errand(std::uint32_t errand) const;
  [[nodiscard]] std::uint32_t owner_of_meter(std::uint32_t meter) const;

  // Publishing on `uri` by somebody.
  [[nodiscard]] static wave::Request request(const EntityKey& origin, const std::string& uri);

 private:
  CityShape shape_;
};

}  // namespace bw::bench
