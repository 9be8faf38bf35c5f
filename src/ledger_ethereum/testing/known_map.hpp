// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>

#include "ledger_ethereum/registry_call.hpp"

namespace bw::ledger_ethereum::testing {

// Objects that somebody put in by hand.
class KnownMap final : public KnownObjects {
 public:
  void put(const Bytes& bytes) {
    const auto object = wave::parse_object(bytes);
    held.insert(wave::id_of(*object));
    if (const auto* dot = std::get_if<wave::Signed<wave::Dot>>(&*object)) dots[dot->id] = bytes;
    if (const auto* entity = std::get_if<wave::Signed<wave::Entity>>(&*object)) {
      entities[entity->value.key] = bytes;
    }
  }
  bool holds(const ObjectId& id) override { return held.contains(id); }
  std::optional<Bytes> dot(const ObjectId& id) override { return find(dots, id); }
  std::optional<Bytes> entity(const EntityKey& key) override { return find(entities, key); }

  std::set<ObjectId> held;
  std::map<ObjectId, Bytes> dots;
  std::map<EntityKey, Bytes> entities;

 private:
  template <class Key>
  static std::optional<Bytes> find(const std::map<Key, Bytes>& all, const Key& key) {
    const auto found = all.find(key);
    return found == all.end() ? std::nullopt : std::optional(found->second);
  }
};

}  // namespace bw::ledger_ethereum::testing
