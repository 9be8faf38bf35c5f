// SPDX-License-Identifier: Apache-2.0
#include "evm/account.hpp"

#include "codec/rlp.hpp"
#include "crypto/keccak.hpp"

namespace bw::evm {

Result<std::optional<Account>> prove_account(const Hash& state_root, const Address& address,
                                             std::span<const Bytes> proof) {
  BW_TRY(const auto value, prove_value(state_root, crypto::keccak256(address).view(), proof));
  if (!value) return std::nullopt;
  BW_TRY(const auto whole, codec::parse_rlp(*value));
  BW_TRY(const auto fields, codec::rlp_items(whole, 4));
  if (fields.size() != 4) return fail(ErrorCode::kMalformed, "account: has not four fields");
  Account account;
  BW_TRY(account.nonce, codec::rlp_u64(fields[0]));
  BW_TRY(account.balance, codec::rlp_word(fields[1]));
  BW_TRY(account.storage_root.bytes, codec::rlp_bytes<32>(fields[2]));
  BW_TRY(account.code_hash.bytes, codec::rlp_bytes<32>(fields[3]));
  return account;
}

Result<Word> prove_storage(const Hash& storage_root, const Word& slot,
                           std::span<const Bytes> proof) {
  BW_TRY(const auto value, prove_value(storage_root, crypto::keccak256(slot).view(), proof));
  if (!value) return Word{};
  BW_TRY(const auto item, codec::parse_rlp(*value));
  return codec::rlp_word(item);
}

}  // namespace bw::evm
