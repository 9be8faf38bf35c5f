// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/registry_state.hpp"

#include <algorithm>
#include <bit>

#include "base/check.hpp"
#include "codec/reader.hpp"
#include "evm/account.hpp"
#include "evm/transaction.hpp"

namespace bw::ledger_ethereum {
namespace {

constexpr std::uint64_t kMostEntries = std::uint64_t{1} << 40U;

std::size_t peaks_of(std::uint64_t size) {
  return static_cast<std::size_t>(std::popcount(size));
}

Result<std::uint64_t> size_of(const evm::Word& word) {
  const bool small = std::ranges::all_of(ByteView(word).first(24), [](auto b) { return b == 0; });
  const std::uint64_t size = codec::Reader(ByteView(word).subspan(24)).u64();
  if (small && size <= kMostEntries) return size;
  return fail(ErrorCode::kMalformed, "the contract's storage is not that of a Registry");
}

}  // namespace

std::vector<Hash> head_slots(std::uint64_t size) {
  std::vector<Hash> slots;
  for (std::uint64_t slot = 0; slot <= peaks_of(size); ++slot) {
    slots.push_back(Hash{evm::word_of(slot)});
  }
  return slots;
}

Result<RegistryState> prove_registry(const Hash& state_root, const Address& registry,
                                     const StateProof& proof) {
  BW_ASSERT(!proof.slots.empty());
  BW_TRY(const auto account, evm::prove_account(state_root, registry, proof.account));
  if (!account) {
    return fail(ErrorCode::kNotFound, "there is no contract at {}", evm::to_text(registry));
  }
  std::vector<Hash> words;
  for (const StateProof::Slot& slot : proof.slots) {
    BW_ASSERT(slot.key == Hash{evm::word_of(words.size())});
    BW_TRY(const evm::Word word,
           evm::prove_storage(account->storage_root, slot.key.bytes, slot.nodes));
    words.push_back(Hash{word});
  }
  RegistryState state{.code_hash = account->code_hash, .size = 0, .tree = std::nullopt};
  BW_TRY(state.size, size_of(words[0].bytes));
  const std::size_t peaks = peaks_of(state.size);
  if (peaks >= words.size()) return state;
  const auto first = words.begin() + 1;
  BW_TRY(state.tree, crypto::Frontier::restore(
                         state.size, {first, first + static_cast<std::ptrdiff_t>(peaks)}));
  return state;
}

}  // namespace bw::ledger_ethereum
