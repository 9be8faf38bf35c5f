// SPDX-License-Identifier: Apache-2.0
#include "programs/city_graph.hpp"

#include <algorithm>
#include <functional>
#include <future>
#include <optional>

#include "base/check.hpp"
#include "crypto/sha256.hpp"

namespace bw::bench {
namespace {

using Who = CityGraph::Who;

constexpr std::uint64_t kChunk = 8192;  // entries that one append takes
constexpr Time kCreated = from_seconds(1'700'000'000);

template <class T>
T must(Result<T> result) {
  if (!result) fmt::print(stderr, "{}\n", result.error().message);
  BW_ASSERT(result.has_value());
  return *std::move(result);
}

crypto::SigningKey key_pair(Who who, std::uint32_t index) {
  const std::string seed = fmt::format("city {} {}", static_cast<int>(who), index);
  return must(crypto::SigningKey::from_secret(crypto::sha256(as_bytes(seed)).bytes));
}

wave::Pattern pattern(const std::string& text) {
  return must(wave::Pattern::parse(text));
}

// The holders of one kind, in order.
using Keys = std::vector<crypto::SigningKey>;

Keys key_pairs(Who who, std::uint32_t count) {
  const auto half = [&](std::uint32_t from, std::uint32_t to) {
    Keys keys;
    for (std::uint32_t i = from; i < to; ++i) keys.push_back(key_pair(who, i));
    return keys;
  };
  auto second = std::async(std::launch::async, half, count / 2, count);
  Keys keys = half(0, count / 2);
  std::ranges::move(second.get(), std::back_inserter(keys));
  return keys;
}

// Entry n of the ledger as a function of n, so that threads share the signing.
class Entries {
 public:
  explicit Entries(const CityGraph& graph) : graph_(graph), shape_(graph.shape()) {
    const std::pair<Who, std::uint32_t> kinds[] = {{Who::kCity, 1},
                                                   {Who::kDistrict, shape_.districts},
                                                   {Who::kBuilding, shape_.all_buildings()},
                                                   {Who::kFloor, shape_.all_floors()},
                                                   {Who::kRoom, shape_.all_rooms()},
                                                   {Who::kPerson, shape_.people},
                                                   {Who::kUtility, 1},
                                                   {Who::kTownHall, 1},
                                                   {Who::kProver, 1},
                                                   {Who::kTwin, 1},
                                                   {Who::kSpammer, shape_.spammers}};
    for (const auto& [who, count] : kinds) {
      add(count, [this, holder = who](std::uint32_t i) { return entity(holder, i); });
      keys_.push_back(key_pairs(who, count));
    }
    add_city();
    add_hubs();
    add_provers();
  }

  [[nodiscard]] std::uint64_t size() const { return size_; }

  [[nodiscard]] wave::Object at(std::uint64_t n) const {
    for (const Section& section : sections_) {
      if (n < section.count) return section.make(static_cast<std::uint32_t>(n));
      n -= section.count;
    }
    BW_ASSERT(false);
  }

 private:
  struct Section {
    std::uint64_t count;
    std::function<wave::Object(std::uint32_t)> make;
  };

  void add(std::uint64_t count, std::function<wave::Object(std::uint32_t)> make) {
    sections_.push_back({count, std::move(make)});
    size_ += count;
  }

  void add_city() {
    add(shape_.districts, [this](std::uint32_t i) {
      return dot(Who::kCity, 0, id(Who::kDistrict, i), fmt::format("d{}/*", i), 8);
    });
    add(shape_.all_buildings(), [this](std::uint32_t i) {
      return dot(Who::kDistrict, i / shape_.buildings, id(Who::kBuilding, i),
                 fmt::format("d{}/b{}/*", i / shape_.buildings, i), 6);
    });
    add(shape_.all_floors(), [this](std::uint32_t i) {
      const std::uint32_t building = i / shape_.floors;
      return dot(Who::kBuilding, building, id(Who::kFloor, i),
                 fmt::format("d{}/b{}/f{}/*", building / shape_.buildings, building, i), 4);
    });
    add(shape_.all_rooms(), [this](std::uint32_t i) {
      return dot(Who::kFloor, i / shape_.rooms, id(Who::kRoom, i), graph_.room_uri(i) + "/*", 2);
    });
    add(std::uint64_t{shape_.all_rooms()} * shape_.keepers, [this](std::uint32_t i) {
      const std::uint32_t room = i / shape_.keepers;
      const std::uint32_t person = graph_.person_of_room(room, i % shape_.keepers);
      return dot(Who::kRoom, room, id(Who::kPerson, person), graph_.room_uri(room) + "/*", 0);
    });
  }

  void add_hubs() {
    add(1,
        [this](std::uint32_t) { return dot(Who::kCity, 0, id(Who::kUtility, 0), "meters/*", 4); });
    add(1, [this](std::uint32_t) {
      return dot(Who::kCity, 0, id(Who::kTownHall, 0), "notices/*", 4);
    });
    add(shape_.granted, [this](std::uint32_t i) {
      return dot(Who::kUtility, 0, id(Who::kPerson, graph_.owner_of_meter(i)),
                 fmt::format("meters/m{}/*", i), 0);
    });
    add(shape_.granted, [this](std::uint32_t i) {
      const EntityKey to = i < shape_.people ? id(Who::kPerson, i) : stranger(i);
      return dot(Who::kTownHall, 0, to, "notices/*", 0);
    });
  }

  void add_provers() {
    for (const Who who : {Who::kProver, Who::kTwin}) {
      add(shape_.errands, [this, who](std::uint32_t i) {
        const std::uint32_t room = graph_.room_of_errand(i);
        return dot(Who::kRoom, room, id(who, 0), graph_.room_uri(room) + "/*", 0);
      });
      add(1, [this, who](std::uint32_t) {
        return dot(Who::kTownHall, 0, id(who, 0), "notices/*", 0);
      });
    }
    add(shape_.spam, [this](std::uint32_t i) {
      return dot(Who::kSpammer, i % shape_.spammers, id(Who::kProver, 0), "*", 9, i);
    });
  }

  [[nodiscard]] const EntityKey& id(Who who, std::uint32_t index) const {
    return keys_[static_cast<std::size_t>(who)][index].public_key();
  }

  // Nobody holds its key, which a DoT does not need.
  static EntityKey stranger(std::uint32_t index) {
    return EntityKey{crypto::sha256(as_bytes(fmt::format("stranger {}", index))).bytes};
  }

  [[nodiscard]] wave::Object entity(Who who, std::uint32_t index) const {
    const crypto::SigningKey& key = keys_[static_cast<std::size_t>(who)][index];
    return must(wave::sign(wave::Entity{.key = key.public_key(),
                                        .created = kCreated,
                                        .expires = kNever,
                                        .revokers = {},
                                        .contact = {},
                                        .comment = {}},
                           key));
  }

  // `number` tells DoTs apart that are the same otherwise.
  [[nodiscard]] wave::Object dot(Who granter, std::uint32_t index, const EntityKey& grantee,
                                 const std::string& uris, std::uint8_t ttl,
                                 std::optional<std::uint32_t> number = {}) const {
    const crypto::SigningKey& key = keys_[static_cast<std::size_t>(granter)][index];
    wave::Dot dot{.granter = key.public_key(),
                  .grantee = grantee,
                  .ns = id(Who::kCity, 0),
                  .permissions = wave::Permissions::of(wave::Permissions::kPublish |
                                                       wave::Permissions::kConsumeStar),
                  .ttl = ttl,
                  .created = kCreated,
                  .not_before = kCreated,
                  .expires = kNever,
                  .revokers = {},
                  .pattern = pattern(uris),
                  .comment = number ? fmt::format("{}", *number) : "",
                  .conditions = {}};
    return must(wave::sign(std::move(dot), key));
  }

  const CityGraph& graph_;
  const CityShape& shape_;
  std::vector<Keys> keys_;
  std::vector<Section> sections_;
  std::uint64_t size_ = 0;
};

std::vector<wave::Object> make(const Entries& entries, std::uint64_t from, std::uint64_t to) {
  std::vector<wave::Object> objects;
  for (std::uint64_t n = from; n < to; ++n) objects.push_back(entries.at(n));
  return objects;
}

}  // namespace

std::uint64_t CityShape::dots() const {
  return std::uint64_t{districts} + all_buildings() + all_floors() +
         std::uint64_t{all_rooms()} * (1 + keepers) + 2 + 2 * std::uint64_t{granted} +
         2 * (std::uint64_t{errands} + 1) + spam;
}

CityShape small_city() {
  return {.districts = 10,
          .buildings = 20,
          .floors = 10,
          .rooms = 5,
          .keepers = 5,
          .granted = 20'000,
          .people = 10'000,
          .errands = 2'000,
          .spam = 100'000,
          .spammers = 1'000};
}

CityShape large_city() {
  return {.districts = 100,
          .buildings = 50,
          .floors = 10,
          .rooms = 5,
          .keepers = 5,
          .granted = 700'000,
          .people = 250'000,
          .errands = 2'000,
          .spam = 100'000,
          .spammers = 1'000};
}

Result<void> CityGraph::build(store::AuthorityStore& store) const {
  fmt::print(stderr, "graph of {} DoTs: keys\n", shape_.dots());
  const Entries entries(*this);
  const auto launch = [&](std::uint64_t from) {
    return std::async(std::launch::async, make, std::cref(entries), std::min(from, entries.size()),
                      std::min(from + kChunk, entries.size()));
  };
  auto first = launch(0);
  auto second = launch(kChunk);
  for (std::uint64_t done = 0; done < entries.size(); done += kChunk) {
    const std::vector<wave::Object> objects = first.get();
    first = std::move(second);
    second = launch(done + 2 * kChunk);
    BW_CHECK(store.append(objects));
    if (done % (kChunk * 32) == 0) {
      fmt::print(stderr, "graph of {} DoTs: {} of {} entries\n", shape_.dots(), done,
                 entries.size());
    }
  }
  return {};
}

EntityKey CityGraph::key(Who who, std::uint32_t index) {
  return key_pair(who, index).public_key();
}

std::string CityGraph::room_uri(std::uint32_t room) const {
  const std::uint32_t floor = room / shape_.rooms;
  const std::uint32_t building = floor / shape_.floors;
  return fmt::format("d{}/b{}/f{}/r{}", building / shape_.buildings, building, floor, room);
}

// The rooms of one person lie far apart.
std::uint32_t CityGraph::person_of_room(std::uint32_t room, std::uint32_t keeper) const {
  return static_cast<std::uint32_t>((std::uint64_t{room} + std::uint64_t{keeper} * 7919 * 31) %
                                    shape_.people);
}

std::uint32_t CityGraph::room_of_errand(std::uint32_t errand) const {
  return static_cast<std::uint32_t>(std::uint64_t{errand} * shape_.all_rooms() / shape_.errands);
}

std::uint32_t CityGraph::owner_of_meter(std::uint32_t meter) const {
  return static_cast<std::uint32_t>(std::uint64_t{meter} * 7919 % shape_.people);
}

wave::Request CityGraph::request(const EntityKey& origin, const std::string& uri) {
  static const EntityKey kCity = key(Who::kCity);
  return {.origin = origin,
          .ns = kCity,
          .pattern = pattern(uri),
          .permissions = wave::Permissions::of(wave::Permissions::kPublish)};
}

}  // namespace bw::bench
