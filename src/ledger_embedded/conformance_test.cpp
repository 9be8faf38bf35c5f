// SPDX-License-Identifier: Apache-2.0
#include "ledger/testing/conformance.hpp"

#include "ledger_embedded/testing/world.hpp"

namespace bw::ledger::testing {
namespace {

namespace et = ledger_embedded::testing;

void follow(et::FollowerNode& follower, const et::ServerNode& server) {
  const auto started = follower.start(server.server->address());
  EXPECT_TRUE(started.has_value()) << started.error().message;
}

std::vector<ObjectId> grants_in(const store::AuthorityStore& store, const EntityKey& ns,
                                const EntityKey& grantee) {
  return store::testing::dots_of(store.granted_to(ns, grantee));
}

// Submits over the network, as every node but the ledger's own does.
class FollowedLedger final : public LedgerUnderTest {
 public:
  FollowedLedger() { follow(follower_, server_); }
  Ledger& ledger() override { return *follower_.client; }
  Ledger& other_ledger() override {
    if (!other_.client) follow(other_, server_);
    return *other_.client;
  }
  std::array<std::vector<ObjectId>, 2> grants(const EntityKey& ns,
                                              const EntityKey& grantee) override {
    return {grants_in(*follower_.store, ns, grantee), grants_in(*other_.store, ns, grantee)};
  }
  std::vector<Bytes> followed() override { return et::entries_of(*follower_.store); }
  Time now() override { return clock_.now(); }
  bool run_until(const std::function<bool()>& done) override { return loop_.turn_until(done); }

 private:
  net::testing::Loop loop_;
  et::ManualClock clock_;
  et::ServerNode server_{loop_, clock_};
  et::FollowerNode follower_{loop_, clock_};
  et::FollowerNode other_{loop_, clock_};
};

// The node that is the ledger: it holds what was appended at once.
class OwnLedger final : public LedgerUnderTest {
 public:
  Ledger& ledger() override { return *server_.server; }
  Ledger& other_ledger() override {
    if (!other_.client) follow(other_, server_);
    return *other_.client;
  }
  std::array<std::vector<ObjectId>, 2> grants(const EntityKey& ns,
                                              const EntityKey& grantee) override {
    return {grants_in(*server_.store, ns, grantee), grants_in(*other_.store, ns, grantee)};
  }
  std::vector<Bytes> followed() override { return et::entries_of(*server_.store); }
  Time now() override { return clock_.now(); }
  bool run_until(const std::function<bool()>& done) override { return loop_.turn_until(done); }

 private:
  net::testing::Loop loop_;
  et::ManualClock clock_;
  et::ServerNode server_{loop_, clock_};
  et::FollowerNode other_{loop_, clock_};
};

INSTANTIATE_TEST_SUITE_P(EmbeddedFollowed, LedgerConformance,
                         ::testing::Values([] { return std::make_unique<FollowedLedger>(); }));
INSTANTIATE_TEST_SUITE_P(EmbeddedOwn, LedgerConformance,
                         ::testing::Values([] { return std::make_unique<OwnLedger>(); }));

}  // namespace
}  // namespace bw::ledger::testing
