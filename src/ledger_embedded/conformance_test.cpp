// SPDX-License-Identifier: Apache-2.0
#include "ledger/testing/conformance.hpp"

#include "ledger_embedded/testing/world.hpp"

namespace bw::ledger::testing {
namespace {

namespace et = ledger_embedded::testing;

// Submits over the network, as every node but the ledger's own does.
class FollowedLedger final : public LedgerUnderTest {
 public:
  FollowedLedger() {
    const auto started = follower_.start(server_.server->address());
    EXPECT_TRUE(started.has_value()) << started.error().message;
  }
  Ledger& ledger() override { return *follower_.client; }
  std::vector<Bytes> followed() override { return et::entries_of(*follower_.store); }
  Time now() override { return clock_.now(); }
  bool run_until(const std::function<bool()>& done) override { return loop_.turn_until(done); }

 private:
  net::testing::Loop loop_;
  et::ManualClock clock_;
  et::ServerNode server_{loop_, clock_};
  et::FollowerNode follower_{loop_, clock_};
};

// The node that is the ledger: it holds what was appended at once.
class OwnLedger final : public LedgerUnderTest {
 public:
  Ledger& ledger() override { return *server_.server; }
  std::vector<Bytes> followed() override { return et::entries_of(*server_.store); }
  Time now() override { return clock_.now(); }
  bool run_until(const std::function<bool()>& done) override { return loop_.turn_until(done); }

 private:
  net::testing::Loop loop_;
  et::ManualClock clock_;
  et::ServerNode server_{loop_, clock_};
};

INSTANTIATE_TEST_SUITE_P(EmbeddedFollowed, LedgerConformance,
                         ::testing::Values([] { return std::make_unique<FollowedLedger>(); }));
INSTANTIATE_TEST_SUITE_P(EmbeddedOwn, LedgerConformance,
                         ::testing::Values([] { return std::make_unique<OwnLedger>(); }));

}  // namespace
}  // namespace bw::ledger::testing
