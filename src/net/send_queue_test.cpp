// SPDX-License-Identifier: Apache-2.0
#include "net/send_queue.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace bw::net {
namespace {

SharedBytes share(Bytes bytes) {
  return std::make_shared<const Bytes>(std::move(bytes));
}

// Takes the next bytes out.
Bytes take(SendQueue& queue, std::size_t most) {
  Bytes scratch(most);
  Bytes taken = to_bytes(queue.front(scratch));
  queue.pop(taken.size());
  return taken;
}

RC_GTEST_PROP(SendQueue, IsOneStreamHoweverItIsCut, ()) {
  SendQueue queue;
  Bytes put;
  Bytes got;
  const auto steps = *rc::gen::inRange(0, 60);
  for (int i = 0; i < steps; ++i) {
    if (*rc::gen::arbitrary<bool>()) {
      const auto piece = *rc::gen::nonEmpty<Bytes>();
      append(put, piece);
      queue.push(share(piece), *rc::gen::arbitrary<bool>());
    } else {
      const auto most = *rc::gen::inRange<std::size_t>(1, 50);
      const std::size_t left = queue.bytes();
      const Bytes taken = take(queue, most);
      RC_ASSERT(taken.size() == std::min(most, left));
      append(got, taken);
    }
    RC_ASSERT(queue.bytes() == put.size() - got.size());
    RC_ASSERT(queue.empty() == (put.size() == got.size()));
  }
  while (!queue.empty()) append(got, take(queue, 7));
  RC_ASSERT(got == put);
  RC_ASSERT(queue.take_lost() == 0U);
}

class FullQueue : public ::testing::Test {
 public:
  static constexpr std::size_t kSize = 1U << 20U;
  static constexpr std::size_t kRoom = limits::kSessionQueueBytes / kSize;

  void push(std::uint8_t number, bool droppable) {
    queue.push(share(Bytes(kSize, number)), droppable);
  }
  std::vector<int> numbers() {
    std::vector<int> all;
    while (!queue.empty()) all.push_back(take(queue, kSize).front());
    return all;
  }

  SendQueue queue;
};

TEST_F(FullQueue, LosesTheOldestThatMayBeLost) {
  push(200, false);
  for (std::size_t i = 1; i < kRoom + 3; ++i) push(static_cast<std::uint8_t>(i), true);
  EXPECT_EQ(queue.bytes(), limits::kSessionQueueBytes);
  EXPECT_EQ(queue.take_lost(), 3U);
  EXPECT_EQ(queue.take_lost(), 0U);
  const auto left = numbers();
  EXPECT_EQ(left[0], 200);
  EXPECT_EQ(left[1], 4);
  EXPECT_EQ(left.back(), static_cast<int>(kRoom + 2));
}

TEST_F(FullQueue, NeverLosesWhatMayNotBeLost) {
  for (std::size_t i = 0; i < kRoom + 5; ++i) push(1, false);
  EXPECT_EQ(queue.bytes(), limits::kSessionQueueBytes + 5 * kSize);
  push(2, true);
  EXPECT_EQ(queue.take_lost(), 1U) << "there was room for none, so the new one went";
  EXPECT_EQ(numbers(), std::vector<int>(kRoom + 5, 1));
}

TEST_F(FullQueue, KeepsAnEntryThatHasBegun) {
  for (std::size_t i = 0; i < kRoom; ++i) push(static_cast<std::uint8_t>(i), true);
  Bytes scratch(1);
  queue.pop(queue.front(scratch).size());
  push(100, true);
  EXPECT_EQ(queue.take_lost(), 1U);
  EXPECT_EQ(take(queue, kSize - 1), Bytes(kSize - 1, 0)) << "the rest of the first";
  EXPECT_EQ(take(queue, kSize).front(), 2) << "the second was lost";
}

}  // namespace
}  // namespace bw::net
