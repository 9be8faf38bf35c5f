// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <vector>

#include "codec/rlp.hpp"
#include "crypto/keccak.hpp"
#include "evm/trie.hpp"

namespace bw::evm::testing {

// A Merkle-Patricia trie made the plain way from all its pairs: an oracle for roots, and a maker of
// proofs. Keys are of one length.
class PlainTrie {
 public:
  void put(const Bytes& key, const Bytes& value) { pairs_[nibbles(key)] = value; }

  Hash root() const {
    if (pairs_.empty()) return crypto::keccak256(Bytes{0x80});
    return crypto::keccak256(node(all(), 0));
  }
  // The nodes from the root towards the key, as far as they are named by hash.
  TrieProof prove(const Bytes& key) const {
    TrieProof proof;
    if (pairs_.empty()) return proof;
    const Nibbles path = nibbles(key);
    proof.push_back(node(all(), 0));
    descend(all(), 0, path, proof);
    return proof;
  }

 private:
  using Nibbles = std::vector<std::uint8_t>;
  using Pair = std::pair<Nibbles, Bytes>;
  using Pairs = std::vector<Pair>;

  static Nibbles nibbles(const Bytes& bytes) {
    Nibbles out;
    for (const std::uint8_t byte : bytes) {
      out.push_back(byte >> 4U);
      out.push_back(byte & 0xfU);
    }
    return out;
  }
  Pairs all() const { return {pairs_.begin(), pairs_.end()}; }

  static Bytes path_bytes(std::span<const std::uint8_t> path, bool leaf) {
    const bool odd = path.size() % 2 == 1;
    Nibbles whole{static_cast<std::uint8_t>((leaf ? 2U : 0U) + (odd ? 1U : 0U))};
    if (!odd) whole.push_back(0);
    whole.insert(whole.end(), path.begin(), path.end());
    Bytes out;
    for (std::size_t i = 0; i < whole.size(); i += 2) {
      out.push_back(static_cast<std::uint8_t>(whole[i] << 4U | whole[i + 1]));
    }
    return out;
  }
  static std::size_t common(const Pairs& pairs, std::size_t from) {
    const Nibbles& first = pairs.front().first;
    const Nibbles& last = pairs.back().first;
    std::size_t end = from;
    while (end < first.size() && first[end] == last[end]) ++end;
    return end;
  }
  static Pairs under(const Pairs& pairs, std::size_t at, std::uint8_t nibble) {
    Pairs out;
    for (const Pair& pair : pairs) {
      if (pair.first[at] == nibble) out.push_back(pair);
    }
    return out;
  }
  // As a parent holds it: whole when short, else by hash.
  static Bytes reference(const Bytes& encoded) {
    if (encoded.size() < 32) return encoded;
    Bytes out;
    codec::rlp_string(out, crypto::keccak256(encoded).view());
    return out;
  }
  static Bytes node(const Pairs& pairs, std::size_t from) {
    Bytes items;
    if (pairs.size() == 1) {
      codec::rlp_string(items, path_bytes(std::span(pairs[0].first).subspan(from), true));
      codec::rlp_string(items, pairs[0].second);
    } else if (const std::size_t end = common(pairs, from); end > from) {
      codec::rlp_string(items,
                        path_bytes(std::span(pairs[0].first).subspan(from, end - from), false));
      append(items, reference(node(pairs, end)));
    } else {
      for (std::uint8_t nibble = 0; nibble < 16; ++nibble) {
        const Pairs below = under(pairs, from, nibble);
        if (below.empty()) {
          codec::rlp_string(items, {});
        } else {
          append(items, reference(node(below, from + 1)));
        }
      }
      codec::rlp_string(items, {});
    }
    Bytes out;
    codec::rlp_list(out, items);
    return out;
  }
  static void descend(const Pairs& pairs, std::size_t from, const Nibbles& path, TrieProof& proof) {
    if (pairs.size() == 1) return;
    const std::size_t end = common(pairs, from);
    if (!std::equal(path.begin() + static_cast<std::ptrdiff_t>(from),
                    path.begin() + static_cast<std::ptrdiff_t>(end),
                    pairs[0].first.begin() + static_cast<std::ptrdiff_t>(from))) {
      return;
    }
    const Pairs below = end > from ? pairs : under(pairs, from, path[from]);
    if (below.empty()) return;
    const std::size_t next = end > from ? end : from + 1;
    const Bytes encoded = node(below, next);
    if (encoded.size() >= 32) proof.push_back(encoded);
    descend(below, next, path, proof);
  }

  std::map<Nibbles, Bytes> pairs_;
};

}  // namespace bw::evm::testing
