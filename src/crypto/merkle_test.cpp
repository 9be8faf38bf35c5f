// SPDX-License-Identifier: Apache-2.0
#include "crypto/merkle.hpp"

#include <random>
#include <utility>

#include <gtest/gtest.h>

#include "crypto/merkle_testing.hpp"
#include "crypto/sha256.hpp"

namespace bw::crypto {
namespace {

using testing::Flip;
using testing::make_leaves;
using testing::oracle;

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
  const char* leaves[] = {"",
                          "00",
                          "10",
                          "2021",
                          "3031",
                          "40414243",
                          "5051525354555657",
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

TEST(Merkle, AStoredTreeGrowsOnFromAnySize) {
  const auto leaves = make_leaves(70);
  const MemoryTree tree(leaves);
  for (std::size_t size = 0; size <= leaves.size(); ++size) {
    auto frontier = frontier_at(tree, size);
    ASSERT_TRUE(frontier.has_value());
    EXPECT_EQ(frontier->root(), oracle(std::span(leaves).first(size)));
    for (std::size_t i = size; i < leaves.size(); ++i) frontier->add(leaves[i]);
    EXPECT_EQ(frontier->root(), oracle(leaves));
  }
  EXPECT_FALSE(frontier_at(tree, 71).has_value());
}

TEST(Merkle, EveryInclusionProofUpTo130LeavesHoldsAndNoOther) {
  const auto leaves = make_leaves(130);
  const MemoryTree tree(leaves);
  for (std::uint64_t size = 1; size <= leaves.size(); ++size) {
    const Hash root = oracle(std::span(leaves).first(size));
    for (std::uint64_t index = 0; index < size; ++index) {
      auto proof = *inclusion_proof(tree, index, size);
      ASSERT_TRUE(verify_inclusion(leaves[index], index, size, proof, root));
      ASSERT_FALSE(verify_inclusion(leaves[(index + 1) % leaves.size()], index, size, proof, root));
      ASSERT_FALSE(verify_inclusion(leaves[index], size, size, proof, root));
      if (size > 1) {
        ASSERT_FALSE(verify_inclusion(leaves[index], (index + 1) % size, size, proof, root));
      }
      const Flip flip(index + size);
      ASSERT_FALSE(verify_inclusion(flip(leaves[index]), index, size, proof, root));
      ASSERT_FALSE(verify_inclusion(leaves[index], index, size, proof, flip(root)));
      for (Hash& step : proof) {
        const Hash good = std::exchange(step, flip(step));
        ASSERT_FALSE(verify_inclusion(leaves[index], index, size, proof, root));
        step = good;
      }
      if (!proof.empty()) {
        const std::span<const Hash> shorter = std::span(proof).first(proof.size() - 1);
        ASSERT_FALSE(verify_inclusion(leaves[index], index, size, shorter, root));
      }
      proof.push_back(root);
      ASSERT_FALSE(verify_inclusion(leaves[index], index, size, proof, root));
    }
  }
  EXPECT_EQ(inclusion_proof(tree, 5, 5).error().code, ErrorCode::kInvalidArgument);
}

TEST(Merkle, EveryConsistencyProofUpTo130LeavesHoldsAndNoOther) {
  const auto leaves = make_leaves(130);
  const MemoryTree tree(leaves);
  for (std::uint64_t size = 0; size <= leaves.size(); ++size) {
    const Hash root = oracle(std::span(leaves).first(size));
    ASSERT_EQ(*root_at(tree, size), root);
    for (std::uint64_t old = 0; old <= size; ++old) {
      const Hash old_root = oracle(std::span(leaves).first(old));
      auto proof = *consistency_proof(tree, old, size);
      ASSERT_TRUE(verify_consistency(old, old_root, size, root, proof)) << old << " " << size;
      const Flip flip(old + size);
      ASSERT_FALSE(verify_consistency(old, flip(old_root), size, root, proof));
      // Any tree extends the empty one.
      ASSERT_EQ(verify_consistency(old, old_root, size, flip(root), proof), old == 0 && size != 0);
      for (Hash& step : proof) {
        const Hash good = std::exchange(step, flip(step));
        ASSERT_FALSE(verify_consistency(old, old_root, size, root, proof));
        step = good;
      }
      if (!proof.empty()) {
        const std::span<const Hash> shorter = std::span(proof).first(proof.size() - 1);
        ASSERT_FALSE(verify_consistency(old, old_root, size, root, shorter));
      }
      proof.push_back(root);
      ASSERT_FALSE(verify_consistency(old, old_root, size, root, proof));
    }
  }
  EXPECT_FALSE(verify_consistency(7, leaves[0], 6, leaves[0], {}));
  EXPECT_EQ(consistency_proof(tree, 7, 6).error().code, ErrorCode::kInvalidArgument);
}

// The hashes of a proof would lead to the right root; the sizes it is said to be for are wrong.
TEST(Merkle, ProofsForAnotherSizeAreRefused) {
  const auto leaves = make_leaves(64);
  const MemoryTree tree(leaves);
  for (std::uint64_t size = 2; size <= leaves.size(); ++size) {
    const Hash root = *root_at(tree, size);
    const auto last = *inclusion_proof(tree, size - 1, size);
    ASSERT_FALSE(verify_inclusion(leaves[size - 1], 0, 1, last, root));
    for (std::uint64_t old = 1; old < size; ++old) {
      const auto path = *inclusion_proof(tree, old, size);
      ASSERT_FALSE(verify_inclusion(leaves[old], old, 2 * size, path, root));
      auto growth = *consistency_proof(tree, old, size);
      const Hash old_root = *root_at(tree, old);
      ASSERT_FALSE(verify_consistency(old, old_root, 2 * size, root, growth));
      // Both trees as the right half of larger ones.
      growth.push_back(leaves[0]);
      ASSERT_FALSE(verify_consistency(old, node_hash(leaves[0], old_root), size,
                                      node_hash(leaves[0], root), growth));
    }
  }
}

TEST(Merkle, WhatTheReaderCannotReadIsPassedOn) {
  const MemoryTree tree(make_leaves(5));
  EXPECT_EQ(root_at(tree, 6).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(inclusion_proof(tree, 0, 6).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(consistency_proof(tree, 5, 6).error().code, ErrorCode::kNotFound);
}

// Every leaf the same, so a tree of any size is known without holding it.
class UniformTree : public SubtreeReader {
 public:
  UniformTree() {
    roots_.push_back(leaf_hash({}));
    for (int level = 1; level < 64; ++level) {
      roots_.push_back(node_hash(roots_.back(), roots_.back()));
    }
  }
  Result<Hash> subtree(unsigned level, std::uint64_t) const override { return roots_.at(level); }

 private:
  std::vector<Hash> roots_;
};

TEST(Merkle, TreesOfEverySizeA64BitNumberCanTell) {
  const UniformTree tree;
  const std::uint64_t most = ~std::uint64_t{0};
  const std::uint64_t sizes[] = {1,           2,        3,   1ULL << 32U, (1ULL << 40U) + 3,
                                 1ULL << 63U, most - 1, most};
  for (const std::uint64_t size : sizes) {
    const Hash root = *root_at(tree, size);
    for (const std::uint64_t index : {std::uint64_t{0}, size / 3, size / 2, size - 1}) {
      const auto proof = *inclusion_proof(tree, index, size);
      ASSERT_LE(proof.size(), 64U);
      EXPECT_TRUE(verify_inclusion(leaf_hash({}), index, size, proof, root))
          << index << " " << size;
    }
    for (const std::uint64_t old : sizes) {
      if (old > size) continue;
      const auto proof = *consistency_proof(tree, old, size);
      ASSERT_LE(proof.size(), 65U);
      EXPECT_TRUE(verify_consistency(old, *root_at(tree, old), size, root, proof))
          << old << " " << size;
    }
  }
}

TEST(Merkle, VerifyingGarbageEndsAndFails) {
  std::mt19937_64 rng(3);
  const auto garbage = make_leaves(200);
  const auto number = [&] { return rng() >> rng() % 64; };
  for (int round = 0; round < 20'000; ++round) {
    const std::span<const Hash> proof = std::span(garbage).first(rng() % 200);
    const std::uint64_t size = number();
    const std::uint64_t other = number();
    ASSERT_FALSE(verify_inclusion(garbage[0], other, size, proof, garbage[199]));
    ASSERT_FALSE(verify_consistency(other, garbage[198], size, garbage[199], proof));
  }
}

}  // namespace
}  // namespace bw::crypto
