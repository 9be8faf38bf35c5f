// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/marks.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "crypto/sha256.hpp"
#include "store/testing/temp_directory.hpp"

namespace bw::ledger_ethereum {
namespace {

Mark mark_of(std::uint64_t block) {
  return {.size = block / 3,
          .root = crypto::sha256(as_bytes(std::to_string(block))),
          .block = block,
          .hash = crypto::sha256(as_bytes("b" + std::to_string(block)))};
}

FollowerMemory some_memory() {
  FollowerMemory memory;
  for (std::uint64_t block = 7; block < 900; block += 1 + block % 5)
    memory.marks.add(mark_of(block));
  memory.suspects[to_bytes("\x03one")] = from_seconds(1'700'000'000);
  memory.suspects[to_bytes("\x03two")] = from_seconds(1'700'000'001);
  return memory;
}

constexpr Address kHere{1};

TEST(Marks, ThereIsOneNotMuchBelowAnyDepth) {
  Marks marks;
  constexpr std::uint64_t kTop = 200'000;
  for (std::uint64_t block = 10; block <= kTop; ++block) marks.add(mark_of(block));
  const auto& all = marks.all();
  EXPECT_EQ(all.front().block, 10U);
  EXPECT_EQ(all.back().block, kTop);
  EXPECT_LT(all.size(), 1000U);
  for (std::size_t i = 1; i < all.size(); ++i) {
    const std::uint64_t depth = kTop - all[i].block;
    EXPECT_LE(all[i].block - all[i - 1].block, 1 + depth / 16) << depth;
  }
}

TEST(Marks, BlocksFarApartAreFewToo) {
  Marks marks;
  for (std::uint64_t i = 0; i < 3000; ++i) marks.add(mark_of(i * 1'000'000));
  EXPECT_LT(marks.all().size(), 1000U);
}

TEST(Marks, ComeBackFromDisk) {
  const store::testing::TempDirectory directory;
  const auto file = directory / "marks";
  EXPECT_EQ(*load_memory(file, kHere), FollowerMemory{});
  const FollowerMemory memory = some_memory();
  ASSERT_TRUE(save_memory(file, memory, kHere).has_value());
  EXPECT_EQ(*load_memory(file, kHere), memory);
  EXPECT_EQ(load_memory(file, Address{2}).error().code, ErrorCode::kConflict);
}

TEST(Marks, DamageIsNoticed) {
  const Bytes whole = encode(some_memory(), kHere);
  for (std::size_t at = 0; at < whole.size(); at += 1 + at / 50) {
    Bytes damaged = whole;
    damaged[at] ^= 4U;
    EXPECT_FALSE(parse_memory(damaged, kHere).has_value()) << at;
    EXPECT_FALSE(parse_memory(ByteView(whole).first(at), kHere).has_value()) << at;
  }
}

RC_GTEST_PROP(Marks, NothingThatIsReadIsFatal, (Bytes body)) {
  // With the right frame, so that what is inside is looked at.
  Bytes bytes = to_bytes("BWMARKS1");
  append(bytes, kHere);
  append(bytes, body);
  append(bytes, crypto::sha256(bytes).view());
  const auto memory = parse_memory(bytes, kHere);
  if (memory) RC_ASSERT(encode(*memory, kHere).size() <= bytes.size());
}

}  // namespace
}  // namespace bw::ledger_ethereum
