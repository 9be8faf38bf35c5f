// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "ledger_ethereum/submitter.hpp"
#include "ledger_ethereum/testing/fake_ledger_chain.hpp"
#include "ledger_ethereum/testing/known_map.hpp"
#include "net/loopback_testing.hpp"
#include "net/task_group.hpp"

namespace bw::ledger_ethereum::testing {

inline constexpr Wei kGwei = 1'000'000'000;

class HandClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override { return now_; }
  void advance(Duration by) { now_ += by; }

 private:
  Time now_ = ledger::testing::kNow;
};

struct WorldOptions {
  std::uint64_t confirmations = 1;
  Duration deadline = 3600s;
  Duration halted_after = 3600s;
};

// A submitter on a chain in memory, whose clock and blocks the test turns.
class SubmitterWorld : public net::testing::Loop {
 public:
  using Outcomes = std::vector<ledger::Submitted>;
  struct Answered {
    std::optional<Result<Outcomes>> result;
    [[nodiscard]] const Outcomes& outcomes() const { return result->value(); }
  };
  using Answer = std::shared_ptr<Answered>;

  SubmitterWorld() { chain.market = {.base_fee = 10 * kGwei, .tip = kGwei}; }
  SubmitterWorld(const SubmitterWorld&) = delete;
  SubmitterWorld& operator=(const SubmitterWorld&) = delete;
  ~SubmitterWorld() { stop(); }

  void start(const WorldOptions& options = {}, Wei funds = 1'000'000'000 * kGwei) {
    chain.fund(account(), funds);
    submitter_.emplace(chain, known, wallet_key(), clock, log_,
                       SubmitterOptions{.registry = kRegistry,
                                        .chain_id = kChainId,
                                        .confirmations = options.confirmations,
                                        .max_fee = 100 * kGwei,
                                        .poll = 1ms,
                                        .deadline = options.deadline,
                                        .stuck_blocks = 3,
                                        .halted_after = options.halted_after});
    tasks_.spawn(submitter_->run());
  }
  void stop() { run(tasks_.join()); }

  [[nodiscard]] Submitter& submitter() { return *submitter_; }
  [[nodiscard]] Address account() const { return crypto::account_of(wallet_key()); }

  Answer submit_bytes(std::vector<Bytes> objects) {
    auto answer = std::make_shared<Answered>();
    submitter_->submit(std::move(objects), [answer](Result<Outcomes> outcomes) {
      EXPECT_FALSE(answer->result.has_value()) << "answered twice";
      answer->result = std::move(outcomes);
    });
    return answer;
  }
  Answer submit(const std::vector<wave::Object>& objects) {
    return submit_bytes(ledger::testing::all_bytes(objects));
  }
  bool answered(const Answer& answer) {
    return turn_until([&] { return answer->result.has_value(); });
  }
  // Empty with a failure of the test when one was refused.
  static std::vector<std::uint64_t> places(const Answer& answer) {
    std::vector<std::uint64_t> places;
    if (!answer->result || !*answer->result) {
      ADD_FAILURE() << (answer->result ? answer->result->error().message : "no answer");
      return {};
    }
    for (const auto& outcome : answer->outcomes()) {
      if (outcome.index) {
        places.push_back(*outcome.index);
      } else {
        ADD_FAILURE() << outcome.refusal.message;
      }
    }
    return places;
  }

  // A block for each look until it is answered.
  void mined_until_answered(const Answer& answer) {
    while (!answer->result) {
      chain.mine();
      const std::size_t from = chain.looks();
      const bool looked = turn_until([&] { return answer->result || chain.looks() > from + 1; });
      ASSERT_TRUE(looked && chain.height() < 500) << "no answer";
    }
  }
  // So many whole rounds of the submitter begin and end.
  void looked(std::size_t rounds) {
    const std::size_t from = chain.looks();
    EXPECT_TRUE(turn_until([&] { return chain.looks() > from + rounds; }));
  }

  FakeLedgerChain chain{kRegistry, kChainId, ledger::testing::kNow};
  KnownMap known;
  HandClock clock;

 private:
  static constexpr Address kRegistry{0x12, 0x34};
  static constexpr std::uint64_t kChainId = 31'337;

  static crypto::SigningKey wallet_key() {
    ByteArray<32> secret;
    secret.fill(0x77);
    auto key = crypto::SigningKey::from_secret(secret);
    BW_ASSERT(key.has_value());
    return *std::move(key);
  }

  telemetry::Log log_{{.level = telemetry::Level::kError, .limited_per_second = 0.001}};
  std::optional<Submitter> submitter_;
  net::TaskGroup tasks_{context.get_executor()};
};

}  // namespace bw::ledger_ethereum::testing
