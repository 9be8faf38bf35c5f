// SPDX-License-Identifier: Apache-2.0
#include "ledger/testing/conformance.hpp"

#include <cstdlib>
#include <stdexcept>

#include "ledger_ethereum/deploy.hpp"
#include "ledger_ethereum/ethereum.hpp"
#include "ledger_ethereum/funding_key.hpp"
#include "net/loopback_testing.hpp"
#include "replica/replica.hpp"
#include "store/testing/authority_probe.hpp"

// The conformance of a ledger on a chain that runs: BW_CHAIN_URL is an endpoint of it, of WebSocket
// so that blocks are heard of when they come, and BW_CHAIN_KEY the file of a key that can pay
// there, BW_CHAIN_OTHER_KEY that of another. Somebody must make a block when a transaction waits
// (test_conformance.py).
namespace bw::ledger::testing {
namespace {

namespace le = ledger_ethereum;

constexpr le::Wei kMaxFee = 100'000'000'000;

class WallClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  }
};

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return *std::move(result);
}

std::string told(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) {
    throw std::runtime_error(std::string(name) + " is not set; run test_conformance.py");
  }
  return value;
}

crypto::SigningKey payer(const char* variable) {
  return must(le::read_funding_key(told(variable), nullptr));
}

// A node that follows a Registry, and pays for what it puts there.
class Node {
 public:
  Node(net::testing::Loop& loop, const Clock& clock, telemetry::Log& log, le::Network network,
       crypto::SigningKey funding)
      : loop_(loop), replica_(*store_, clock, false) {
    le::EthereumOptions options;
    options.network = std::move(network);
    options.endpoints = {told("BW_CHAIN_URL")};
    options.confirmations = 0;
    options.marks = directory_ / "marks";
    options.funding = std::move(funding);
    options.max_fee = kMaxFee;
    ethereum_ =
        must(le::Ethereum::make(loop_.context, replica_, *store_, clock, log, std::move(options)));
    const auto right = loop_.run(ethereum_->check());
    if (!right) throw std::runtime_error(right.error().message);
    ethereum_->start();
    // From then on it knows the time.
    EXPECT_TRUE(loop_.turn_until([this] { return ethereum_->status().connected; }));
  }
  ~Node() { loop_.run(ethereum_->stop()); }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  [[nodiscard]] Ledger& ledger() { return *ethereum_; }
  [[nodiscard]] const replica::Replica& replica() const { return replica_; }
  [[nodiscard]] std::vector<ObjectId> grants(const EntityKey& ns, const EntityKey& grantee) const {
    return store::testing::dots_of(store_->granted_to(ns, grantee));
  }

 private:
  net::testing::Loop& loop_;
  store::testing::TempDirectory directory_;
  std::unique_ptr<store::AuthorityStore> store_ =
      store::testing::opened_store(directory_ / "store");
  replica::Replica replica_;
  std::unique_ptr<le::Ethereum> ethereum_;
};

// A Registry of its own.
class LedgerOnChain final : public LedgerUnderTest {
 public:
  Ledger& ledger() override { return node_.ledger(); }
  Ledger& other_ledger() override {
    if (!other_) other_.emplace(loop_, clock_, log_, network_, payer("BW_CHAIN_OTHER_KEY"));
    return other_->ledger();
  }
  std::array<std::vector<ObjectId>, 2> grants(const EntityKey& ns,
                                              const EntityKey& grantee) override {
    return {node_.grants(ns, grantee), other_->grants(ns, grantee)};
  }
  std::vector<Bytes> followed() override {
    return must(node_.replica().read(0, limits::kFrameBytes));
  }
  // Of the latest block.
  Time now() override {
    return std::chrono::floor<std::chrono::seconds>(node_.ledger().status().heard_at);
  }
  bool run_until(const std::function<bool()>& done) override { return loop_.turn_until(done); }

 private:
  le::Network deployed() {
    le::Endpoint endpoint(must(le::make_rpc({.url = told("BW_CHAIN_URL")})));
    le::PayOptions options;
    options.max_fee = kMaxFee;
    options.patience = 30s;
    return must(
        loop_.run(le::deploy(endpoint, payer("BW_CHAIN_KEY"), "conformance", std::move(options))));
  }

  net::testing::Loop loop_;
  WallClock clock_;
  telemetry::Log log_{{.level = telemetry::Level::kError, .limited_per_second = 0.001}};
  le::Network network_ = deployed();
  Node node_{loop_, clock_, log_, network_, payer("BW_CHAIN_KEY")};
  std::optional<Node> other_;
};

INSTANTIATE_TEST_SUITE_P(Ethereum, LedgerConformance,
                         ::testing::Values([] { return std::make_unique<LedgerOnChain>(); }));

}  // namespace
}  // namespace bw::ledger::testing
