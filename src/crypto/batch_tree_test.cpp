// SPDX-License-Identifier: Apache-2.0
#include "crypto/batch_tree.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <random>
#include <utility>

#include <gtest/gtest.h>

#include "crypto/merkle_testing.hpp"

namespace bw::crypto {
namespace {

using testing::Flip;
using testing::make_leaves;

// The definition, word for word.
Hash oracle(std::span<const Hash> leaves) {
  std::vector<Hash> groups;
  for (std::size_t i = 0; i < leaves.size(); i += 8) {
    const auto group = leaves.subspan(i, std::min<std::size_t>(8, leaves.size() - i));
    Bytes bytes{2};
    for (const Hash& leaf : group) bytes.insert(bytes.end(), leaf.bytes.begin(), leaf.bytes.end());
    groups.push_back(group.size() == 1 ? group[0] : sha256(bytes));
  }
  return testing::oracle(groups);
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

TEST(BatchTree, RootIsThatOfTheDefinition) {
  for (std::size_t count = 1; count <= 300; ++count) {
    const auto leaves = make_leaves(count);
    ASSERT_EQ(batch_root(leaves), oracle(leaves)) << count;
  }
}

TEST(MultiProof, EverySubsetAndEverySubsetOfItUpToTenLeaves) {
  for (std::size_t count = 1; count <= 10; ++count) {
    const auto leaves = make_leaves(count);
    const Hash root = oracle(leaves);
    for (std::uint32_t mask = 1; mask < 1U << count; ++mask) {
      const auto present = indices_of(mask);
      const auto shown = pick(leaves, present);
      const auto proof = multi_proof(leaves, present);
      ASSERT_EQ(*multi_proof_root(count, present, shown, proof), root);
      ASSERT_EQ(multi_proof_size(count, present), proof.size());
      for (std::uint32_t sub = mask; sub != 0; sub = (sub - 1) & mask) {
        const auto kept = indices_of(sub);
        const auto narrowed = narrow_multi_proof(count, present, shown, proof, kept);
        ASSERT_TRUE(narrowed) << narrowed.error().message;
        ASSERT_EQ(*narrowed, multi_proof(leaves, kept));
      }
    }
  }
}

// About one in `sparsity` of `from`, at least one.
std::vector<std::uint16_t> sample(std::span<const std::uint16_t> from, unsigned sparsity,
                                  std::mt19937& rng) {
  std::vector<std::uint16_t> out;
  std::ranges::copy_if(from, std::back_inserter(out), [&](auto) { return rng() % sparsity == 0; });
  if (out.empty()) out.push_back(from[rng() % from.size()]);
  return out;
}

std::vector<std::uint16_t> indices_below(std::size_t count) {
  std::vector<std::uint16_t> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(static_cast<std::uint16_t>(i));
  return out;
}

TEST(MultiProof, RandomSubsetsOfLargeBatchesHoldAndNoFlippedBitDoes) {
  std::mt19937 rng(7);
  for (unsigned round = 0; round < 120; ++round) {
    const std::size_t count = 1 + rng() % 300;
    const auto leaves = make_leaves(count);
    const Hash root = oracle(leaves);
    const auto present = sample(indices_below(count), 1 + round % 20, rng);
    auto shown = pick(leaves, present);
    auto proof = multi_proof(leaves, present);
    ASSERT_EQ(*multi_proof_root(count, present, shown, proof), root);
    ASSERT_EQ(multi_proof_size(count, present), proof.size());
    const auto kept = sample(present, 1 + round % 5, rng);
    ASSERT_EQ(*narrow_multi_proof(count, present, shown, proof, kept), multi_proof(leaves, kept));
    const Flip flip(rng());
    for (auto* const hashes : {&shown, &proof}) {
      if (hashes->empty()) continue;
      Hash& hash = (*hashes)[rng() % hashes->size()];
      const Hash good = std::exchange(hash, flip(hash));
      ASSERT_NE(*multi_proof_root(count, present, shown, proof), root);
      hash = good;
    }
  }
}

TEST(MultiProof, OfTheLargestBatchThatIndicesCanTell) {
  const auto leaves = make_leaves(65536);
  const std::vector<std::uint16_t> ends{0, 65535};
  const auto proof = multi_proof(leaves, ends);
  EXPECT_EQ(proof.size(), 2U * 7 + 2 * 12);
  EXPECT_EQ(*multi_proof_root(65536, ends, pick(leaves, ends), proof), batch_root(leaves));
}

TEST(MultiProof, OnlyTheOneShapeIsAcceptedOfRandomOnes) {
  std::mt19937 rng(11);
  const auto hashes = make_leaves(24);
  int accepted = 0;
  for (int round = 0; round < 50'000; ++round) {
    const std::size_t count = rng() % 20;
    std::vector<std::uint16_t> present(rng() % 4);
    for (std::uint16_t& index : present) index = static_cast<std::uint16_t>(rng() % 20);
    std::vector<std::uint16_t> kept(rng() % 4);
    for (std::uint16_t& index : kept) index = static_cast<std::uint16_t>(rng() % 20);
    const auto shown = std::span(hashes).first(rng() % 4);
    const auto proof = std::span(hashes).last(rng() % 14);

    const auto is_set = [](const std::vector<std::uint16_t>& indices, std::size_t below) {
      return !indices.empty() &&
             std::ranges::adjacent_find(indices, std::greater_equal<>{}) == indices.end() &&
             indices.back() < below;
    };
    const bool fits = is_set(present, count) && shown.size() == present.size() &&
                      proof.size() == multi_proof_size(count, present);
    ASSERT_EQ(multi_proof_root(count, present, shown, proof).has_value(), fits);
    const bool narrows = fits && is_set(kept, count) && std::ranges::includes(present, kept);
    ASSERT_EQ(narrow_multi_proof(count, present, shown, proof, kept).has_value(), narrows);
    accepted += fits ? 1 : 0;
  }
  EXPECT_GT(accepted, 100);
}

// The number of leaves comes from a stranger: the work must not grow with it.
TEST(MultiProof, AnAbsurdCountCostsNothing) {
  const std::vector<Hash> one(1);
  const std::vector<Hash> steps(61 + 7);
  const std::vector<std::uint16_t> first{0};
  const std::size_t most = ~std::size_t{0};
  EXPECT_EQ(multi_proof_size(most, first), steps.size());
  EXPECT_TRUE(multi_proof_root(most, first, one, steps));
  EXPECT_FALSE(multi_proof_root(most, first, one, one));
}

TEST(MultiProof, HostileShapesAreRefused) {
  const auto leaves = make_leaves(5);
  const std::vector<std::uint16_t> present{1, 3};
  const auto shown = pick(leaves, present);
  auto proof = multi_proof(leaves, present);
  const auto root_of = [&](std::vector<std::uint16_t> at, std::vector<Hash> with,
                           std::vector<Hash> by) { return multi_proof_root(5, at, with, by); };
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
