// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <utility>

#include "base/bytes.hpp"

namespace bw {

// Where a connection comes from, for counting: an IPv4 address (4 bytes; also when mapped into
// IPv6), or the /64 that an IPv6 user (16 bytes) has to himself.
inline std::uint64_t origin_of(ByteView address) {
  constexpr ByteArray<12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const bool mapped =
      address.size() == 16 && std::equal(kMapped.begin(), kMapped.end(), address.begin());
  std::uint64_t origin = 0;
  const ByteView telling =
      mapped ? address.subspan(12) : address.first(std::min<std::size_t>(address.size(), 8));
  for (const std::uint8_t byte : telling) origin = origin << 8U | byte;
  return origin;
}

// Those who hold one of a limited number of places, by where they come from and how long they have
// held it. When places run out it says whose is to be taken: never that of an origin which holds
// fewer than another, so that one origin, however many it sends, crowds out only itself.
template <class T>
class Crowd {
 public:
  class Member;
  using Place = typename std::list<Member>::iterator;

  class Member {
   public:
    Member(std::uint64_t origin, T value) : value(std::move(value)), origin_(origin) {}
    T value;

   private:
    friend class Crowd;
    std::uint64_t origin_;
  };

  // Valid until leave().
  Place enter(std::uint64_t origin, T value) {
    ++size_;
    auto& those = by_origin_[origin];
    return those.emplace(those.end(), origin, std::move(value));
  }
  void leave(Place place) {
    const auto found = by_origin_.find(place->origin_);
    found->second.erase(place);
    if (found->second.empty()) by_origin_.erase(found);
    --size_;
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t from(std::uint64_t origin) const {
    const auto found = by_origin_.find(origin);
    return found == by_origin_.end() ? 0 : found->second.size();
  }

  // Who has been here longest of all from `origin`; null when there is none.
  [[nodiscard]] T* oldest_from(std::uint64_t origin) {
    const auto found = by_origin_.find(origin);
    return found == by_origin_.end() ? nullptr : &found->second.front().value;
  }
  // Who has been here longest of those from the origin that holds most places. Takes time with the
  // number of origins.
  [[nodiscard]] T* oldest_of_greediest() {
    const auto most = std::ranges::max_element(
        by_origin_, {}, [](const auto& entry) { return entry.second.size(); });
    return most == by_origin_.end() ? nullptr : &most->second.front().value;
  }

 private:
  std::size_t size_ = 0;
  std::unordered_map<std::uint64_t, std::list<Member>> by_origin_;
};

}  // namespace bw
