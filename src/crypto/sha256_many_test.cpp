// SPDX-License-Identifier: Apache-2.0
#include "crypto/sha256_many.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace bw::crypto {
namespace {

Bytes bytes_of(std::size_t size, std::uint8_t seed) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(seed + 31 * i);
  return bytes;
}

// Every length around the ends of blocks, in prefix and tail, against OpenSSL alone.
TEST(Sha256Many, IsSha256ForEveryPrefixAndTail) {
  for (std::size_t before = 0; before <= 130; ++before) {
    const Bytes start = bytes_of(before, 7);
    const Sha256 prefix = Sha256().update(start);
    std::vector<Bytes> tails;
    for (std::size_t size = 0; size <= 200; ++size) tails.push_back(bytes_of(size, 99));
    std::vector<HashJob> jobs;
    for (const Bytes& tail : tails) jobs.push_back({&prefix, tail});
    std::vector<Hash> hashes(jobs.size());
    sha256_many(jobs, hashes);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      ASSERT_EQ(hashes[i], Sha256(prefix).update(tails[i]).finish()) << before << " + " << i;
    }
  }
}

RC_GTEST_PROP(Sha256Many, NeighboursOfAnyLengthDoNotDisturbEachOther, ()) {
  const auto tails = *rc::gen::container<std::vector<Bytes>>(
      rc::gen::container<Bytes>(rc::gen::arbitrary<std::uint8_t>()));
  const Sha256 odd = Sha256().update(bytes_of(33, 1));
  const Sha256 even = Sha256().update(bytes_of(64, 2));
  std::vector<HashJob> jobs;
  for (std::size_t i = 0; i < tails.size(); ++i)
    jobs.push_back({i % 2 == 0 ? &even : &odd, tails[i]});
  std::vector<Hash> hashes(jobs.size());
  sha256_many(jobs, hashes);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    RC_ASSERT(hashes[i] == Sha256(*jobs[i].prefix).update(tails[i]).finish());
  }
}

TEST(Sha256Many, LongMessagesAreNoDifferent) {
  const Sha256 empty;
  const Bytes longer = bytes_of(1'000'003, 5);
  const Bytes shorter = bytes_of(64 * 1024, 6);
  const std::array jobs{HashJob{&empty, longer}, HashJob{&empty, shorter}};
  std::array<Hash, 2> hashes;
  sha256_many(jobs, hashes);
  EXPECT_EQ(hashes[0], sha256(longer));
  EXPECT_EQ(hashes[1], sha256(shorter));
}

TEST(Sha256Many, MerkleLevelsAreNodesOfPairsAlsoInPlace) {
  for (std::size_t pairs = 0; pairs <= 40; ++pairs) {
    std::vector<Hash> children;
    for (std::size_t i = 0; i < 2 * pairs; ++i) children.push_back(sha256(bytes_of(i, 3)));
    std::vector<Hash> expected;
    for (std::size_t i = 0; i < pairs; ++i) {
      const std::uint8_t prefix = 1;
      expected.push_back(Sha256()
                             .update({&prefix, 1})
                             .update(children[2 * i].view())
                             .update(children[2 * i + 1].view())
                             .finish());
    }
    merkle_level(children, std::span(children).first(pairs));
    children.resize(pairs);
    EXPECT_EQ(children, expected) << pairs;
  }
}

}  // namespace
}  // namespace bw::crypto
