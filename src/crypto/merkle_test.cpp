// SPDX-License-Identifier: Apache-2.0
#include "crypto/merkle.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <random>

#include "crypto/sha256.hpp"

namespace bw::crypto {
namespace {

// The definition, word for word: MTH and nothing clever (RFC 9162 section 2.1.1).
Hash oracle(std::span<const Hash> leaves) {
  if (leaves.empty()) return sha256({});
  if (leaves.size() == 1) return leaves[0];
  const std::size_t split = std::bit_floor(leaves.size() - 1);
  return node_hash(oracle(leaves.first(split)), oracle(leaves.subspan(split)));
}

std::vector<Hash> make_leaves(std::size_t count) {
  std::vector<Hash> leaves;
  for (std::size_t i = 0; i < count; ++i) {
    leaves.push_back(leaf_hash(as_bytes("leaf " + std::to_string(i))));
  }
  return leaves;
}

class MemoryTree : public SubtreeReader {
 public:
  explicit MemoryTree(std::vector<Hash> leaves) : leaves_(std::move(leaves)) {}
  Result<Hash> subtree(unsigned level, std::uint64_t index) const override {
    const std::size_t width = std::size_t{1} << level;
    if ((index + 1) * width > leaves_.size()) return fail(ErrorCode::kNotFound, "no such subtree");
    return oracle(std::span(leaves_).subspan(index * width, width));
  }

 private:
  std::vector<Hash> leaves_;
};

// The leaves and roots that certificate-transparency implementations share.
TEST(Merkle, CertificateTransparencyVectors) {
  const char* leaves[] = {"", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                          "606162636465666768696a6b6c6d6e6f"};
  const char* roots[] = {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                         "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                         "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                         "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                         "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                         "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                         "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                         "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  Frontier frontier;
  EXPECT_EQ(to_hex(frontier.root().view()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  for (std::size_t i = 0; i < 8; ++i) {
    frontier.add(leaf_hash(*from_hex(leaves[i])));
    EXPECT_EQ(to_hex(frontier.root().view()), roots[i]) << i;
  }
}

TEST(Merkle, RootAndFrontierAgreeWithTheDefinition) {
  const auto leaves = make_leaves(300);
  Frontier frontier;
  for (std::size_t n = 0; n <= leaves.size(); ++n) {
    const Hash expected = oracle(std::span(leaves).first(n));
    ASSERT_EQ(frontier.root(), expected) << n;
    ASSERT_EQ(merkle_root(std::span(leaves).first(n)), expected) << n;
    const auto restored = Frontier::restore(n, {frontier.nodes().begin(), frontier.nodes().end()});
    ASSERT_EQ(restored->root(), expected);
    if (n < leaves.size()) frontier.add(leaves[n]);
  }
  EXPECT_FALSE(Frontier::restore(3, {Hash{}}));
}

TEST(Merkle, EveryInclusionProofUpTo100LeavesHoldsAndNoOther) {
  const auto leaves = make_leaves(100);
  const MemoryTree tree(leaves);
  for (std::uint64_t size = 1; size <= leaves.size(); ++size) {
    const Hash root = oracle(std::span(leaves).first(size));
    for (std::uint64_t index = 0; index < size; ++index) {
      auto proof = *inclusion_proof(tree, index, size);
      ASSERT_TRUE(verify_inclusion(leaves[index], index, size, proof, root));
      ASSERT_FALSE(verify_inclusion(leaves[(index + 1) % leaves.size()], index, size, proof, root));
      ASSERT_FALSE(verify_inclusion(leaves[index], size, size, proof, root));
      if (!proof.empty()) {
        proof[proof.size() / 2].bytes[7] ^= 1;
        ASSERT_FALSE(verify_inclusion(leaves[index], index, size, proof, root));
        proof[proof.size() / 2].bytes[7] ^= 1;
      }
      proof.push_back(root);
      ASSERT_FALSE(verify_inclusion(leaves[index], index, size, proof, root));
    }
  }
  EXPECT_FALSE(inclusion_proof(tree, 5, 5));
}

TEST(Merkle, EveryConsistencyProofUpTo80LeavesHoldsAndNoOther) {
  const auto leaves = make_leaves(80);
  const MemoryTree tree(leaves);
  for (std::uint64_t size = 0; size <= leaves.size(); ++size) {
    const Hash root = oracle(std::span(leaves).first(size));
    ASSERT_EQ(*root_at(tree, size), root);
    for (std::uint64_t old = 0; old <= size; ++old) {
      const Hash old_root = oracle(std::span(leaves).first(old));
      auto proof = *consistency_proof(tree, old, size);
      ASSERT_TRUE(verify_consistency(old, old_root, size, root, proof)) << old << " " << size;
      Hash wrong = old_root;
      wrong.bytes[0] ^= 1;
      ASSERT_FALSE(verify_consistency(old, wrong, size, root, proof));
      for (Hash& step : proof) {
        step.bytes[31] ^= 0x80;
        ASSERT_FALSE(verify_consistency(old, old_root, size, root, proof));
        step.bytes[31] ^= 0x80;
      }
      proof.push_back(root);
      ASSERT_FALSE(verify_consistency(old, old_root, size, root, proof));
    }
  }
  EXPECT_FALSE(verify_consistency(7, leaves[0], 6, leaves[0], {}));
}

std::vector<Hash> pick(std::span<const Hash> leaves, std::span<const std::uint16_t> indices) {
  std::vector<Hash> out;
  for (const std::uint16_t index : indices) out.push_back(leaves[index]);
  return out;
}

std::vector<std::uint16_t> indices_of(std::uint32_t mask) {
  std::vector<std::uint16_t> out;
  for (std::uint16_t i = 0; i < 32; ++i) {
    if ((mask >> i & 1U) != 0) out.push_back(i);
  }
  return out;
}

TEST(MultiProof, EverySubsetAndEverySubsetOfItUpToSevenLeaves) {
  for (std::size_t count = 1; count <= 7; ++count) {
    const auto leaves = make_leaves(count);
    const Hash root = oracle(leaves);
    for (std::uint32_t mask = 1; mask < 1U << count; ++mask) {
      const auto present = indices_of(mask);
      const auto shown = pick(leaves, present);
      const auto proof = multi_proof(leaves, present);
      ASSERT_EQ(*multi_proof_root(count, present, shown, proof), root);
      for (std::uint32_t sub = mask; sub != 0; sub = (sub - 1) & mask) {
        const auto kept = indices_of(sub);
        const auto narrowed = narrow_multi_proof(count, present, shown, proof, kept);
        ASSERT_TRUE(narrowed) << narrowed.error().message;
        ASSERT_EQ(*narrowed, multi_proof(leaves, kept));
      }
    }
  }
}

TEST(MultiProof, RandomSubsetsOfLargeBatches) {
  std::mt19937 rng(7);
  for (int round = 0; round < 60; ++round) {
    const std::size_t count = 1 + rng() % 300;
    const auto leaves = make_leaves(count);
    std::vector<std::uint16_t> present;
    for (std::uint16_t i = 0; i < count; ++i) {
      if (rng() % 4 == 0) present.push_back(i);
    }
    if (present.empty()) present.push_back(0);
    const auto proof = multi_proof(leaves, present);
    EXPECT_EQ(*multi_proof_root(count, present, pick(leaves, present), proof), oracle(leaves));
  }
}

TEST(MultiProof, HostileShapesAreRefused) {
  const auto leaves = make_leaves(5);
  const std::vector<std::uint16_t> present{1, 3};
  const auto shown = pick(leaves, present);
  auto proof = multi_proof(leaves, present);
  const auto root_of = [&](std::vector<std::uint16_t> at, std::vector<Hash> with, std::vector<Hash> by) {
    return multi_proof_root(5, at, with, by);
  };
  EXPECT_FALSE(root_of({}, {}, proof));
  EXPECT_FALSE(root_of({3, 1}, shown, proof));
  EXPECT_FALSE(root_of({1, 1}, shown, proof));
  EXPECT_FALSE(root_of({1, 5}, shown, proof));
  EXPECT_FALSE(root_of({1, 3}, {shown[0]}, proof));
  EXPECT_FALSE(root_of({1, 3}, shown, {proof[0]}));
  auto longer = proof;
  longer.push_back(proof[0]);
  EXPECT_FALSE(root_of({1, 3}, shown, longer));
  EXPECT_NE(*root_of({0, 3}, shown, proof), oracle(leaves));
  EXPECT_FALSE(narrow_multi_proof(5, present, shown, proof, std::vector<std::uint16_t>{2}));
}

}  // namespace
}  // namespace bw::crypto
