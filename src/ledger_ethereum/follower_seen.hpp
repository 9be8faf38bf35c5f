// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "crypto/merkle.hpp"
#include "ledger_ethereum/endpoint.hpp"

namespace bw::ledger_ethereum {

// What earlier rounds found out about blocks that the chain may still take back, so that a head
// costs one proof and its own logs, however many confirmations are waited for. It is about blocks
// by their hashes, and true of them whatever becomes of the chain.
class Seen {
 public:
  // The ledger's tree as a block's state proved it.
  void proved(const Hash& block, const crypto::Frontier& tree) {
    if (tree_of(block)) return;
    trees_.emplace_back(block, tree);
    if (trees_.size() > kTrees) trees_.pop_front();
  }
  [[nodiscard]] const crypto::Frontier* tree_of(const Hash& block) const {
    const auto found = std::ranges::find(trees_, block, &std::pair<Hash, crypto::Frontier>::first);
    return found == trees_.end() ? nullptr : &found->second;
  }

  // That the revocations in the logs up to this block, from a confirmed one on, are told already.
  struct Tip {
    std::uint64_t number = 0;
    Hash hash;
    crypto::Frontier tree;
    Time whole_at;  // of the block up to which they were last read from a confirmed one on
  };
  std::optional<Tip> tip;

 private:
  // Beside the confirmations that most wait for.
  static constexpr std::size_t kTrees = 64;

  std::deque<std::pair<Hash, crypto::Frontier>> trees_;
};

}  // namespace bw::ledger_ethereum
