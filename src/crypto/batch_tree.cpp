// SPDX-License-Identifier: Apache-2.0
#include "crypto/batch_tree.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "base/check.hpp"
#include "crypto/merkle.hpp"
#include "crypto/sha256_many.hpp"

namespace bw::crypto {
namespace {

using Indices = std::span<const std::uint16_t>;

constexpr std::uint8_t kGroupPrefix[1] = {0x02};

// Above a group: at a multiple of the group's size, since that is a power of two.
std::size_t split_of(std::size_t count) {
  return std::bit_floor(count - 1);
}

const Sha256& group_prefix() {
  static const Sha256 kPrefix = Sha256().update(kGroupPrefix);
  return kPrefix;
}

ByteView bytes_of(std::span<const Hash> hashes) {
  static_assert(sizeof(Hash) == Hash::kSize);
  return {reinterpret_cast<const std::uint8_t*>(hashes.data()), hashes.size_bytes()};
}

Hash group_hash(std::span<const Hash> leaves) {
  if (leaves.size() == 1) return leaves.front();
  return Sha256(group_prefix()).update(bytes_of(leaves)).finish();
}

// The part of ascending `indices` that is below `bound`.
std::size_t count_below(Indices indices, std::size_t bound) {
  return static_cast<std::size_t>(std::ranges::lower_bound(indices, bound) - indices.begin());
}

bool in_order(Indices indices, std::size_t count) {
  if (indices.empty() || indices.back() >= count) return false;
  return std::ranges::adjacent_find(indices, std::greater_equal<>{}) == indices.end();
}

// Of one group, of which some are present.
void collect_absent(std::span<const Hash> leaves, std::size_t begin, Indices present,
                    std::vector<Hash>& proof) {
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    if (!std::ranges::binary_search(present, begin + i)) proof.push_back(leaves[i]);
  }
}

void collect(std::span<const Hash> leaves, std::size_t begin, Indices present,
             std::vector<Hash>& proof) {
  if (present.empty()) {
    proof.push_back(batch_root(leaves));
    return;
  }
  if (leaves.size() <= kBatchGroup) return collect_absent(leaves, begin, present, proof);
  const std::size_t split = split_of(leaves.size());
  const std::size_t left = count_below(present, begin + split);
  collect(leaves.first(split), begin, present.first(left), proof);
  collect(leaves.subspan(split), begin + split, present.subspan(left), proof);
}

std::size_t size_of(std::size_t begin, std::size_t count, Indices present) {
  if (present.empty()) return 1;
  if (count <= kBatchGroup || present.size() == count) return count - present.size();
  const std::size_t split = split_of(count);
  const std::size_t left = count_below(present, begin + split);
  return size_of(begin, split, present.first(left)) +
         size_of(begin + split, count - split, present.subspan(left));
}

// Walks the tree of `count` leaves from `begin`, taking present leaves and proof hashes in order.
// With `kept`, also writes the proof for that subset: a subtree that keeps nothing becomes one
// hash.
class Walk {
 public:
  Walk(std::span<const Hash> leaves, std::span<const Hash> proof)
      : leaves_(leaves), proof_(proof) {}

  Hash root(std::size_t begin, std::size_t count, Indices present, const Indices* kept,
            std::vector<Hash>* narrowed) {
    const bool drop = narrowed != nullptr && kept->empty();
    const Hash hash = inner(begin, count, present, kept, drop ? nullptr : narrowed);
    if (drop) narrowed->push_back(hash);
    return hash;
  }
  [[nodiscard]] bool exact() const { return !short_ && proof_.empty() && leaves_.empty(); }

 private:
  Hash inner(std::size_t begin, std::size_t count, Indices present, const Indices* kept,
             std::vector<Hash>* narrowed) {
    if (present.empty()) return take(proof_);
    if (count <= kBatchGroup) return group(begin, count, present, kept, narrowed);
    const std::size_t split = split_of(count);
    const std::size_t left = count_below(present, begin + split);
    const std::size_t kept_left = kept == nullptr ? 0 : count_below(*kept, begin + split);
    const Indices kept_first = kept == nullptr ? Indices{} : kept->first(kept_left);
    const Indices kept_rest = kept == nullptr ? Indices{} : kept->subspan(kept_left);
    const Hash a = root(begin, split, present.first(left), &kept_first, narrowed);
    const Hash b = root(begin + split, count - split, present.subspan(left), &kept_rest, narrowed);
    return node_hash(a, b);
  }

  Hash group(std::size_t begin, std::size_t count, Indices present, const Indices* kept,
             std::vector<Hash>* narrowed) {
    std::array<Hash, kBatchGroup> leaves;
    for (std::size_t i = 0; i < count; ++i) {
      const bool here = std::ranges::binary_search(present, begin + i);
      leaves[i] = take(here ? leaves_ : proof_);
      const bool stays = kept != nullptr && std::ranges::binary_search(*kept, begin + i);
      if (narrowed != nullptr && !stays) narrowed->push_back(leaves[i]);
    }
    return group_hash(std::span(leaves).first(count));
  }

  Hash take(std::span<const Hash>& from) {
    if (from.empty()) {
      short_ = true;
      return {};
    }
    const Hash first = from.front();
    from = from.subspan(1);
    return first;
  }

  std::span<const Hash> leaves_;
  std::span<const Hash> proof_;
  bool short_ = false;
};

tl::unexpected<Error> bad_shape() {
  return fail(ErrorCode::kMalformed, "multi-proof: hashes do not fit the messages present");
}

}  // namespace

Hash batch_root(std::span<const Hash> leaves) {
  BW_ASSERT(!leaves.empty());
  std::vector<HashJob> jobs;
  jobs.reserve(leaves.size() / kBatchGroup + 1);
  for (std::span<const Hash> rest = leaves; rest.size() > 1;) {
    const auto group = rest.first(std::min(rest.size(), kBatchGroup));
    jobs.push_back({&group_prefix(), bytes_of(group)});
    rest = rest.subspan(group.size());
  }
  std::vector<Hash> groups(jobs.size());
  sha256_many(jobs, groups);
  if (leaves.size() % kBatchGroup == 1) groups.push_back(leaves.back());
  return merkle_root(groups);
}

std::vector<Hash> multi_proof(std::span<const Hash> leaves, Indices present) {
  BW_ASSERT(in_order(present, leaves.size()));
  std::vector<Hash> proof;
  collect(leaves, 0, present, proof);
  return proof;
}

std::size_t multi_proof_size(std::size_t count, Indices present) {
  BW_ASSERT(in_order(present, count));
  return size_of(0, count, present);
}

Result<Hash> multi_proof_root(std::size_t count, Indices present,
                              std::span<const Hash> present_leaves, std::span<const Hash> proof) {
  if (!in_order(present, count) || present.size() != present_leaves.size()) return bad_shape();
  if (present.size() == count) {
    if (!proof.empty()) return bad_shape();
    return batch_root(present_leaves);
  }
  Walk walk(present_leaves, proof);
  const Hash root = walk.root(0, count, present, nullptr, nullptr);
  if (!walk.exact()) return bad_shape();
  return root;
}

Result<std::vector<Hash>> narrow_multi_proof(std::size_t count, Indices present,
                                             std::span<const Hash> present_leaves,
                                             std::span<const Hash> proof, Indices kept) {
  if (!in_order(present, count) || present.size() != present_leaves.size() ||
      !in_order(kept, count) || !std::ranges::includes(present, kept)) {
    return bad_shape();
  }
  Walk walk(present_leaves, proof);
  std::vector<Hash> narrowed;
  walk.root(0, count, present, &kept, &narrowed);
  if (!walk.exact()) return bad_shape();
  return narrowed;
}

}  // namespace bw::crypto
