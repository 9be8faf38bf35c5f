// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <memory>

#include "base/check.hpp"

namespace bw::store {

// A vector that one thread grows while others read it without locks: elements never move. A reader
// may index what the writer had appended before a release store of which the reader saw the effect.
template <class T>
class PublishedVector {
 public:
  void push_back(const T& value) {
    const Place place = place_of(size_);
    BW_ASSERT(place.segment < segments_.size());
    auto& segment = segments_[place.segment];
    if (!segment) segment = std::make_unique<T[]>(kFirst << place.segment);
    segment[place.index] = value;
    ++size_;
  }
  [[nodiscard]] const T& operator[](std::size_t i) const {
    const Place place = place_of(i);
    return segments_[place.segment][place.index];
  }
  // The writer's thread only.
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t kFirst =
      64;  // elements of the first segment; each next has twice as many
  struct Place {
    std::size_t segment;
    std::size_t index;
  };
  static Place place_of(std::size_t i) {
    const auto segment = static_cast<std::size_t>(std::bit_width(i / kFirst + 1)) - 1;
    return {segment, i - kFirst * ((std::size_t{1} << segment) - 1)};
  }

  std::array<std::unique_ptr<T[]>, 32> segments_;
  std::size_t size_ = 0;
};

}  // namespace bw::store
