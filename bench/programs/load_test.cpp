// SPDX-License-Identifier: Apache-2.0
#include "programs/load.hpp"

#include <array>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "programs/tally.hpp"

namespace bw::bench {
namespace {

constexpr Nanos kMilli = 1'000'000;

struct Pipe {
  Pipe() { EXPECT_EQ(::pipe(ends.data()), 0); }
  ~Pipe() {
    for (const int end : ends) ::close(end);
  }
  std::array<int, 2> ends{};
};

std::array<std::uint8_t, kPayloadBytes> payload(std::uint64_t number, Nanos time = 0) {
  std::array<std::uint8_t, kPayloadBytes> bytes{};
  write_stamp({number, time}, bytes.data());
  return bytes;
}

Stamp send(Pacer& pacer, Nanos now) {
  std::array<std::uint8_t, kPayloadBytes> bytes{};
  pacer.next(bytes.data(), now);
  return read_stamp(bytes);
}

nlohmann::json report(Tally& tally) {
  return nlohmann::json::parse(tally.report());
}

TEST(Pacer, WindowClosesUntilTheSubscriberTellsHowFarItIs) {
  Pipe pipe;
  Pacer pacer({.window = 10, .chunk = 6, .progress_fd = pipe.ends[0]});
  const Nanos now = now_ns();
  pacer.start(now);
  EXPECT_EQ(pacer.allowance(now), 6U);
  for (std::uint64_t i = 0; i < 10; ++i) EXPECT_EQ(send(pacer, now).number, i);
  EXPECT_EQ(pacer.allowance(now), 0U);
  const std::array<std::uint64_t, 2> told{1, 4};
  ASSERT_EQ(::write(pipe.ends[1], told.data(), sizeof told), ssize_t{sizeof told});
  pacer.read_progress();
  EXPECT_EQ(pacer.allowance(now), 4U);
}

TEST(Pacer, EndsWhenTheTimeIsOver) {
  Pacer pacer({.warm_up = 0.25, .seconds = 0.75});
  pacer.start(1000 * kMilli);
  EXPECT_EQ(pacer.next_due(), 2000 * kMilli);
  EXPECT_FALSE(pacer.over(1999 * kMilli));
  EXPECT_TRUE(pacer.over(2000 * kMilli));
}

// What makes latencies honest: a message is due at its time, however late the sender is.
TEST(Pacer, AtAFixedRateMessagesCarryTheTimeTheyWereDue) {
  Pacer pacer({.warm_up = 0, .seconds = 0.1, .rate = 100});
  pacer.start(1000 * kMilli);
  EXPECT_EQ(pacer.allowance(1000 * kMilli), 1U);
  EXPECT_EQ(pacer.allowance(1035 * kMilli), 4U);
  for (Nanos i = 0; i < 10; ++i)
    EXPECT_EQ(send(pacer, 5000 * kMilli).time, (1000 + 10 * i) * kMilli);
  EXPECT_EQ(pacer.allowance(5000 * kMilli), 0U);
  EXPECT_TRUE(pacer.over(5000 * kMilli));
}

TEST(Tally, CountsWhatIsLostOnAnyConnection) {
  Tally tally({.connections = 2});
  for (const std::uint64_t number : {0U, 1U, 2U}) tally.message(0, payload(number));
  for (const std::uint64_t number : {0U, 2U}) tally.message(1, payload(number));
  tally.end_of_chunk();
  EXPECT_FALSE(tally.complete());
  tally.sent(3);
  EXPECT_FALSE(tally.complete());
  EXPECT_EQ(report(tally)["received"], 5);
  EXPECT_EQ(report(tally)["lost"], 1);
  tally.message(1, payload(1));
  EXPECT_TRUE(tally.complete());
  EXPECT_EQ(report(tally)["lost"], 0);
  EXPECT_EQ(report(tally)["disordered"], 1);
}

TEST(Tally, TellsThePublisherOfTheSlowestConnection) {
  Pipe pipe;
  Tally tally({.connections = 2, .window = 16, .progress_fd = pipe.ends[1]});
  for (std::uint64_t number = 0; number < 8; ++number) tally.message(0, payload(number));
  tally.end_of_chunk();
  for (std::uint64_t number = 0; number < 5; ++number) tally.message(1, payload(number));
  tally.end_of_chunk();
  std::array<std::uint64_t, 2> told{};
  EXPECT_EQ(::read(pipe.ends[0], told.data(), sizeof told), ssize_t{sizeof told[0]});
  EXPECT_EQ(told[0], 5U);
}

TEST(Tally, LatencyIsFromTheStampAndWithoutTheWarmUp) {
  Tally tally({.warm_up = 0.1, .rate = 100});
  const Nanos now = now_ns();
  for (std::uint64_t number = 0; number < 110; ++number) {
    const Nanos ago = number < 10 ? 5000 * kMilli : static_cast<Nanos>(number) * kMilli;
    tally.message(0, payload(number, now - ago));
  }
  EXPECT_EQ(report(tally)["samples"], 100);
  EXPECT_NEAR(report(tally)["p50_us"].get<double>(), 59'000, 500);
  EXPECT_NEAR(report(tally)["p99_us"].get<double>(), 108'000, 500);
  EXPECT_NEAR(report(tally)["p999_us"].get<double>(), 109'000, 500);
}

TEST(Tally, RefusesAPayloadOfAnotherSize) {
  Tally tally({});
  EXPECT_THROW(tally.message(0, Bytes(kPayloadBytes - 1)), std::runtime_error);
}

}  // namespace
}  // namespace bw::bench
