// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/keys.hpp"
#include "ledger/ledger.hpp"
#include "ledger_ethereum/head_source.hpp"
#include "ledger_ethereum/network.hpp"
#include "store/authority_store.hpp"
#include "telemetry/log.hpp"

namespace bw::ledger_ethereum {

struct EthereumOptions {
  Network network;
  std::vector<std::string> endpoints;  // URLs, best first
  TrustPolicy trust;
  std::uint64_t confirmations = 12;
  bool finalized = false;
  std::filesystem::path marks;  // the follower's file
  std::optional<crypto::SigningKey> funding;
  Wei max_fee = 0;  // for one unit of gas
};

// The ledger on a chain: follows it into a sink, trusting no endpoint for more than the policy
// says, and puts on it what is submitted, if somebody pays.
//
// Lives on one io_context thread; submit() and status() may be called from any.
class Ethereum : public ledger::Ledger {
 public:
  // `store`: where `sink` keeps the entries. kInvalidArgument for a URL that is not one.
  static Result<std::unique_ptr<Ethereum>> make(net::asio::io_context& context,
                                                ledger::RewindableSink& sink,
                                                const store::AuthorityStore& store,
                                                const Clock& clock, telemetry::Log& log,
                                                EthereumOptions options);
  ~Ethereum() override;

  // Whether the endpoints serve the network's chain and contracts: see check_network().
  net::Task<Result<void>> check();
  // Begins to follow, once check() passed: again and again until it does.
  void start();
  net::Task<void> stop();

  void submit(std::vector<Bytes> objects, SubmitDone done) override;
  [[nodiscard]] ledger::Status status() const override;

 private:
  struct Impl;
  explicit Ethereum(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace bw::ledger_ethereum
