// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "base/check.hpp"
#include "codec/reader.hpp"
#include "crypto/merkle.hpp"

using namespace bw;

namespace {

constexpr std::size_t kMostLeaves = 64;

// A tree of 64 leaves with its first so many as a tree of their own.
class Tree : public crypto::SubtreeReader {
 public:
  Tree() {
    for (std::uint8_t i = 0; i < kMostLeaves; ++i) {
      leaves_.push_back(crypto::leaf_hash(std::array{i}));
    }
    for (std::size_t i = 0; i <= kMostLeaves; ++i) {
      roots_.push_back(crypto::merkle_root(std::span(leaves_).first(i)));
    }
  }
  [[nodiscard]] Result<Hash> subtree(unsigned level, std::uint64_t index) const override {
    return crypto::merkle_root(std::span(leaves_).subspan(index << level, std::size_t{1} << level));
  }
  [[nodiscard]] const Hash& leaf(std::size_t index) const { return leaves_[index]; }
  [[nodiscard]] const Hash& root(std::size_t size) const { return roots_[size]; }

 private:
  std::vector<Hash> leaves_;
  std::vector<Hash> roots_;
};

// Each hash is a number u8 of an honest one, or 255 and 32 bytes.
std::vector<Hash> shown(codec::Reader& input, std::span<const Hash> honest) {
  std::vector<Hash> proof;
  while (input.ok() && input.remaining() > 0) {
    const std::uint8_t number = input.u8();
    if (number == 255) {
      proof.push_back(input.id<Hash>());
    } else if (number < honest.size()) {
      proof.push_back(honest[number]);
    }
  }
  return proof;
}

void check_growth(const Tree& tree, std::size_t old_size, std::size_t size, codec::Reader& input) {
  const auto honest = crypto::consistency_proof(tree, old_size, size);
  BW_ASSERT(honest.has_value() == (old_size <= size));
  const auto proof = shown(input, honest.value_or(std::vector<Hash>{}));
  const auto accepted = [&](const std::vector<Hash>& some) {
    return crypto::verify_consistency(old_size, tree.root(old_size), size, tree.root(size), some);
  };
  BW_ASSERT(!honest || accepted(*honest));
  BW_ASSERT(accepted(proof) == (honest && proof == *honest));
}

void check_presence(const Tree& tree, std::size_t index, std::size_t size, codec::Reader& input) {
  const auto honest = crypto::inclusion_proof(tree, index, size);
  BW_ASSERT(honest.has_value() == (index < size));
  const auto proof = shown(input, honest.value_or(std::vector<Hash>{}));
  const auto accepted = [&](const std::vector<Hash>& some) {
    return crypto::verify_inclusion(tree.leaf(index % kMostLeaves), index, size, some,
                                    tree.root(size));
  };
  BW_ASSERT(!honest || accepted(*honest));
  BW_ASSERT(accepted(proof) == (honest && proof == *honest));
}

// Sizes as a stranger may claim them, with roots of his own.
void check_any(codec::Reader& input) {
  const std::uint64_t old_size = input.u64();
  const std::uint64_t size = input.u64();
  const Hash old_root = input.id<Hash>();
  const Hash root = input.id<Hash>();
  const auto proof = shown(input, std::array{old_root, root});
  if (crypto::verify_consistency(old_size, old_root, size, root, proof)) {
    BW_ASSERT(old_size <= size && proof.size() <= 65);
  }
  if (crypto::verify_inclusion(old_root, old_size, size, proof, root)) {
    BW_ASSERT(old_size < size && proof.size() <= 64);
  }
}

}  // namespace

// A kind u8 and what it takes. Of a true tree the honest proof is accepted and nothing else.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Tree kTree;
  codec::Reader input({data, size});
  const unsigned kind = input.u8() % 3U;
  if (kind == 2) {
    check_any(input);
    return 0;
  }
  const std::size_t first = input.u8() % (kMostLeaves + 1);
  const std::size_t second = input.u8() % (kMostLeaves + 1);
  if (!input.ok()) return 0;
  kind == 0 ? check_growth(kTree, first, second, input)
            : check_presence(kTree, first, second, input);
  return 0;
}
