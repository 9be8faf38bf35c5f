// SPDX-License-Identifier: Apache-2.0
#include "link/network.hpp"

#include <cmath>
#include <thread>

#include <gtest/gtest.h>

#include "link/measure.hpp"

namespace bw::link {
namespace {

// Calls `check` on a thread of its own, which may leave this namespace. Skips where nobody may make
// namespaces or has TUN devices.
template <class F>
void with_network(const std::vector<Access>& accesses, F check) {
  auto network = Network::make(accesses, 1);
  if (!network && (network.error().code == ErrorCode::kDenied ||
                   network.error().code == ErrorCode::kUnsupported)) {
    GTEST_SKIP() << network.error().message;
  }
  ASSERT_TRUE(network) << network.error().message;
  std::thread([&] { check(**network); }).join();
}

double ms(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

// Stated tolerances: rate 4 %; least delay 1 ms; median 1.5 ms, of even jitter at its middle; loss
// five standard errors. The sending of a small packet counts as delay.
void expect_as_told(const Quality& told, const Measured& measured, const std::string& what) {
  EXPECT_NEAR(measured.bits_per_s / told.bits_per_s, 1, 0.04) << what;
  const double sending = 8 * 44 / told.bits_per_s * 1e3;
  EXPECT_GE(ms(measured.least), ms(told.delay) + sending - 0.01) << what;
  EXPECT_LE(ms(measured.least), ms(told.delay) + sending + 0.1 * ms(told.jitter) + 1) << what;
  // Those that do not overtake come out later than they would by themselves: with jitter J and one
  // packet each T, the median is at most J from the least.
  EXPECT_GE(ms(measured.median), ms(told.delay) + ms(told.jitter) / 2 - 1.5) << what;
  EXPECT_LE(ms(measured.median), ms(told.delay) + ms(told.jitter) + sending + 1.5) << what;
  EXPECT_LE(ms(measured.p99), ms(told.delay) + ms(told.jitter) + sending + 8) << what;
  const auto sent = static_cast<double>(measured.sent);
  EXPECT_NEAR(measured.loss, told.loss,
              5 * std::sqrt(told.loss * (1 - told.loss) / sent) + 1 / sent)
      << what;
}

TEST(Network, GivesWhatItWasTold) {
  const std::vector<Access> accesses{
      {.name = "slow",
       .up = {.bits_per_s = 0.5e6, .delay = 40ms, .jitter = 3ms, .loss = 0.1},
       .down = {.bits_per_s = 2e6, .delay = 15ms, .jitter = {}, .loss = 0}},
      {.name = "quick",
       .up = {.bits_per_s = 50e6, .delay = 5ms, .jitter = 1ms, .loss = 0},
       .down = {.bits_per_s = 100e6, .delay = 2ms, .jitter = {}, .loss = 0.03}}};
  with_network(accesses, [&](const Network& network) {
    const auto measured = measure(network, 2s, 700ms);
    ASSERT_TRUE(measured) << measured.error().message;
    for (std::size_t i = 0; i < accesses.size(); ++i) {
      const std::string name(accesses[i].name);
      expect_as_told(accesses[i].up, (*measured)[i].up, name + " up");
      expect_as_told(accesses[i].down, (*measured)[i].down, name + " down");
      EXPECT_GT(network.traffic(i).up_packets, (*measured)[i].up.sent);
      EXPECT_GT(network.traffic(i).down_bytes, 44 * (*measured)[i].down.sent * 9 / 10);
    }
  });
}

TEST(Network, HasNoMoreThanItsAddresses) {
  const auto network = Network::make(draw_accesses(Network::kMost + 1, 1), 1);
  ASSERT_FALSE(network);
  EXPECT_EQ(network.error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace bw::link
