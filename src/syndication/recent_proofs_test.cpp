// SPDX-License-Identifier: Apache-2.0
#include "syndication/recent_proofs.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"

namespace bw::syndication {
namespace {

Hash name(std::size_t number) {
  Hash hash;
  for (std::size_t i = 0; i < 4; ++i)
    hash.bytes[8 + i] = static_cast<std::uint8_t>(number >> 8 * i);
  return hash;
}

TEST(RecentProofs, TheOldestGoesFirstWhateverIsSentAgain) {
  RecentProofs proofs;
  for (std::size_t i = 0; i < limits::kProofsPerSession; ++i) proofs.add(name(i), 100, nullptr);
  proofs.add(name(0), 100, nullptr);
  EXPECT_TRUE(proofs.contains(name(0)));
  proofs.add(name(limits::kProofsPerSession), 100, nullptr);
  EXPECT_FALSE(proofs.contains(name(0)));
  EXPECT_TRUE(proofs.contains(name(1)));
}

TEST(RecentProofs, BytesAreBounded) {
  RecentProofs proofs;
  const std::size_t most = limits::kProofBytesPerSession / limits::kProofBytes;
  for (std::size_t i = 0; i <= most; ++i) proofs.add(name(i), limits::kProofBytes, nullptr);
  EXPECT_FALSE(proofs.contains(name(0)));
  EXPECT_TRUE(proofs.contains(name(1)));
  EXPECT_TRUE(proofs.contains(name(most)));
}

TEST(RecentProofs, FindsWhatWasAdded) {
  RecentProofs proofs;
  const auto proof = std::make_shared<const wave::Proof>();
  proofs.add(name(1), 2, proof);
  EXPECT_EQ(proofs.find(name(1)), proof);
  EXPECT_EQ(proofs.find(name(2)), nullptr);
}

}  // namespace
}  // namespace bw::syndication
