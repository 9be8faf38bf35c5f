// SPDX-License-Identifier: Apache-2.0
#include "node/open_files.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace bw::node {
namespace {

TEST(OpenFiles, AreAsManyAsTheSystemAllows) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit few = before;
  few.rlim_cur = std::min<rlim_t>(64, before.rlim_max);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  EXPECT_EQ(raise_open_files(), before.rlim_max);
  rlimit after{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_EQ(after.rlim_cur, before.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST(OpenFiles, ConnectionsLeaveSomeForTheRest) {
  const net::ListenerLimits limits{.connections = 20'000, .per_address = 10'000};
  EXPECT_EQ(fit(limits, 1'000'000, 2).connections, 20'000U);
  EXPECT_EQ(fit(limits, 1'000'000, 2).per_address, 10'000U);
  const auto shared = fit(limits, 9'024, 2);
  EXPECT_EQ(shared.connections, 4'000U);
  EXPECT_EQ(shared.per_address, 2'000U);
  const auto scarce = fit(limits, 100, 1);
  EXPECT_EQ(scarce.connections, 50U);
  EXPECT_EQ(scarce.per_address, 25U);
  EXPECT_EQ(fit(limits, 0, 2).connections, 1U);
}

}  // namespace
}  // namespace bw::node
