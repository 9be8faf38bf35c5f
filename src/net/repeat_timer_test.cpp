// SPDX-License-Identifier: Apache-2.0
#include "net/repeat_timer.hpp"

#include <optional>

#include <gtest/gtest.h>

namespace bw::net {
namespace {

TEST(RepeatTimer, LooksAgainWhileSomethingWaits) {
  asio::io_context context;
  int looks = 0;
  RepeatTimer timer(context, 1us, [&] { return ++looks < 3; });
  timer.start();
  context.run();  // ends, because nothing waits any more
  EXPECT_EQ(looks, 3);
  context.restart();
  timer.start();
  context.run();
  EXPECT_EQ(looks, 4);
}

TEST(RepeatTimer, RunsOnceHoweverOftenItIsStarted) {
  asio::io_context context;
  int looks = 0;
  std::optional<RepeatTimer> timer;
  timer.emplace(context, 1us, [&] {
    timer->start();
    timer->start();
    return ++looks < 2 || (timer->stop(), false);
  });
  timer->start();
  timer->start();
  context.run();
  EXPECT_EQ(looks, 2);
}

TEST(RepeatTimer, KeepsNobodyWaitingOnceStoppedOrGone) {
  asio::io_context context;
  RepeatTimer stopped(context, 3600s, [] { return true; });
  stopped.start();
  stopped.stop();
  {
    RepeatTimer gone(context, 3600s, [] { return true; });
    gone.start();
  }
  context.run();
}

TEST(RepeatTimer, StartsAgainAfterAStop) {
  asio::io_context context;
  int looks = 0;
  RepeatTimer timer(context, 1us, [&] { return ++looks < 1; });
  timer.start();
  timer.stop();
  timer.start();
  context.run();
  EXPECT_EQ(looks, 1);
}

}  // namespace
}  // namespace bw::net
