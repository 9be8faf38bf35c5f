// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <iterator>
#include <map>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "wave/proof.hpp"
#include "wave/testing/objects.hpp"

// tests/vectors/objects.json was made by a second implementation, make_objects.py.
namespace bw::wave {
namespace {

using Json = nlohmann::json;

const Json& vectors() {
  static const Json kVectors =
      Json::parse(std::ifstream(BW_SOURCE_DIR "/tests/vectors/objects.json"));
  return kVectors;
}

Bytes bytes_from(const Json& hex) {
  return from_hex(hex.get<std::string>()).value();
}

// Fields of one vector. Entities are numbers; 0 is everyone.
struct Fields {
  const Json& json;

  template <class T>
  T number(const char* name) const {
    return json.at(name).get<T>();
  }
  std::string text(const char* name) const { return json.at(name); }
  bool flag(const char* name) const { return json.at(name); }
  Bytes bytes(const char* name) const { return bytes_from(json.at(name)); }
  ByteArray<32> bytes32(const char* name) const { return Hash::from(bytes(name)).bytes; }
  Time time(const char* name) const { return from_seconds(number<std::uint64_t>(name)); }
  static EntityKey entity(int number) {
    if (number == 0) return kEveryone;
    return testing::numbered_key(static_cast<std::uint8_t>(number)).public_key();
  }
  EntityKey key(const char* name) const { return entity(number<int>(name)); }
  std::vector<EntityKey> keys(const char* name) const {
    std::vector<EntityKey> keys;
    for (const Json& number : json.at(name)) keys.push_back(entity(number));
    std::ranges::sort(keys);
    return keys;
  }
};

template <class T>
T from(const Fields& fields);

template <>
Entity from(const Fields& f) {
  return {f.key("key"),       f.time("created"), f.time("expires"),
          f.keys("revokers"), f.text("contact"), f.text("comment")};
}
template <>
Dot from(const Fields& f) {
  return {.granter = f.key("granter"),
          .grantee = f.key("grantee"),
          .ns = f.key("namespace"),
          .permissions = Permissions::of(f.number<std::uint16_t>("permissions")),
          .ttl = f.number<std::uint8_t>("ttl"),
          .created = f.time("created"),
          .not_before = f.time("not_before"),
          .expires = f.time("expires"),
          .messages_per_second = f.number<std::uint32_t>("messages_per_second"),
          .stored_bytes = f.number<std::uint64_t>("stored_bytes"),
          .revokers = f.keys("revokers"),
          .pattern = Pattern::parse(f.text("pattern")).value(),
          .comment = f.text("comment"),
          .conditions = f.bytes("conditions")};
}
template <>
Revocation from(const Fields& f) {
  const bool dot = f.text("target_kind") == "dot";
  return {f.key("revoker"), dot ? Revocation::Target::kDot : Revocation::Target::kEntity,
          f.bytes32("target"), f.time("created"), f.text("comment")};
}
template <>
Alias from(const Fields& f) {
  return {f.key("claimer"), f.bytes32("value"), f.time("created"), f.text("name")};
}
template <>
RouterOffer from(const Fields& f) {
  return {f.key("router"), f.key("namespace"), f.number<std::uint64_t>("nonce"), f.time("created"),
          f.flag("retracted")};
}
template <>
RouterAcceptance from(const Fields& f) {
  return {f.key("namespace"), f.key("router"),     f.number<std::uint64_t>("nonce"),
          f.time("created"),  f.flag("retracted"), f.number<std::uint32_t>("max_staleness")};
}
template <>
RouterAddress from(const Fields& f) {
  return {f.key("router"), f.number<std::uint64_t>("nonce"), f.time("created"), f.text("address")};
}

template <class T>
void check(const Json& vector) {
  const T value = from<T>(Fields{vector.at("fields")});
  const auto key = testing::numbered_key(vector.at("signer").get<std::uint8_t>());
  const Bytes bytes = bytes_from(vector.at("bytes"));
  const auto made = sign(value, key);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(to_hex(made->bytes), to_hex(bytes));
  EXPECT_EQ(to_hex(made->id.view()), vector.at("id").get<std::string>());

  const auto parsed = parse_object(bytes);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(std::get<Signed<T>>(*parsed).value, value);
  EXPECT_TRUE(verify_signature(*parsed));
}

TEST(ObjectVectors, Keys) {
  for (const auto& [number, hex] : vectors().at("keys").items()) {
    EXPECT_EQ(to_hex(Fields::entity(std::stoi(number)).view()), hex.get<std::string>());
  }
}

TEST(ObjectVectors, Objects) {
  const std::map<std::string, void (*)(const Json&)> checks{
      {"entity", check<Entity>},
      {"dot", check<Dot>},
      {"revocation", check<Revocation>},
      {"alias", check<Alias>},
      {"router_offer", check<RouterOffer>},
      {"router_acceptance", check<RouterAcceptance>},
      {"router_address", check<RouterAddress>}};
  std::map<std::string, int> seen;
  for (const Json& vector : vectors().at("objects")) {
    SCOPED_TRACE(vector.at("name").get<std::string>());
    const std::string kind = vector.at("kind");
    checks.at(kind)(vector);
    ++seen[kind];
  }
  EXPECT_EQ(seen.size(), checks.size());
}

TEST(ObjectVectors, Proofs) {
  ASSERT_EQ(vectors().at("proofs").size(), 3U);
  for (const Json& vector : vectors().at("proofs")) {
    SCOPED_TRACE(vector.at("name").get<std::string>());
    const Bytes bytes = bytes_from(vector.at("bytes"));
    const auto proof = parse_proof(bytes);
    ASSERT_TRUE(proof) << proof.error().message;
    EXPECT_EQ(proof->dots.size(), vector.at("dots").size());
    EXPECT_EQ(to_hex(proof_hash(*proof).view()), vector.at("hash").get<std::string>());
    EXPECT_EQ(encode(*proof), bytes);
    for (const Signed<Dot>& dot : proof->dots) EXPECT_TRUE(verify_signature(dot));
  }
}

// The first object of each kind and the first proof are printed in formats.md as well.
TEST(ObjectVectors, FormatsShowThem) {
  std::ifstream file(BW_SOURCE_DIR "/docs/formats.md");
  std::string page(std::istreambuf_iterator<char>(file), {});
  std::erase_if(page, [](char c) { return c == ' ' || c == '\n'; });
  std::map<std::string, Json> firsts;
  for (const Json& vector : vectors().at("objects")) firsts.emplace(vector.at("kind"), vector);
  for (const auto& [kind, vector] : firsts) {
    EXPECT_TRUE(page.contains(vector.at("id").get<std::string>())) << kind;
    EXPECT_TRUE(page.contains(vector.at("bytes").get<std::string>())) << kind;
  }
  EXPECT_TRUE(page.contains(vectors().at("proofs").at(0).at("hash").get<std::string>()));
  EXPECT_TRUE(page.contains(vectors().at("proofs").at(0).at("bytes").get<std::string>()));
}

}  // namespace
}  // namespace bw::wave
