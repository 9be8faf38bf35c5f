// SPDX-License-Identifier: Apache-2.0
#include "crypto/merkle.hpp"

#include <bit>

#include "crypto/sha256.hpp"
#include "crypto/sha256_many.hpp"

namespace bw::crypto {
namespace {

constexpr std::uint8_t kLeafPrefix[1] = {0x00};
constexpr std::uint8_t kNodePrefix[1] = {0x01};

}  // namespace

Hash leaf_hash(ByteView data) {
  return Sha256().update(kLeafPrefix).update(data).finish();
}

Hash node_hash(const Hash& left, const Hash& right) {
  return Sha256().update(kNodePrefix).update(left.view()).update(right.view()).finish();
}

Hash merkle_root(std::span<const Hash> leaves) {
  if (leaves.empty()) return sha256({});
  // Level by level, where a node without a neighbour moves up as it is: the same tree, and the
  // nodes of a level can be hashed side by side.
  std::vector<Hash> level(leaves.begin(), leaves.end());
  while (level.size() > 1) {
    const std::size_t pairs = level.size() / 2;
    const bool odd = level.size() % 2 != 0;
    merkle_level(std::span(level).first(2 * pairs), std::span(level).first(pairs));
    if (odd) level[pairs] = level.back();
    level.resize(pairs + (odd ? 1 : 0));
  }
  return level.front();
}

void Frontier::add(const Hash& leaf) {
  Hash node = leaf;
  // Each trailing one bit of the size is a complete subtree as large as `node`: they join.
  for (std::uint64_t bits = size_; (bits & 1U) != 0; bits >>= 1U) {
    node = node_hash(nodes_.back(), node);
    nodes_.pop_back();
  }
  nodes_.push_back(node);
  ++size_;
}

Hash Frontier::root() const {
  if (nodes_.empty()) return sha256({});
  Hash root = nodes_.back();
  for (std::size_t i = nodes_.size() - 1; i-- > 0;) root = node_hash(nodes_[i], root);
  return root;
}

Result<Frontier> Frontier::restore(std::uint64_t size, std::vector<Hash> nodes) {
  if (nodes.size() != static_cast<std::size_t>(std::popcount(size))) {
    return fail(ErrorCode::kMalformed, "frontier of {} leaves cannot have {} nodes", size,
                nodes.size());
  }
  Frontier frontier;
  frontier.size_ = size;
  frontier.nodes_ = std::move(nodes);
  return frontier;
}

}  // namespace bw::crypto
