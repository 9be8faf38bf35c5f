// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/check.hpp"
#include "net/task_group.hpp"

namespace bw::net {
namespace {

// splitmix64 (Steele, Lea, Flood 2014): spread, not secrecy, is all that is asked of it.
std::uint64_t next_random(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15U;
  std::uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
  return mixed ^ (mixed >> 31U);
}

}  // namespace

Backoff::Backoff(Duration first, Duration most, std::uint64_t seed)
    : first_(first), most_(most), current_(first), state_(seed) {
  BW_ASSERT(first > Duration::zero() && first <= most);
}

Duration Backoff::next() {
  const Duration whole = current_;
  const Duration half = whole / 2;
  current_ = whole > most_ / 2 ? most_ : whole * 2;
  const auto width = static_cast<std::uint64_t>((whole - half).count()) + 1;
  return half + Duration{static_cast<std::int64_t>(next_random(state_) % width)};
}

void Backoff::reset() {
  current_ = first_;
}

}  // namespace bw::net
