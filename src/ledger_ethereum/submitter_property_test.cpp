// SPDX-License-Identifier: Apache-2.0
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "ledger_ethereum/testing/submitter_world.hpp"

// Whatever goes wrong, and in whatever order: everybody is told once, and what he is told is true.
namespace bw::ledger_ethereum {
namespace {

using testing::kGwei;
using testing::SubmitterWorld;

constexpr std::uint64_t kConfirmations = 3;

class Chaos : public SubmitterWorld {
 public:
  explicit Chaos(Duration deadline) {
    start({.confirmations = kConfirmations, .deadline = deadline, .halted_after = 100s},
          2'000'000'000 * kGwei);
  }

  // Everything that can happen; `what` and `how` are any numbers.
  void happen(unsigned what, unsigned how) {
    switch (what % 14) {
      case 0:
      case 1:
      case 2:
        return submit_something(how);
      case 3:
      case 4:
      case 5:
        return chain.mine(1 + how % 3);
      case 6:
        return reorganise(1 + how % (kConfirmations - 1), how % 2 == 0);
      case 7:
        chain.failing = how % 12;
        return;
      case 8:
        return chain.drop_pool();
      case 9:
        chain.market.base_fee = (1 + how % 150) * kGwei;
        return;
      case 10:
        return chain.take_nonce(account(), chain.used(account()) + how % 3);
      case 11:
        chain.swallows = how % 2 == 0;
        return;
      case 12:
        return refuse(how % 2 == 0);
      default:
        return clock.advance(Duration(1s) * (how % 40));
    }
  }

  void submit_something(unsigned how) {
    std::vector<wave::Object> objects;
    for (unsigned i = 0; i <= how % 4; ++i) objects.push_back(object(how / 4 + i));
    Asked asked{.objects = ledger::testing::all_bytes(objects), .answer = {}};
    asked.answer = submit_bytes(asked.objects);
    asked_.push_back(std::move(asked));
  }

  // Once around for the submitter, if it has anything to do.
  void look() {
    const std::size_t from = chain.looks();
    RC_ASSERT(turn_until([&] {
      submitter().wake();
      return all_answered() || chain.looks() > from + 1;
    }));
  }

  void heal() {
    chain.failing = 0;
    chain.swallows = false;
    chain.refuses.reset();
    chain.market = {.base_fee = 10 * kGwei, .tip = kGwei};
    chain.fund(account(), 1'000'000'000 * kGwei);
    for (int blocks = 0; !all_answered(); ++blocks) {
      RC_ASSERT(blocks < 400);
      chain.mine();
      look();
    }
  }

  void check() const {
    std::set<Bytes> submitted;
    std::multiset<std::uint64_t> places;
    for (const Asked& asked : asked_) {
      submitted.insert(asked.objects.begin(), asked.objects.end());
      RC_ASSERT(asked.answer->result.has_value());
      if (!*asked.answer->result) {
        RC_ASSERT(asked.answer->result->error().code == ErrorCode::kUnavailable);
        continue;
      }
      const auto& outcomes = asked.answer->outcomes();
      RC_ASSERT(outcomes.size() == asked.objects.size());
      for (std::size_t i = 0; i < outcomes.size(); ++i) {
        RC_ASSERT(outcomes[i].index || !outcomes[i].refusal.message.empty());
        if (!outcomes[i].index) continue;
        RC_ASSERT(*outcomes[i].index < chain.entries().size());
        RC_ASSERT(chain.entries()[*outcomes[i].index] == asked.objects[i]);
        RC_ASSERT(places.insert(*outcomes[i].index) != places.end());
        RC_ASSERT(places.count(*outcomes[i].index) == 1U);
      }
    }
    for (const Bytes& entry : chain.entries()) RC_ASSERT(submitted.contains(entry));
  }

 private:
  struct Asked {
    std::vector<Bytes> objects;
    Answer answer;
  };

  // Of few people and few grants, so that they meet.
  static wave::Object object(unsigned which) {
    using namespace ledger::testing;  // NOLINT: names of makers
    const auto grant = dot("ns", "alice", {.comment = std::to_string(which / 5 % 4)});
    switch (which % 5) {
      case 0:
        return entity("ns", {.created = kEarlier + 1s * (which / 5 % 3)});
      case 1:
        return grant;
      case 2:
        return revoke_dot("ns", grant.id, kEarlier + 1s * (which % 7));
      case 3:
        return ledger::testing::alias("ns", "name" + std::to_string(which / 5 % 3), {});
      default:
        return entity("alice", {.created = kEarlier + 1s * (which / 5 % 3)});
    }
  }

  [[nodiscard]] bool all_answered() const {
    return std::ranges::all_of(asked_,
                               [](const Asked& asked) { return asked.answer->result.has_value(); });
  }
  // Never what is under enough confirmations already.
  void reorganise(std::uint64_t blocks, bool keep_transactions) {
    highest_ = std::max(highest_, chain.height());
    const std::uint64_t least = highest_ - std::min(highest_, kConfirmations - 1);
    if (chain.height() <= least) return;
    chain.reorganise(std::min(blocks, chain.height() - least), keep_transactions);
  }
  void refuse(bool refuses) {
    chain.refuses.reset();
    if (refuses) chain.refuses = Error{ErrorCode::kDenied, "endpoint a: no"};
  }

  std::vector<Asked> asked_;
  std::uint64_t highest_ = 0;
};

RC_GTEST_PROP(SubmitterProperty, EverybodyIsToldOnceAndTheTruth, ()) {
  const bool patient = *rc::gen::arbitrary<bool>();
  Chaos chaos(patient ? Duration(86'400s) : Duration(60s));
  const auto events = *rc::gen::container<std::vector<std::pair<unsigned, unsigned>>>(
      rc::gen::arbitrary<std::pair<unsigned, unsigned>>());
  for (const auto& [what, how] : events) {
    chaos.happen(what, how);
    if (how % 3 != 0) chaos.look();
  }
  chaos.heal();
  chaos.check();
}

RC_GTEST_PROP(SubmitterProperty, EverybodyIsToldOnceWhenItEndsInTheMiddle, ()) {
  Chaos chaos(86'400s);
  const auto events = *rc::gen::container<std::vector<std::pair<unsigned, unsigned>>>(
      rc::gen::arbitrary<std::pair<unsigned, unsigned>>());
  for (const auto& [what, how] : events) {
    chaos.happen(what, how);
    if (how % 3 != 0) chaos.look();
  }
  chaos.stop();
  chaos.check();
}

}  // namespace
}  // namespace bw::ledger_ethereum
