// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "base/id.hpp"
#include "base/result.hpp"

// RFC 6962 / RFC 9162 Merkle trees: leaf = SHA256(0x00 || data), node = SHA256(0x01 || left ||
// right), the tree over n leaves splits at the largest power of two below n. One definition for the
// ledger and for the contracts; batches of messages have a flatter one (batch_tree.hpp).
namespace bw::crypto {

Hash leaf_hash(ByteView data);
Hash node_hash(const Hash& left, const Hash& right);
// Root over leaf hashes. The empty tree's root is SHA256("").
Hash merkle_root(std::span<const Hash> leaves);

// The frontier of a growing tree: the roots of its complete subtrees, largest first. Enough to add
// leaves and to tell the root; the only state an append-only log (or a contract) needs.
class Frontier {
 public:
  void add(const Hash& leaf);
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] Hash root() const;
  [[nodiscard]] std::span<const Hash> nodes() const { return nodes_; }
  // Fails unless nodes.size() == popcount(size).
  static Result<Frontier> restore(std::uint64_t size, std::vector<Hash> nodes);

 private:
  std::uint64_t size_ = 0;
  std::vector<Hash> nodes_;
};

// Reads the root of the complete subtree of 2^level leaves that starts at leaf `index << level`.
// Supplied by whoever stores the tree.
class SubtreeReader {
 public:
  virtual ~SubtreeReader() = default;
  [[nodiscard]] virtual Result<Hash> subtree(unsigned level, std::uint64_t index) const = 0;
};

// RFC 9162 section 2.1.3: audit path for leaf `index` in the tree of the first `size` leaves.
Result<std::vector<Hash>> inclusion_proof(const SubtreeReader& tree, std::uint64_t index,
                                          std::uint64_t size);
[[nodiscard]] bool verify_inclusion(const Hash& leaf, std::uint64_t index, std::uint64_t size,
                                    std::span<const Hash> proof, const Hash& root);

// RFC 9162 section 2.1.4: that the tree of `size` leaves extends the tree of `old_size` leaves.
Result<std::vector<Hash>> consistency_proof(const SubtreeReader& tree, std::uint64_t old_size,
                                            std::uint64_t size);
[[nodiscard]] bool verify_consistency(std::uint64_t old_size, const Hash& old_root,
                                      std::uint64_t size, const Hash& root,
                                      std::span<const Hash> proof);
// Of the first `size` leaves.
Result<Hash> root_at(const SubtreeReader& tree, std::uint64_t size);
Result<Frontier> frontier_at(const SubtreeReader& tree, std::uint64_t size);

}  // namespace bw::crypto
