// SPDX-License-Identifier: Apache-2.0
#include "net/io_thread.hpp"

#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

namespace bw::net {
namespace {

TEST(IoThread, CallsRunThereAndAnswerHere) {
  IoThread thread;
  std::thread::id first;
  std::thread::id second;
  EXPECT_TRUE(thread.call([&]() -> Result<void> {
    first = std::this_thread::get_id();
    return {};
  }));
  const auto failed = thread.call([&]() -> Result<void> {
    second = std::this_thread::get_id();
    return fail(ErrorCode::kConflict, "no");
  });
  EXPECT_EQ(failed.error().code, ErrorCode::kConflict);
  EXPECT_EQ(first, second);
  EXPECT_NE(first, std::this_thread::get_id());
}

TEST(IoThread, JoiningFinishesWhatWasPosted) {
  int done = 0;
  IoThread thread;
  // Each posts the next, as the end of a session does.
  asio::post(thread.context(), [&] { asio::post(thread.context(), [&] { ++done; }); });
  thread.join();
  EXPECT_EQ(done, 1);
}

TEST(IoThread, WhatComesAfterJoiningIsDroppedNotDone) {
  int done = 0;
  const auto held = std::make_shared<int>();
  {
    IoThread thread;
    thread.join();
    asio::post(thread.context(), [&done, held] { ++done; });
  }
  EXPECT_EQ(done, 0);
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace bw::net
