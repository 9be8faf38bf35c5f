// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>

#include "base/check.hpp"
#include "crypto/merkle.hpp"

namespace bw::crypto {
namespace {

using Indices = std::span<const std::uint16_t>;

std::size_t split_of(std::size_t count) {
  return std::bit_floor(count - 1);
}

// The part of ascending `indices` that is below `bound`.
std::size_t count_below(Indices indices, std::size_t bound) {
  return static_cast<std::size_t>(std::ranges::lower_bound(indices, bound) - indices.begin());
}

bool in_order(Indices indices, std::size_t count) {
  if (indices.empty() || indices.back() >= count) return false;
  return std::ranges::adjacent_find(indices, std::greater_equal<>{}) == indices.end();
}

void collect(std::span<const Hash> leaves, std::size_t begin, Indices present,
             std::vector<Hash>& proof) {
  if (present.empty()) {
    proof.push_back(merkle_root(leaves));
    return;
  }
  if (leaves.size() == 1) return;
  const std::size_t split = split_of(leaves.size());
  const std::size_t left = count_below(present, begin + split);
  collect(leaves.first(split), begin, present.first(left), proof);
  collect(leaves.subspan(split), begin + split, present.subspan(left), proof);
}

std::size_t size_of(std::size_t begin, std::size_t count, Indices present) {
  if (present.empty()) return 1;
  if (present.size() == count) return 0;
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
    if (count == 1) return take(leaves_);
    const std::size_t split = split_of(count);
    const std::size_t left = count_below(present, begin + split);
    const std::size_t kept_left = kept == nullptr ? 0 : count_below(*kept, begin + split);
    const Indices kept_first = kept == nullptr ? Indices{} : kept->first(kept_left);
    const Indices kept_rest = kept == nullptr ? Indices{} : kept->subspan(kept_left);
    const Hash a = root(begin, split, present.first(left), &kept_first, narrowed);
    const Hash b = root(begin + split, count - split, present.subspan(left), &kept_rest, narrowed);
    return node_hash(a, b);
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
    return merkle_root(present_leaves);
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
