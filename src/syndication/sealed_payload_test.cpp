// SPDX-License-Identifier: Apache-2.0
#include "syndication/sealed_payload.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "syndication/seal_opener.hpp"
#include "syndication/seal_setting.hpp"
#include "syndication/testing/cast.hpp"
#include "syndication/testing/vectors.hpp"

// tests/vectors/sealed.json was made by a second implementation, make_sealed.py.
namespace bw::syndication {
namespace {

using testing::bytes_of;
using testing::id_of;
using testing::Json;

const Json& vectors() {
  static const Json kVectors =
      Json::parse(std::ifstream(BW_SOURCE_DIR "/tests/vectors/sealed.json"));
  return kVectors;
}

crypto::SigningKey key_from(const Json& secret) {
  const Bytes bytes = bytes_of(secret);
  return crypto::SigningKey::from_secret(std::span(bytes).first<32>()).value();
}
crypto::Secret<32> secret_from(const Json& hex) {
  crypto::Secret<32> secret;
  std::ranges::copy(bytes_of(hex), secret.writable().begin());
  return secret;
}

// One vector, with what its contexts borrow from.
struct Vector {
  explicit Vector(const Json& fields) : json(fields) {}
  const Json& json;
  EntityKey origin = id_of<EntityKey>(json.at("origin"));
  EntityKey ns = id_of<EntityKey>(json.at("ns"));
  std::string uri = json.at("uri").get<std::string>();
  Bytes payload = bytes_of(json.at("payload"));
  Bytes plaintext = bytes_of(json.at("plaintext"));

  [[nodiscard]] SealContext context() const { return {origin, ns, uri}; }
  [[nodiscard]] crypto::Secret<32> content_key() const {
    return secret_from(json.at("content_key"));
  }
};

TEST(SealedVectors, Agreements) {
  for (const Json& vector : vectors().at("agreements")) {
    const auto shared = key_from(vector.at("secret")).agree(id_of<EntityKey>(vector.at("peer")));
    ASSERT_TRUE(shared);
    EXPECT_TRUE(std::ranges::equal(shared->view(), bytes_of(vector.at("shared"))));
  }
}

TEST(SealedVectors, SealingGivesTheSameBytes) {
  ASSERT_EQ(vectors().at("sealed").size(), 5U);
  for (const Json& json : vectors().at("sealed")) {
    const Vector vector(json);
    const Hash id = content_key_id(vector.content_key(), vector.context());
    EXPECT_EQ(id, id_of<Hash>(json.at("key_id")));
    KeyWrapper wrapper(key_from(json.at("wrapper_secret")));
    std::vector<Wrap> wraps;
    for (const Json& secret : json.at("recipients")) {
      wraps.push_back(*wrapper.wrap(vector.content_key(), id, key_from(secret).public_key()));
    }
    std::ranges::sort(wraps);
    std::optional<KeyEnvelope> keys;
    Bytes joined;
    for (const Wrap& wrap : wraps) append(joined, wrap);
    if (!wraps.empty()) keys = KeyEnvelope{wrapper.public_key(), joined};
    crypto::AeadNonce nonce;
    std::ranges::copy(bytes_of(json.at("nonce")), nonce.begin());
    const Bytes sealed =
        seal_payload(vector.content_key(),
                     {vector.context(), id, from_micros(json.at("sealed_at").get<std::uint64_t>()),
                      json.at("renewed").get<bool>()},
                     keys, nonce, vector.plaintext);
    EXPECT_EQ(to_hex(sealed), to_hex(vector.payload)) << json.at("name");
    EXPECT_LE(sealed.size(), kSealedOverhead + joined.size() + vector.plaintext.size());
  }
}

TEST(SealedVectors, EachRecipientOpensAndNobodyElse) {
  for (const Json& json : vectors().at("sealed")) {
    const Vector vector(json);
    ASSERT_TRUE(is_sealed(vector.payload));
    for (const Json& secret : json.at("recipients")) {
      SealOpener opener;
      const auto opened = opener.open(vector.context(), vector.payload, key_from(secret));
      ASSERT_TRUE(opened) << json.at("name") << ": " << opened.error().message;
      EXPECT_EQ(opened->payload, vector.plaintext);
      EXPECT_EQ(opened->renewed, json.at("renewed").get<bool>());
    }
    SealOpener opener;
    const crypto::SigningKey stranger = crypto::SigningKey::generate(crypto::system_random());
    const auto refused = opener.open(vector.context(), vector.payload, stranger);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code,
              json.at("recipients").empty() ? ErrorCode::kUnavailable : ErrorCode::kDenied);
  }
}

TEST(SealedVectors, TheDocumentShowsTheFirst) {
  std::ifstream file(BW_SOURCE_DIR "/docs/formats.md");
  std::string page(std::istreambuf_iterator<char>(file), {});
  std::erase(page, '\n');
  const Json& first = vectors().at("sealed").at(0);
  EXPECT_NE(page.find(first.at("object").get<std::string>()), std::string::npos);
  EXPECT_NE(page.find(first.at("key_id").get<std::string>()), std::string::npos);
}

TEST(SealedVectors, Settings) {
  for (const Json& vector : vectors().at("settings")) {
    const Bytes bytes = bytes_of(vector.at("bytes"));
    const auto setting = parse_seal_setting(bytes);
    ASSERT_TRUE(setting) << setting.error().message;
    std::vector<std::string> patterns;
    for (const auto& pattern : setting->patterns) patterns.push_back(pattern.text());
    EXPECT_EQ(patterns, vector.at("patterns").get<std::vector<std::string>>());
    EXPECT_EQ(encode(*setting), bytes);
  }
}

TEST(SealedPayload, NoSingleBitCanBeChanged) {
  const Vector vector(vectors().at("sealed").at(0));
  const crypto::SigningKey reader = key_from(vector.json.at("recipients").at(0));
  // Another recipient's wrapped key may change unnoticed by this one: the origin's signature
  // covers it. Everything else must not.
  const SealedPayload sealed = *parse_sealed_payload(vector.payload);
  const auto wraps_begin =
      static_cast<std::size_t>(sealed.keys->wraps.data() - vector.payload.data());
  const std::size_t wraps_end = wraps_begin + sealed.keys->wraps.size();
  constexpr std::size_t kFlags = 9;
  for (std::size_t bit = 0; bit < vector.payload.size() * 8; ++bit) {
    const std::size_t at = bit / 8;
    if (at >= wraps_begin && at < wraps_end) continue;
    if (at == kFlags && bit % 8 == 1) continue;  // renewed: no part of what was sealed
    Bytes bent = vector.payload;
    bent[at] = static_cast<std::uint8_t>(bent[at] ^ 1U << bit % 8);
    SealOpener opener;
    EXPECT_TRUE(!is_sealed(bent) || !opener.open(vector.context(), bent, reader)) << bit;
  }
}

TEST(SealedPayload, BelongsToItsOriginNamespaceAndUri) {
  const Vector vector(vectors().at("sealed").at(0));
  const crypto::SigningKey reader = key_from(vector.json.at("recipients").at(0));
  const EntityKey other = key_from(vector.json.at("recipients").at(1)).public_key();
  SealOpener opener;
  for (const SealContext& context :
       {SealContext{other, vector.ns, vector.uri}, SealContext{vector.origin, other, vector.uri},
        SealContext{vector.origin, vector.ns, "building/floor1/humidity"}}) {
    const auto opened = opener.open(context, vector.payload, reader);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::kBadSignature);
  }
  ASSERT_TRUE(opener.open(vector.context(), vector.payload, reader));
  // Nor once the key is known.
  EXPECT_FALSE(
      opener.open({vector.origin, vector.ns, "building/floor1/x"}, vector.payload, reader));
}

TEST(SealedPayload, AKeyThatWasMetOpensWhatComesWithoutIt) {
  const Vector with(vectors().at("sealed").at(0));
  const Vector without(vectors().at("sealed").at(1));
  const crypto::SigningKey reader = key_from(with.json.at("recipients").at(0));
  SealOpener opener;
  EXPECT_FALSE(opener.open(without.context(), without.payload, reader));
  ASSERT_TRUE(opener.open(with.context(), with.payload, reader));
  EXPECT_TRUE(opener.open(without.context(), without.payload, reader));
  // What one reader was given is not another's.
  const crypto::SigningKey stranger = crypto::SigningKey::generate(crypto::system_random());
  EXPECT_FALSE(opener.open(without.context(), without.payload, stranger));
}

TEST(SealedPayload, OneKeyForAllItNames) {
  // A publisher that wraps another key than it names would show different things to different
  // readers.
  const Vector vector(vectors().at("sealed").at(0));
  const crypto::SigningKey reader = key_from(vector.json.at("recipients").at(0));
  crypto::Secret<32> other = vector.content_key();
  other.writable()[0] ^= 1;
  const Hash named = content_key_id(vector.content_key(), vector.context());
  KeyWrapper wrapper(key_from(vector.json.at("wrapper_secret")));
  const Wrap wrap = *wrapper.wrap(other, named, reader.public_key());
  const KeyEnvelope keys{wrapper.public_key(), wrap};
  const auto unwrapped =
      unwrap(keys, named, *reader.agree(keys.wrapper), reader.public_key(), vector.context());
  ASSERT_FALSE(unwrapped);
  EXPECT_EQ(unwrapped.error().code, ErrorCode::kBadSignature);
}

TEST(SealedPayload, TruncatedAndForeignFormsAreRefused) {
  for (const Json& json : vectors().at("sealed")) {
    const Bytes object = bytes_of(json.at("object"));
    for (std::size_t length = 0; length < object.size(); ++length) {
      const Bytes payload =
          encode_payload({{kSealedType, to_bytes(ByteView(object).first(length))}});
      const auto parsed = parse_sealed_payload(payload);
      // Cut within the ciphertext it still has the form, and does not open.
      if (!parsed) continue;
      const Vector vector(json);
      EXPECT_FALSE(open_payload(*parsed, vector.content_key(), vector.context()));
    }
    Bytes version = bytes_of(json.at("payload"));
    version[8] = 2;
    EXPECT_EQ(parse_sealed_payload(version).error().code, ErrorCode::kUnsupported);
    Bytes flags = bytes_of(json.at("payload"));
    flags[9] = static_cast<std::uint8_t>(flags[9] | 4U);
    EXPECT_EQ(parse_sealed_payload(flags).error().code, ErrorCode::kUnsupported);
  }
  EXPECT_FALSE(is_sealed({}));
  EXPECT_FALSE(is_sealed(encode_payload({{1, to_bytes("clear")}})));
  // Beside anything in clear it is no sealed payload.
  const Bytes object = bytes_of(vectors().at("sealed").at(0).at("object"));
  EXPECT_FALSE(is_sealed(encode_payload({{kSealedType, object}, {1, {}}})));
}

TEST(SealedPayload, WrappedKeysAscendAndAreBounded) {
  Bytes wraps(3 * kWrapBytes);
  const auto parsed = [&](std::size_t count) {
    Bytes bytes;
    encode(KeyEnvelope{EntityKey{}, ByteView(wraps).first(count * kWrapBytes)}, bytes);
    codec::Reader reader(bytes);
    return parse_key_envelope(reader);
  };
  EXPECT_EQ(parsed(0).error().code, ErrorCode::kMalformed);
  EXPECT_TRUE(parsed(1));
  EXPECT_EQ(parsed(2).error().code, ErrorCode::kMalformed);  // the same twice
  wraps[2 * kWrapBytes - 1] = 1;
  EXPECT_TRUE(parsed(2));
  wraps[2 * kWrapBytes] = 1;
  EXPECT_TRUE(parsed(3));
  wraps.resize((limits::kSealRecipients + 1) * kWrapBytes);
  for (std::size_t i = 0; i <= limits::kSealRecipients; ++i) {
    wraps[i * kWrapBytes] = static_cast<std::uint8_t>(i >> 8U);
    wraps[i * kWrapBytes + 1] = static_cast<std::uint8_t>(i);
  }
  EXPECT_TRUE(parsed(limits::kSealRecipients));
  EXPECT_EQ(parsed(limits::kSealRecipients + 1).error().code, ErrorCode::kTooLarge);
}

TEST(SealSetting, SaysWhereAndHasOneForm) {
  const SealSetting setting{{testing::pattern_of("private/*"), testing::pattern_of("rooms/+/cam")}};
  EXPECT_TRUE(setting.covers(testing::pattern_of("private/a/b")));
  EXPECT_TRUE(setting.covers(testing::pattern_of("rooms/1/cam")));
  EXPECT_FALSE(setting.covers(testing::pattern_of("rooms/1/mic")));
  EXPECT_FALSE(SealSetting{}.covers(testing::pattern_of("a")));
  const Bytes bytes = encode(setting);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(parse_seal_setting(ByteView(bytes).first(length)));
  }
  Bytes longer = bytes;
  longer.push_back(0);
  EXPECT_FALSE(parse_seal_setting(longer));
  const SealSetting unsorted{{testing::pattern_of("b"), testing::pattern_of("a")}};
  EXPECT_FALSE(parse_seal_setting(encode(unsorted)));
  EXPECT_TRUE(is_seal_setting_uri(testing::pattern_of("!seal")));
  EXPECT_TRUE(is_seal_setting_uri(testing::pattern_of("!seal/x")));
  EXPECT_FALSE(is_seal_setting_uri(testing::pattern_of("!sealed")));
}

}  // namespace
}  // namespace bw::syndication
