// SPDX-License-Identifier: Apache-2.0
#include "base/check.hpp"
#include "codec/reader.hpp"
#include "evm/testing/plain_trie.hpp"

using namespace bw;

namespace {

constexpr std::uint8_t kPairs = 48;

Bytes key_of(std::uint8_t number) {
  // The first bytes are shared by some, so that there are branches at several depths.
  return {static_cast<std::uint8_t>(number % 3), static_cast<std::uint8_t>(number / 16),
          static_cast<std::uint8_t>(number * 37), number};
}

struct World {
  World() {
    for (std::uint8_t i = 0; i < kPairs; ++i) {
      // Short ones stand inside their parent, long ones are named by their hash.
      values.emplace_back(i % 5 == 0 ? 1U : 40U, static_cast<std::uint8_t>(i + 1));
      trie.put(key_of(i), values.back());
    }
    root = trie.root();
    for (std::uint8_t i = 0; i < kPairs; ++i) {
      for (Bytes& node : trie.prove(key_of(i))) nodes.push_back(std::move(node));
    }
  }

  evm::testing::PlainTrie trie;
  std::vector<Bytes> values;
  std::vector<Bytes> nodes;  // of all honest proofs
  Hash root;
};

// Each node is a number u8 of an honest one, or 255 and a string of its own.
evm::TrieProof shown(codec::Reader& input, const std::vector<Bytes>& honest) {
  evm::TrieProof proof;
  while (input.ok() && input.remaining() > 0 && proof.size() < 80) {
    const std::uint8_t number = input.u8();
    if (number == 255) {
      const std::size_t length = std::min<std::size_t>(input.u8(), input.remaining());
      const ByteView bytes = input.bytes(length);
      proof.emplace_back(bytes.begin(), bytes.end());
    } else {
      proof.push_back(honest[number % honest.size()]);
    }
  }
  return proof;
}

}  // namespace

// A root u8 (0: the true one, else the hash of the first node shown), a key u8 (of a pair that
// there is, or not), nodes. Of the true root nothing is proved but what is true.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const World kWorld;
  codec::Reader input({data, size});
  const bool own_root = input.u8() != 0;
  const std::uint8_t number = input.u8();
  if (!input.ok()) return 0;
  const Bytes key = key_of(number);
  const evm::TrieProof proof = shown(input, kWorld.nodes);
  if (own_root) {
    if (!proof.empty()) {
      (void)evm::prove_value(crypto::keccak256(proof.front()), key, proof);
    }
    return 0;
  }
  const auto proved = evm::prove_value(kWorld.root, key, proof);
  if (!proved) return 0;
  BW_ASSERT(proved->has_value() == (number < kPairs));
  if (*proved) BW_ASSERT(**proved == kWorld.values[number]);
  return 0;
}
