// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "base/id.hpp"
#include "base/result.hpp"

// The tree over the messages of a batch. Its leaves stand in groups of eight, of which the last may
// have fewer:
//   group = SHA256(0x02 || leaf || ... || leaf), or the leaf itself where it stands alone
// and the root is that of the RFC 9162 tree (merkle.hpp) over the groups. A binary tree hashes two
// blocks for each leaf, this one 0.9, and hashing is what a message costs most. For that a single
// message of 512 comes with 13 hashes instead of 9.
namespace bw::crypto {

inline constexpr std::size_t kBatchGroup = 8;

// Precondition: not empty.
Hash batch_root(std::span<const Hash> leaves);

// Multi-proof: the subtree hashes that, with the leaves at `present` (strictly ascending, in range,
// not empty), give the root over `count` leaves. Order: left to right, depth first, a whole absent
// subtree being one hash. A router that forwards some messages of a batch sends exactly these.
std::vector<Hash> multi_proof(std::span<const Hash> leaves, std::span<const std::uint16_t> present);
// How many hashes that is, without computing any. Same preconditions.
std::size_t multi_proof_size(std::size_t count, std::span<const std::uint16_t> present);
// The root, or kMalformed when the number of hashes does not fit or `present` is out of order or
// range.
Result<Hash> multi_proof_root(std::size_t count, std::span<const std::uint16_t> present,
                              std::span<const Hash> present_leaves, std::span<const Hash> proof);
// Narrows a multi-proof: from one for `present` to one for the subset `kept`, without the leaves
// that are absent already. `present_leaves` are the leaf hashes of `present`.
Result<std::vector<Hash>> narrow_multi_proof(std::size_t count,
                                             std::span<const std::uint16_t> present,
                                             std::span<const Hash> present_leaves,
                                             std::span<const Hash> proof,
                                             std::span<const std::uint16_t> kept);

}  // namespace bw::crypto
