// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/registry_state.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "ledger_ethereum/testing/fake_chain.hpp"

namespace bw::ledger_ethereum {
namespace {

using namespace testing;

// As an endpoint shows it.
StateProof shown(const FakeChain& chain, std::uint64_t number, const std::vector<Hash>& slots) {
  json keys = json::array();
  for (const Hash& slot : slots) keys.push_back(to_data(slot.bytes));
  const json answer = chain.proof(keys, number);
  const auto nodes = [](const json& list) {
    std::vector<Bytes> out;
    for (const json& node : list) out.push_back(*bytes_of(node, "node"));
    return out;
  };
  StateProof proof{.account = nodes(answer["accountProof"]), .slots = {}};
  for (std::size_t i = 0; i < slots.size(); ++i) {
    proof.slots.push_back({slots[i], nodes(answer["storageProof"][i]["proof"])});
  }
  return proof;
}

FakeChain chain_of(std::size_t entries) {
  FakeChain chain;
  chain.mine_empty(1);
  FakeChain::Call call;
  for (std::size_t i = 0; i < entries; ++i) call.push_back(to_bytes("entry " + std::to_string(i)));
  chain.mine();
  chain.mine(std::vector<FakeChain::Call>(entries == 0 ? 0 : 1, call));
  return chain;
}

RC_GTEST_PROP(RegistryState, TheProvenTreeIsThatOfTheEntries, ()) {
  const auto size = *rc::gen::inRange<std::size_t>(0, 70);
  const auto asked = *rc::gen::inRange<std::uint64_t>(0, 70);
  const FakeChain chain = chain_of(size);
  const Hash root = chain.block(chain.height()).state_root;
  const auto state =
      prove_registry(root, kRegistry, shown(chain, chain.height(), head_slots(asked)));
  RC_ASSERT(state.has_value());
  RC_ASSERT(state->size == size);
  RC_ASSERT(state->code_hash == kRegistryCode);
  RC_ASSERT(state->tree.has_value() == (std::popcount(asked) >= std::popcount(size)));
  if (!state->tree) return;
  crypto::Frontier expected;
  for (const Bytes& entry : chain.entries()) expected.add(crypto::leaf_hash(entry));
  RC_ASSERT(state->tree->root() == expected.root());
  RC_ASSERT(state->tree->size() == size);
}

TEST(RegistryState, AnotherBlocksProofIsNoProof) {
  const FakeChain chain = chain_of(5);
  const StateProof old = shown(chain, 2, head_slots(5));
  const auto state = prove_registry(chain.block(3).state_root, kRegistry, old);
  ASSERT_FALSE(state.has_value());
  EXPECT_EQ(state.error().code, ErrorCode::kMalformed);
}

TEST(RegistryState, EveryNodeCounts) {
  const FakeChain chain = chain_of(11);
  const Hash root = chain.block(3).state_root;
  const StateProof good = shown(chain, 3, head_slots(11));
  ASSERT_TRUE(prove_registry(root, kRegistry, good).has_value());
  StateProof bad = good;
  bad.account.back().back() ^= 1U;
  EXPECT_FALSE(prove_registry(root, kRegistry, bad).has_value());
  for (std::size_t slot = 0; slot < good.slots.size(); ++slot) {
    bad = good;
    bad.slots[slot].nodes.back().back() ^= 1U;
    EXPECT_FALSE(prove_registry(root, kRegistry, bad).has_value()) << slot;
    bad.slots[slot].nodes.clear();
    EXPECT_FALSE(prove_registry(root, kRegistry, bad).has_value()) << slot;
  }
}

TEST(RegistryState, WhereThereIsNoContractItSaysSo) {
  const FakeChain chain = chain_of(1);
  const auto state =
      prove_registry(chain.block(1).state_root, kRegistry, shown(chain, 1, head_slots(0)));
  ASSERT_FALSE(state.has_value());
  EXPECT_EQ(state.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace bw::ledger_ethereum
