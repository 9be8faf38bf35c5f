// SPDX-License-Identifier: Apache-2.0
#include "net/task_group.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include "net/loopback_testing.hpp"

namespace bw::net {
namespace {

class TaskGroupTest : public ::testing::Test, public testing::Loop {
 public:
  TaskGroup group{context.get_executor()};
  std::vector<std::string> log;
};

Task<void> say(std::vector<std::string>& log, std::string text) {
  log.push_back(std::move(text));
  co_return;
}

Task<void> sleep_long(std::vector<std::string>& log) {
  const bool slept = co_await sleep_for(3600s);
  log.push_back(slept ? "slept" : "cancelled");
}

TEST_F(TaskGroupTest, RunsTasksAndForgetsThem) {
  group.spawn(say(log, "one"));
  group.spawn(say(log, "two"));
  ASSERT_TRUE(turn_until([&] { return group.size() == 0; }));
  EXPECT_EQ(log, (std::vector<std::string>{"one", "two"}));
}

TEST_F(TaskGroupTest, JoinCancelsAndWaits) {
  group.spawn(sleep_long(log));
  group.spawn(sleep_long(log));
  context.poll();
  ASSERT_EQ(group.size(), 2U);
  run(group.join());
  EXPECT_EQ(group.size(), 0U);
  EXPECT_EQ(log, (std::vector<std::string>{"cancelled", "cancelled"}));
}

Task<void> fall(std::string text) {
  co_await sleep_for(1us);
  throw std::runtime_error(text);
}

Task<void> throw_when_cancelled() {
  asio::steady_timer timer(co_await asio::this_coro::executor, 3600s);
  co_await timer.async_wait(asio::use_awaitable);
}

TEST_F(TaskGroupTest, AFailureIsReportedAndHurtsNobodyElse) {
  std::vector<std::string> failures;
  group.on_failure([&](const std::exception_ptr& error) {
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& failure) {
      failures.emplace_back(failure.what());
    }
  });
  group.spawn(fall("broken"));
  group.spawn(sleep_long(log));
  group.spawn(throw_when_cancelled());
  ASSERT_TRUE(turn_until([&] { return group.size() == 2; }));
  EXPECT_EQ(failures, std::vector<std::string>{"broken"});
  run(group.join());
  EXPECT_EQ(failures.size(), 1U) << "a cancellation is not a failure";
  EXPECT_EQ(log, std::vector<std::string>{"cancelled"});
}

TEST_F(TaskGroupTest, WithoutAHandlerAFailureEndsTheTaskOnly) {
  group.spawn(fall("unheard"));
  ASSERT_TRUE(turn_until([&] { return group.size() == 0; }));
}

TEST_F(TaskGroupTest, CancellationSticksToWhatTheTaskDoesNext) {
  struct Stubborn {
    static Task<void> run(std::vector<std::string>& log) {
      for (int i = 0; i < 3; ++i) log.push_back(co_await sleep_for(3600s) ? "slept" : "woken");
    }
  };
  group.spawn(Stubborn::run(log));
  context.poll();
  group.cancel();
  ASSERT_TRUE(turn_until([&] { return group.size() == 0; }));
  EXPECT_EQ(log, (std::vector<std::string>{"woken", "woken", "woken"}));
}

TEST_F(TaskGroupTest, JoinEndsOperationsBegunAfterTheCancellation) {
  struct Late {
    static Task<void> run(std::vector<std::string>& log) {
      for (int i = 0; i < 2; ++i) {
        asio::steady_timer timer(co_await asio::this_coro::executor, 3600s);
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        log.push_back("woken");
      }
    }
  };
  group.spawn(Late::run(log));
  context.poll();
  run(group.join());
  EXPECT_EQ(log, (std::vector<std::string>{"woken", "woken"}));
}

TEST_F(TaskGroupTest, ATaskCancelledBeforeItsFirstStepIsDropped) {
  struct Spawner {
    static Task<void> run(TaskGroup& group, std::vector<std::string>& log) {
      group.spawn(sleep_long(log));
      group.cancel();
      co_await group.join();
      group.spawn(say(log, "used again"));
    }
  };
  run(Spawner::run(group, log));
  ASSERT_TRUE(turn_until([&] { return group.size() == 0; }));
  EXPECT_EQ(log.back(), "used again");
  EXPECT_EQ(std::count(log.begin(), log.end(), "slept"), 0);
}

Task<void> with_children(std::vector<std::string>& log) {
  TaskGroup children(co_await asio::this_coro::executor);
  children.spawn(sleep_long(log));
  children.spawn(sleep_long(log));
  co_await sleep_for(3600s);
  co_await children.join();
  log.push_back("parent");
}

TEST_F(TaskGroupTest, ACancelledTaskCanJoinItsOwnGroup) {
  group.spawn(with_children(log));
  context.poll();
  run(group.join());
  EXPECT_EQ(log, (std::vector<std::string>{"cancelled", "cancelled", "parent"}));
}

TEST_F(TaskGroupTest, SpawningWhileJoiningDropsTheTask) {
  struct Respawner {
    static Task<void> run(TaskGroup& group, std::vector<std::string>& log) {
      co_await sleep_for(3600s);
      group.spawn(say(log, "too late"));
    }
  };
  group.spawn(Respawner::run(group, log));
  context.poll();
  run(group.join());
  context.poll();
  EXPECT_TRUE(log.empty());
}

TEST_F(TaskGroupTest, ThousandsOfTasks) {
  for (int i = 0; i < 5000; ++i) group.spawn(sleep_long(log));
  context.poll();
  EXPECT_EQ(group.size(), 5000U);
  run(group.join());
  EXPECT_EQ(log.size(), 5000U);
}

TEST_F(TaskGroupTest, SleepsItsTime) {
  const auto before = std::chrono::steady_clock::now();
  EXPECT_TRUE(run(sleep_for(20ms)));
  EXPECT_GE(std::chrono::steady_clock::now() - before, 20ms);
}

TEST(TaskGroupDeathTest, AGroupLeftWithTasksIsABug) {
  EXPECT_DEATH(
      {
        asio::io_context context;
        std::vector<std::string> log;
        TaskGroup group(context.get_executor());
        group.spawn(sleep_long(log));
      },
      "signals.empty");
}

}  // namespace
}  // namespace bw::net
