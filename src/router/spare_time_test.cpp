// SPDX-License-Identifier: Apache-2.0
#include "router/spare_time.hpp"

#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

namespace bw::router {
namespace {

using Clock = std::chrono::steady_clock;

class SpareTimeTest : public ::testing::Test {
 protected:
  static EntityKey entity(std::uint8_t number) {
    EntityKey key;
    key.bytes[0] = number;
    return key;
  }

  // Does pieces of `each` for ever, one after the other.
  void work(std::uint8_t who, Duration each) {
    auto piece = std::make_shared<std::optional<SpareTime::Piece>>();
    piece->emplace(spare, entity(who));
    (*piece)->when_its_turn([this, who, each, piece] {
      net::asio::post(context, [this, who, each, piece] {
        (*piece)->begins();
        const auto until = Clock::now() + each;
        while (Clock::now() < until) {
        }
        done[who] += each;
        piece->reset();
        if (!enough) work(who, each);
      });
    });
  }
  void run_for(Duration time, bool with_values) {
    const auto until = Clock::now() + time;
    while (Clock::now() < until) {
      if (with_values) ++values;
      context.run_one_for(1ms);
    }
    enough = true;
    spare.hurry();
    context.run();
  }

  net::asio::io_context context{1};
  ValuesTaken values = 0;
  SpareTime spare{context, values};
  std::map<int, Duration> done;
  bool enough = false;
};

TEST_F(SpareTimeTest, GetsItsShareWhileValuesCome) {
  ++values;
  work(1, 50us);
  run_for(300ms, true);
  EXPECT_LT(done[1], 40ms);
  EXPECT_GT(done[1], 2ms);
}

TEST_F(SpareTimeTest, GetsEverythingWhileNoneCome) {
  work(1, 50us);
  // No time passes but that of the work.
  for (int i = 0; i < 1000; ++i) context.poll_one();
  EXPECT_GE(done[1], 40ms);
  enough = true;
  context.run();
}

TEST_F(SpareTimeTest, IsSharedByEntitiesHoweverMuchEachAsksFor) {
  for (int i = 0; i < 20; ++i) work(1, 50us);
  work(2, 50us);
  run_for(300ms, true);
  const double ratio = static_cast<double>(done[1].count()) / static_cast<double>(done[2].count());
  EXPECT_GT(ratio, 0.6);
  EXPECT_LT(ratio, 1.6);
}

TEST_F(SpareTimeTest, WhoeverGivesUpKeepsNobodyWaiting) {
  SpareTime::Piece first(spare, entity(1));
  first.when_its_turn([] {});
  std::optional<SpareTime::Piece> second;
  second.emplace(spare, entity(2)).when_its_turn([] { ADD_FAILURE(); });
  bool third_served = false;
  SpareTime::Piece third(spare, entity(3));
  third.when_its_turn([&] { third_served = true; });
  second.reset();
  {
    SpareTime::Piece over(spare, entity(4));
  }
  EXPECT_FALSE(third_served);
  spare.hurry();
  EXPECT_FALSE(third_served);  // the first is not done
}

}  // namespace
}  // namespace bw::router
