// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "evm/account.hpp"
#include "evm/header.hpp"

// Headers and state proofs that two node programs gave (tests/vectors/make_chain_vectors.py).
namespace bw::evm {
namespace {

std::vector<nlohmann::json> read() {
  std::ifstream file(BW_SOURCE_DIR "/tests/vectors/chain.json");
  return nlohmann::json::parse(file).get<std::vector<nlohmann::json>>();
}

class ChainVectors : public ::testing::TestWithParam<nlohmann::json> {
 protected:
  static Bytes bytes(const nlohmann::json& hex) { return *from_hex(hex.get<std::string>()); }
  static Hash hash(const nlohmann::json& hex) { return Hash::from(bytes(hex)); }
  static TrieProof proof(const nlohmann::json& nodes) {
    TrieProof out;
    for (const auto& node : nodes) out.push_back(bytes(node));
    return out;
  }
  Address address(const char* whose) const {
    return *parse_address(vectors[whose]["address"].get<std::string>());
  }

  const nlohmann::json& vectors = GetParam();
  const Hash state_root = hash(vectors["state_root"]);
};

TEST_P(ChainVectors, AHeaderIsNamedByItsHash) {
  const auto header = parse_header(bytes(vectors["header"]));
  ASSERT_TRUE(header.has_value()) << header.error().message;
  EXPECT_EQ(header->hash, hash(vectors["hash"]));
  EXPECT_EQ(header->state_root, state_root);
  EXPECT_EQ(header->number, vectors["number"].get<std::uint64_t>());
  EXPECT_EQ(to_seconds(header->time), vectors["time"].get<std::uint64_t>());
  EXPECT_EQ(header->gas_limit, 60'000'000U);
}

TEST_P(ChainVectors, AHeaderThatIsCutOrLongerIsRefused) {
  Bytes whole = bytes(vectors["header"]);
  EXPECT_FALSE(parse_header(ByteView(whole).first(whole.size() - 1)).has_value());
  whole.push_back(0);
  EXPECT_FALSE(parse_header(whole).has_value());
  EXPECT_FALSE(parse_header({}).has_value());
  EXPECT_FALSE(parse_header(Bytes{0xc0}).has_value());
}

TEST_P(ChainVectors, AnAccountIsProvedAndOneThatIsNotThereToo) {
  const auto& expected = vectors["account"];
  const auto account = prove_account(state_root, address("account"), proof(expected["proof"]));
  ASSERT_TRUE(account.has_value()) << account.error().message;
  ASSERT_TRUE(account->has_value());
  EXPECT_EQ((*account)->code_hash, hash(expected["code_hash"]));
  EXPECT_EQ((*account)->storage_root, hash(expected["storage_root"]));
  EXPECT_EQ((*account)->nonce, expected["nonce"].get<std::uint64_t>());
  const auto nobody =
      prove_account(state_root, address("nobody"), proof(vectors["nobody"]["proof"]));
  ASSERT_TRUE(nobody.has_value()) << nobody.error().message;
  EXPECT_FALSE(nobody->has_value());
  // One account's proof shows nothing of another.
  EXPECT_FALSE(prove_account(state_root, address("nobody"), proof(expected["proof"]))
                   .value_or(std::nullopt)
                   .has_value());
}

TEST_P(ChainVectors, StorageIsProvedAndWhatWasNeverStoredIsZero) {
  const Hash root = hash(vectors["account"]["storage_root"]);
  for (const auto& one : vectors["storage"]) {
    Word slot{};
    std::ranges::copy(bytes(one["slot"]), slot.begin());
    const auto value = prove_storage(root, slot, proof(one["proof"]));
    ASSERT_TRUE(value.has_value()) << value.error().message;
    std::string digits = one["value"].get<std::string>().substr(2);
    digits.insert(0, 64 - digits.size(), '0');
    EXPECT_EQ(to_hex(*value), digits);
  }
}

INSTANTIATE_TEST_SUITE_P(Programs, ChainVectors, ::testing::ValuesIn(read()), [](const auto& one) {
  return one.param["program"].template get<std::string>();
});

}  // namespace
}  // namespace bw::evm
