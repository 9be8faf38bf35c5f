// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <unordered_map>
#include <utility>

namespace bw::syndication {

// A map that forgets what was not used for longest, roughly: entries live in two generations, a
// use moves one to the young, and when the young is half of what may be kept the old one goes.
// Pointers hold until the next call.
template <class Key, class Value, class KeyHash = std::hash<Key>>
class RecentMap {
 public:
  // `most` entries, at least 2.
  explicit RecentMap(std::size_t most) : half_(most / 2) {}

  Value* find(const Key& key) {
    if (const auto found = young_.find(key); found != young_.end()) return &found->second;
    auto node = old_.extract(key);
    if (node.empty()) return nullptr;
    make_room();
    return &young_.insert(std::move(node)).position->second;
  }
  // The value that is there already, or this one.
  Value& put(const Key& key, Value value) {
    if (Value* known = find(key)) return *known;
    make_room();
    return young_.emplace(key, std::move(value)).first->second;
  }
  void clear() {
    young_.clear();
    old_.clear();
  }
  [[nodiscard]] std::size_t size() const { return young_.size() + old_.size(); }

 private:
  using Map = std::unordered_map<Key, Value, KeyHash>;

  void make_room() {
    if (young_.size() >= half_) old_ = std::exchange(young_, {});
  }

  std::size_t half_;
  Map young_;
  Map old_;
};

}  // namespace bw::syndication
