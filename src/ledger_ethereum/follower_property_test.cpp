// SPDX-License-Identifier: Apache-2.0
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "ledger_ethereum/testing/followed_chain.hpp"

namespace bw::ledger_ethereum {
namespace {

using namespace testing;

// Of few kinds, so that the same ones come back in other places; DoTs may stand twice anyhow.
FakeChain::Call some_call() {
  FakeChain::Call call;
  const auto count = *rc::gen::inRange(1, 4);
  for (int i = 0; i < count; ++i) {
    call.push_back({*rc::gen::element<std::uint8_t>(2, 3), *rc::gen::inRange<std::uint8_t>(0, 6)});
  }
  return call;
}

struct World : FollowedChain {
  using FollowedChain::FollowedChain;

  void mine() {
    std::vector<FakeChain::Call> calls;
    const auto count = *rc::gen::inRange(0, 3);
    for (int i = 0; i < count; ++i) calls.push_back(some_call());
    chain.mine(calls);
    highest = std::max(highest, chain.height());
  }
  void reorganise() {
    const auto most = static_cast<std::size_t>(chain.height() - kDeployed);
    chain.drop(*rc::gen::inRange<std::size_t>(0, most + 1));
    const auto count = *rc::gen::inRange(0, 5);
    for (int i = 0; i < count; ++i) mine();
  }
  void look_and_check() {
    const bool done = look().has_value();
    if (done) RC_ASSERT(sink.entries == chain.entries(holding->base().block));
    for (const Bytes& entry : sink.entries) {
      if (is_revocation(entry)) revoked.insert(entry);
    }
    for (const Bytes& revocation : revoked) {
      const bool acts = std::ranges::count(sink.entries, revocation) > 0 ||
                        std::ranges::count(sink.suspected, revocation) > 0;
      RC_ASSERT(acts);
    }
  }
  void step() {
    switch (*rc::gen::inRange(0, 8)) {
      case 0:
        return reorganise();
      case 1:
        return RC_ASSERT(start().has_value());  // as after a crash
      case 2:
        sink.fails_to_append = !sink.fails_to_append;
        return;
      case 3:
      case 4:
      case 5:
        return mine();
      default:
        return look_and_check();
    }
  }

  std::uint64_t highest = 0;
  std::set<Bytes> revoked;  // that ever were held
};

RC_GTEST_PROP(FollowerProperty, WhateverTheChainDoesTheSinkEndsAsTheChain, ()) {
  World world(*rc::gen::inRange<std::uint64_t>(0, 4));
  world.options.waiting_bytes = *rc::gen::element<std::size_t>(1, 100, 1'000'000);
  world.a.keeps_states = world.b.keeps_states = *rc::gen::element<std::uint64_t>(4, 1'000'000);
  const auto steps = *rc::gen::inRange(0, 60);
  for (int i = 0; i < steps; ++i) world.step();
  world.sink.fails_to_append = false;
  while (world.chain.height() < world.highest + world.options.confirmations) world.chain.mine();
  auto done = world.look();
  // Whoever lacked an old state is asked again only after a moment.
  for (int again = 0; again < 10 && !done; ++again) done = world.look();
  if (!done) RC_FAIL(done.error().message);
  RC_ASSERT(world.sink.entries == world.confirmed_entries());
}

}  // namespace
}  // namespace bw::ledger_ethereum
