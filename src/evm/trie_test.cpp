// SPDX-License-Identifier: Apache-2.0
#include "evm/trie.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/text.hpp"
#include "evm/testing/plain_trie.hpp"

namespace bw::evm {
namespace {

using testing::PlainTrie;

// Keys as in state: hashes. Few bytes of them, so that they share beginnings and some nodes are
// shorter than a hash.
Bytes key_of(std::uint8_t number) {
  const Hash hash = crypto::keccak256(Bytes{number});
  return {hash.bytes.begin(), hash.bytes.begin() + 2};
}

struct Sample {
  explicit Sample(const std::map<std::uint8_t, std::uint16_t>& pairs) {
    for (const auto& [number, value] : pairs) {
      Bytes encoded;
      codec::rlp_integer(encoded, std::uint64_t{value} + 1);
      // Longer than a hash now and then, so that nodes are named and not held whole.
      encoded.resize(value % 3 == 0 ? 40 : encoded.size(), 7);
      trie.put(key_of(number), encoded);
      values[key_of(number)] = encoded;
    }
  }
  PlainTrie trie;
  std::map<Bytes, Bytes> values;
};

// Ethereum's TrieTests: the empty trie, and the pairs of trieanyorder.json that need no value at a
// branch ("foo"; "smallValues" has keys of two lengths).
TEST(PlainTrie, GivesTheOfficialRootsOfSmallTries) {
  EXPECT_EQ(to_hex(PlainTrie{}.root().view()),
            "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
  PlainTrie single;
  single.put(to_bytes("A"), to_bytes(std::string(50, 'a')));
  EXPECT_EQ(to_hex(single.root().view()),
            "d23786fb4a010da3ce639d66d5e904a11dbc02746d1ce25029e53290cabf28ab");
}

RC_GTEST_PROP(TrieProof, ShowsWhatIsThereAndWhatIsNot,
              (std::map<std::uint8_t, std::uint16_t> pairs)) {
  const Sample sample(pairs);
  const Hash root = sample.trie.root();
  for (int number = 0; number < 256; ++number) {
    const Bytes key = key_of(static_cast<std::uint8_t>(number));
    const auto found = prove_value(root, key, sample.trie.prove(key));
    RC_ASSERT(found.has_value());
    const auto expected = sample.values.find(key);
    RC_ASSERT(found->has_value() == (expected != sample.values.end()));
    if (*found) RC_ASSERT(**found == expected->second);
  }
}

// No change of a proof shows anything else, whatever it changes.
RC_GTEST_PROP(TrieProof, ChangedByOneBitShowsNothing,
              (std::map<std::uint8_t, std::uint16_t> pairs, std::uint8_t wanted,
               std::uint32_t which)) {
  const Sample sample(pairs);
  const Bytes key = key_of(wanted);
  TrieProof proof = sample.trie.prove(key);
  RC_PRE(!proof.empty());
  Bytes& node = proof[which % proof.size()];
  node[(which / 16) % node.size()] ^= static_cast<std::uint8_t>(1U << which % 8);
  RC_ASSERT(!prove_value(sample.trie.root(), key, proof).has_value());
}

RC_GTEST_PROP(TrieProof, OfAnotherTrieOrCutShortShowsNothing,
              (std::map<std::uint8_t, std::uint16_t> pairs, std::uint8_t wanted)) {
  const Sample sample(pairs);
  const Bytes key = key_of(wanted);
  TrieProof proof = sample.trie.prove(key);
  RC_PRE(!proof.empty());
  RC_ASSERT(!prove_value(crypto::keccak256(Bytes{1, 2, 3}), key, proof).has_value());
  proof.pop_back();
  RC_ASSERT(!prove_value(sample.trie.root(), key, proof).has_value());
}

RC_GTEST_PROP(TrieProof, AnyBytesAreAnswered, (std::vector<Bytes> nodes, Bytes key)) {
  if (nodes.empty()) return;
  (void)prove_value(crypto::keccak256(nodes.front()), key, nodes);
}

}  // namespace
}  // namespace bw::evm
