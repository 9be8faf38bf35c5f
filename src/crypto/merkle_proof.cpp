// SPDX-License-Identifier: Apache-2.0
#include <bit>

#include "crypto/merkle.hpp"
#include "crypto/sha256.hpp"

// Proofs of one leaf and of growth, RFC 9162 section 2.1. Ranges below are [begin, end) of leaf
// indices; every range the recursion meets starts at a multiple of its largest complete subtree.
namespace bw::crypto {
namespace {

std::uint64_t split_of(std::uint64_t count) {
  return std::bit_floor(count - 1);
}

Result<Hash> range_root(const SubtreeReader& tree, std::uint64_t begin, std::uint64_t end) {
  const std::uint64_t count = end - begin;
  if (std::has_single_bit(count)) {
    const auto level = static_cast<unsigned>(std::countr_zero(count));
    return tree.subtree(level, begin >> level);
  }
  const std::uint64_t middle = begin + split_of(count);
  BW_TRY(const Hash left, range_root(tree, begin, middle));
  BW_TRY(const Hash right, range_root(tree, middle, end));
  return node_hash(left, right);
}

Result<void> add_range(const SubtreeReader& tree, std::uint64_t begin, std::uint64_t end,
                       std::vector<Hash>& proof) {
  BW_TRY(const Hash root, range_root(tree, begin, end));
  proof.push_back(root);
  return {};
}

Result<void> audit_path(const SubtreeReader& tree, std::uint64_t index, std::uint64_t begin,
                        std::uint64_t end, std::vector<Hash>& proof) {
  if (end - begin == 1) return {};
  const std::uint64_t middle = begin + split_of(end - begin);
  if (index < middle) {
    BW_CHECK(audit_path(tree, index, begin, middle, proof));
    return add_range(tree, middle, end, proof);
  }
  BW_CHECK(audit_path(tree, index, middle, end, proof));
  return add_range(tree, begin, middle, proof);
}

// SUBPROOF(m, D[begin:end], whole) of RFC 9162: `whole` while the old tree is itself a node.
Result<void> subproof(const SubtreeReader& tree, std::uint64_t old_end, std::uint64_t begin,
                      std::uint64_t end, bool whole, std::vector<Hash>& proof) {
  if (old_end == end) return whole ? Result<void>{} : add_range(tree, begin, end, proof);
  const std::uint64_t middle = begin + split_of(end - begin);
  if (old_end <= middle) {
    BW_CHECK(subproof(tree, old_end, begin, middle, whole, proof));
    return add_range(tree, middle, end, proof);
  }
  BW_CHECK(subproof(tree, old_end, middle, end, false, proof));
  return add_range(tree, begin, middle, proof);
}

}  // namespace

Result<Hash> root_at(const SubtreeReader& tree, std::uint64_t size) {
  if (size == 0) return sha256({});
  return range_root(tree, 0, size);
}

Result<Frontier> frontier_at(const SubtreeReader& tree, std::uint64_t size) {
  std::vector<Hash> nodes;
  std::uint64_t begin = 0;
  for (unsigned level = 64; level-- > 0;) {
    if ((size >> level & 1U) == 0) continue;
    BW_TRY(const Hash node, tree.subtree(level, begin >> level));
    nodes.push_back(node);
    begin += std::uint64_t{1} << level;
  }
  return Frontier::restore(size, std::move(nodes));
}

Result<std::vector<Hash>> inclusion_proof(const SubtreeReader& tree, std::uint64_t index,
                                          std::uint64_t size) {
  if (index >= size) {
    return fail(ErrorCode::kInvalidArgument, "leaf {} is not in a tree of {}", index, size);
  }
  std::vector<Hash> proof;
  BW_CHECK(audit_path(tree, index, 0, size, proof));
  return proof;
}

// RFC 9162 section 2.1.3.2.
bool verify_inclusion(const Hash& leaf, std::uint64_t index, std::uint64_t size,
                      std::span<const Hash> proof, const Hash& root) {
  if (index >= size) return false;
  std::uint64_t node = index;
  std::uint64_t last = size - 1;
  Hash hash = leaf;
  for (const Hash& step : proof) {
    if (last == 0) return false;
    if ((node & 1U) != 0 || node == last) {
      hash = node_hash(step, hash);
      while ((node & 1U) == 0 && node != 0) {
        node >>= 1U;
        last >>= 1U;
      }
    } else {
      hash = node_hash(hash, step);
    }
    node >>= 1U;
    last >>= 1U;
  }
  return last == 0 && hash == root;
}

Result<std::vector<Hash>> consistency_proof(const SubtreeReader& tree, std::uint64_t old_size,
                                            std::uint64_t size) {
  if (old_size > size) {
    return fail(ErrorCode::kInvalidArgument, "a tree of {} cannot extend one of {}", size,
                old_size);
  }
  std::vector<Hash> proof;
  if (old_size != 0 && old_size != size) BW_CHECK(subproof(tree, old_size, 0, size, true, proof));
  return proof;
}

// RFC 9162 section 2.1.4.2.
bool verify_consistency(std::uint64_t old_size, const Hash& old_root, std::uint64_t size,
                        const Hash& root, std::span<const Hash> proof) {
  if (old_size > size) return false;
  if (old_size == size) return proof.empty() && old_root == root;
  if (old_size == 0) return proof.empty() && old_root == sha256({});
  const bool old_is_node = std::has_single_bit(old_size);
  if (!old_is_node && proof.empty()) return false;
  std::uint64_t node = old_size - 1;
  std::uint64_t last = size - 1;
  while ((node & 1U) != 0) {
    node >>= 1U;
    last >>= 1U;
  }
  Hash old_hash = old_is_node ? old_root : proof.front();
  Hash new_hash = old_hash;
  for (const Hash& step : proof.subspan(old_is_node ? 0 : 1)) {
    if (last == 0) return false;
    if ((node & 1U) != 0 || node == last) {
      old_hash = node_hash(step, old_hash);
      new_hash = node_hash(step, new_hash);
      while ((node & 1U) == 0 && node != 0) {
        node >>= 1U;
        last >>= 1U;
      }
    } else {
      new_hash = node_hash(new_hash, step);
    }
    node >>= 1U;
    last >>= 1U;
  }
  return last == 0 && old_hash == old_root && new_hash == root;
}

}  // namespace bw::crypto
