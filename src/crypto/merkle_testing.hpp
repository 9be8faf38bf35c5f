// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <span>
#include <string>
#include <vector>

#include "crypto/merkle.hpp"
#include "crypto/sha256.hpp"

namespace bw::crypto::testing {

// The definition, word for word: MTH and nothing clever (RFC 9162 section 2.1.1).
inline Hash oracle(std::span<const Hash> leaves) {
  if (leaves.empty()) return sha256({});
  if (leaves.size() == 1) return leaves[0];
  const std::size_t split = std::bit_floor(leaves.size() - 1);
  return node_hash(oracle(leaves.first(split)), oracle(leaves.subspan(split)));
}

inline std::vector<Hash> make_leaves(std::size_t count) {
  std::vector<Hash> leaves;
  for (std::size_t i = 0; i < count; ++i) {
    leaves.push_back(leaf_hash(as_bytes("leaf " + std::to_string(i))));
  }
  return leaves;
}

// Hashes with one bit the other way; which bit depends on `seed`.
class Flip {
 public:
  explicit Flip(std::uint64_t seed) : bit_(seed * 37 % 256) {}
  Hash operator()(Hash hash) const {
    hash.bytes[bit_ / 8] = static_cast<std::uint8_t>(hash.bytes[bit_ / 8] ^ 1U << bit_ % 8);
    return hash;
  }

 private:
  std::size_t bit_;
};

}  // namespace bw::crypto::testing
