// SPDX-License-Identifier: Apache-2.0
#include "evm/transaction.hpp"

#include <algorithm>

#include "codec/rlp.hpp"
#include "crypto/ecdsa.hpp"
#include "crypto/keccak.hpp"

namespace bw::evm {
namespace {

constexpr std::uint8_t kType = 2;

Bytes items_of(const Transaction& transaction) {
  Bytes items;
  codec::rlp_integer(items, transaction.chain_id);
  codec::rlp_integer(items, transaction.nonce);
  codec::rlp_integer(items, transaction.max_tip);
  codec::rlp_integer(items, transaction.max_fee);
  codec::rlp_integer(items, transaction.gas_limit);
  codec::rlp_string(items, transaction.to ? ByteView(*transaction.to) : ByteView());
  codec::rlp_integer(items, transaction.value);
  codec::rlp_string(items, transaction.input);
  codec::rlp_list(items, {});  // access list
  return items;
}

// EIP-2718: the type, then the list.
Bytes typed(ByteView items) {
  Bytes out{kType};
  codec::rlp_list(out, items);
  return out;
}

}  // namespace

Hash signing_hash(const Transaction& transaction) {
  return crypto::keccak256(typed(items_of(transaction)));
}

SignedTransaction sign(const Transaction& transaction, const crypto::SigningKey& key) {
  const crypto::EcdsaSignature signature = crypto::sign_ecdsa(key, signing_hash(transaction));
  Bytes items = items_of(transaction);
  codec::rlp_integer(items, std::uint64_t{signature.odd_y});
  codec::rlp_integer(items, signature.r);
  codec::rlp_integer(items, signature.s);
  SignedTransaction made{.bytes = typed(items), .hash = {}};
  made.hash = crypto::keccak256(made.bytes);
  return made;
}

Address made_by(const Address& account, std::uint64_t nonce) {
  Bytes items;
  codec::rlp_string(items, account);
  codec::rlp_integer(items, nonce);
  Bytes list;
  codec::rlp_list(list, items);
  const Hash hash = crypto::keccak256(list);
  Address address{};
  std::copy(hash.bytes.begin() + 12, hash.bytes.end(), address.begin());
  return address;
}

Word word_of(std::uint64_t value) {
  Word word{};
  for (std::size_t i = 0; i < 8; ++i) word[31 - i] = static_cast<std::uint8_t>(value >> 8U * i);
  return word;
}

}  // namespace bw::evm
