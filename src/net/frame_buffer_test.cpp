// SPDX-License-Identifier: Apache-2.0
#include "net/frame_buffer.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/limits.hpp"
#include "net/loopback_testing.hpp"

namespace bw::net {
namespace {

using testing::frame;

void put(FrameBuffer& buffer, ByteView bytes) {
  const auto room = buffer.room(bytes.size());
  ASSERT_GE(room.size(), bytes.size());
  std::copy(bytes.begin(), bytes.end(), room.begin());
  buffer.commit(bytes.size());
}

RC_GTEST_PROP(FrameBuffer, GivesBackWhatWasPutInHoweverItArrives, (std::vector<Bytes> bodies)) {
  Bytes stream;
  std::erase_if(bodies, [](const Bytes& body) { return body.empty(); });
  for (const Bytes& body : bodies) append(stream, frame(body));

  FrameBuffer buffer;
  std::vector<Bytes> got;
  std::size_t sent = 0;
  while (sent < stream.size()) {
    const auto piece = *rc::gen::inRange<std::size_t>(1, stream.size() - sent + 1);
    put(buffer, ByteView(stream).subspan(sent, piece));
    sent += piece;
    std::vector<ByteView> frames;
    RC_ASSERT(buffer.split(limits::kFrameBytes, frames).has_value());
    for (const ByteView body : frames) got.push_back(to_bytes(body));
    if (*rc::gen::arbitrary<bool>()) buffer.shrink();
  }
  RC_ASSERT(got == bodies);
  RC_ASSERT(buffer.held() == 0U);
}

TEST(FrameBuffer, ALengthReservesNothing) {
  FrameBuffer buffer;
  const Bytes start = {0x00, 0x40, 0x00, 0x00, 'x'};  // 4 MiB
  put(buffer, start);
  std::vector<ByteView> frames;
  ASSERT_TRUE(buffer.split(limits::kFrameBytes, frames));
  EXPECT_TRUE(frames.empty());
  EXPECT_LT(buffer.capacity(), 1024U);
}

TEST(FrameBuffer, RefusesALengthAboveTheLimitAndZero) {
  for (const auto& [length, code] : {std::pair{Bytes{0, 0, 8, 1}, ErrorCode::kTooLarge},
                                     std::pair{Bytes{0xff, 0xff, 0xff, 0xff}, ErrorCode::kTooLarge},
                                     std::pair{Bytes{0, 0, 0, 0}, ErrorCode::kMalformed}}) {
    FrameBuffer buffer;
    put(buffer, length);
    std::vector<ByteView> frames;
    const auto cut = buffer.split(2048, frames);
    ASSERT_FALSE(cut);
    EXPECT_EQ(cut.error().code, code);
  }
}

TEST(FrameBuffer, HandsOutGoodFramesBeforeItRefusesABadOne) {
  FrameBuffer buffer;
  put(buffer, frame("good"));
  put(buffer, frame(Bytes(100)));
  std::vector<ByteView> frames;
  ASSERT_TRUE(buffer.split(50, frames));
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(as_text(frames[0]), "good");

  frames.clear();
  EXPECT_FALSE(buffer.split(50, frames));
  ASSERT_TRUE(buffer.split(100, frames));  // had the limit been raised in between
  EXPECT_EQ(frames.size(), 1U);
}

TEST(FrameBuffer, GivesMemoryBackAfterALargeFrame) {
  FrameBuffer buffer;
  put(buffer, frame(Bytes(limits::kFrameBytes)));
  put(buffer, Bytes{0, 0, 0, 9, 'p', 'a', 'r', 't'});
  std::vector<ByteView> frames;
  ASSERT_TRUE(buffer.split(limits::kFrameBytes, frames));
  ASSERT_EQ(frames.size(), 1U);
  buffer.shrink();
  EXPECT_LT(buffer.capacity(), 1024U);
  EXPECT_EQ(buffer.held(), 8U);
}

}  // namespace
}  // namespace bw::net
