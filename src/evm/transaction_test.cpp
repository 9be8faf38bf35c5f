// SPDX-License-Identifier: Apache-2.0
#include "evm/transaction.hpp"

#include <gtest/gtest.h>

#include "base/text.hpp"
#include "codec/rlp.hpp"
#include "crypto/ecdsa.hpp"
#include "crypto/keccak.hpp"

namespace bw::evm {
namespace {

crypto::SigningKey key_from(std::string_view hex) {
  const Bytes secret = *from_hex(hex);
  return *crypto::SigningKey::from_secret(std::span<const std::uint8_t, 32>(secret));
}

Transaction sample() {
  return {.chain_id = 1,
          .nonce = 819,
          .max_tip = word_of(100'000'000),
          .max_fee = word_of(9'000'000'000),
          .gas_limit = 21'000,
          .to = *parse_address("0xc0ffee254729296a45a3885639ac7e10f9d54979"),
          .value = word_of(1),
          .input = to_bytes("\x01\x02")};
}

TEST(Transaction, IsTheTypeAndItsFieldsInOrder) {
  const auto key = key_from("4646464646464646464646464646464646464646464646464646464646464646");
  const Transaction transaction = sample();
  const SignedTransaction made = sign(transaction, key);
  ASSERT_EQ(made.bytes[0], 2);
  const auto fields = *codec::rlp_items(*codec::parse_rlp(ByteView(made.bytes).subspan(1)), 12);
  ASSERT_EQ(fields.size(), 12U);
  EXPECT_EQ(*codec::rlp_u64(fields[0]), 1U);
  EXPECT_EQ(*codec::rlp_u64(fields[1]), 819U);
  EXPECT_EQ(*codec::rlp_u64(fields[2]), 100'000'000U);
  EXPECT_EQ(*codec::rlp_u64(fields[3]), 9'000'000'000U);
  EXPECT_EQ(*codec::rlp_u64(fields[4]), 21'000U);
  EXPECT_EQ(to_hex(fields[5].content), "c0ffee254729296a45a3885639ac7e10f9d54979");
  EXPECT_EQ(*codec::rlp_u64(fields[6]), 1U);
  EXPECT_EQ(to_hex(fields[7].content), "0102");
  EXPECT_TRUE(fields[8].is_list && fields[8].content.empty());
  EXPECT_EQ(made.hash, crypto::keccak256(made.bytes));
  const crypto::EcdsaSignature signature{.r = *codec::rlp_word(fields[10]),
                                         .s = *codec::rlp_word(fields[11]),
                                         .odd_y = *codec::rlp_u64(fields[9]) == 1};
  EXPECT_EQ(*crypto::recover_account(signature, signing_hash(transaction)),
            crypto::account_of(key));
}

TEST(Transaction, ThatMakesAContractNamesNobody) {
  Transaction transaction = sample();
  const Hash before = signing_hash(transaction);
  transaction.to = std::nullopt;
  EXPECT_NE(signing_hash(transaction), before);
  const auto made = sign(transaction, key_from(std::string(64, '1')));
  const auto fields = *codec::rlp_items(*codec::parse_rlp(ByteView(made.bytes).subspan(1)), 12);
  EXPECT_TRUE(fields[5].content.empty());
}

// The first contracts of the account 0x6ac7...b6cf, a well-known example.
TEST(Transaction, ContractsGetTheirAddressesFromMakerAndNonce) {
  const Address maker = *parse_address("0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0");
  EXPECT_EQ(to_text(made_by(maker, 0)).size(), 42U);
  const auto lower = [](std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
  };
  EXPECT_EQ(lower(to_text(made_by(maker, 0))), "0xcd234a471b72ba2f1ccf0a70fcaba648a5eecd8d");
  EXPECT_EQ(lower(to_text(made_by(maker, 1))), "0x343c43a37d37dff08ae8c4a11544c718abb4fcf8");
  EXPECT_EQ(lower(to_text(made_by(maker, 2))), "0xf778b86fa74e846c4f0a1fbd1335fe81c00a0c91");
}

// The examples of EIP-55.
TEST(Address, HasAChecksumInTheCaseOfItsDigits) {
  for (const char* text :
       {"0x52908400098527886E0F7030069857D2E4169EE7", "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
        "0xde709f2102306220921060314715629080e2fb77", "0x27b1fdb04752bbc536007a920d24acb045561c26",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb"}) {
    const auto address = parse_address(text);
    ASSERT_TRUE(address.has_value()) << text;
    EXPECT_EQ(to_text(*address), text);
  }
  EXPECT_FALSE(parse_address("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD").has_value());
  EXPECT_FALSE(parse_address("5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed").has_value());
  EXPECT_FALSE(parse_address("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeA").has_value());
  EXPECT_FALSE(parse_address("0x5gAeb6053F3E94C9b9A09f33669435E7Ef1BeAed").has_value());
}

}  // namespace
}  // namespace bw::evm
