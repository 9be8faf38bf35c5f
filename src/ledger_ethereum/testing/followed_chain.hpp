// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "ledger_ethereum/follower_round.hpp"
#include "ledger_ethereum/testing/fake_chain.hpp"
#include "ledger_ethereum/testing/memory_sink.hpp"
#include "net/loopback_testing.hpp"
#include "store/testing/temp_directory.hpp"

namespace bw::ledger_ethereum::testing {

class SetClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override { return at; }
  Time at = from_seconds(kChainStart + 10'000'000);
};

// A chain whose entries a node follows through two endpoints, a and b, round by round.
class FollowedChain : public net::testing::Loop {
 public:
  explicit FollowedChain(std::uint64_t confirmations = 2) {
    options.registry = kRegistry;
    options.registry_code = kRegistryCode;
    options.deployment_block = kDeployed;
    options.confirmations = confirmations;
    options.marks = directory / "marks";
    options.poll = 1ms;
    chain.mine_empty(kDeployed);
    connect();
  }

  // Endpoints that nothing is held against.
  void connect() { connect({{chain, a}, {chain, b}}); }
  using Shown = std::pair<const FakeChain&, FakeRpc::Behaviour&>;
  void connect(const std::vector<Shown>& shown) {
    std::vector<std::unique_ptr<Endpoint>> all;
    for (const auto& [what, how] : shown) {
      const std::string name(1, static_cast<char>('a' + all.size()));
      all.push_back(std::make_unique<Endpoint>(std::make_unique<FakeRpc>(name, what, how)));
    }
    heads.reset();
    endpoints.emplace(std::move(all), log, clock,
                      EndpointsOptions{.retry_first = 1us, .retry_most = 2us, .grace = 1us});
    heads.emplace(*endpoints, clock, TrustPolicy{});
  }

  // The node starts, with what it has on disk.
  Result<void> start() {
    holding.emplace(sink, clock, log, options.marks, options.registry, options.deployment_block);
    return holding->load();
  }
  Result<void> look() {
    if (!holding) {
      if (auto started = start(); !started) return started;
    }
    Round round(*endpoints, *heads, *holding, options);
    auto done = run(round.run());
    found = round.found();
    return done;
  }

  // What is to be held once all is followed.
  std::vector<Bytes> confirmed_entries() const {
    const std::uint64_t top = chain.height();
    return chain.entries(top - std::min(top, options.confirmations));
  }
  std::optional<Error> lie_of(std::size_t endpoint) const {
    return endpoints->status()[endpoint].lie;
  }

  FakeChain chain;
  FakeRpc::Behaviour a;
  FakeRpc::Behaviour b;
  SetClock clock;
  telemetry::Log log{{.level = telemetry::Level::kError, .limited_per_second = 0.001}};
  store::testing::TempDirectory directory;
  FollowerOptions options;
  MemorySink sink;
  std::optional<Endpoints> endpoints;
  std::optional<HeadSource> heads;
  std::optional<Holding> holding;
  Round::Found found;
};

}  // namespace bw::ledger_ethereum::testing
