// SPDX-License-Identifier: Apache-2.0
#include "syndication/seal_keyring.hpp"

#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "syndication/seal_opener.hpp"
#include "syndication/testing/cast.hpp"

namespace bw::syndication {
namespace {

using testing::kNow;

class SealKeyringTest : public ::testing::Test {
 protected:
  Readers readers(const std::set<std::string>& names) {
    std::vector<EntityKey> keys;
    for (const std::string& name : names) keys.push_back(cast.entity(name));
    std::ranges::sort(keys);
    return std::make_shared<const std::vector<EntityKey>>(std::move(keys));
  }
  SealContext context(std::string_view uri = "a/b") {
    return {cast.entity("alice"), cast.entity("ns"), uri};
  }
  Bytes seal(const Readers& who, std::string_view text = "text", bool persist = false) {
    const SealContext where = context();
    return keyring
        .seal({.context = where, .readers = who, .persist = persist, .sealed_at = now, .now = now},
              as_bytes(text))
        .value();
  }
  // A fresh opener: all that it knows comes with the message.
  ErrorCode opened_by(const std::string& name, const Bytes& payload) {
    SealOpener opener;
    const auto opened = opener.open(context(), payload, *cast.key(name));
    return opened ? ErrorCode{} : opened.error().code;
  }
  static Hash key_of(const Bytes& payload) { return parse_sealed_payload(payload)->key_id; }

  testing::Cast cast;
  SealKeyring keyring{cast.random};
  Time now = kNow;
};

TEST_F(SealKeyringTest, SealsForExactlyTheReaders) {
  const Bytes sealed = seal(readers({"ns", "bob", "carol"}), "secret words");
  for (const std::string name : {"ns", "bob", "carol"}) {
    EXPECT_EQ(opened_by(name, sealed), ErrorCode{}) << name;
  }
  EXPECT_EQ(opened_by("dave", sealed), ErrorCode::kDenied);
  // Nor can the publisher, when it may not read.
  EXPECT_EQ(opened_by("alice", sealed), ErrorCode::kDenied);
  EXPECT_EQ(as_text(sealed).find("secret words"), std::string_view::npos);
}

TEST_F(SealKeyringTest, ANewcomerGetsThePresentKeyAtOnce) {
  const Bytes first = seal(readers({"ns", "bob"}));
  const Bytes second = seal(readers({"ns", "bob", "carol"}));
  EXPECT_EQ(key_of(first), key_of(second));
  EXPECT_EQ(opened_by("carol", second), ErrorCode{});
  EXPECT_EQ(opened_by("bob", second), ErrorCode{});
  EXPECT_EQ(keyring.stats().keys, 1U);
  EXPECT_EQ(keyring.stats().wraps, 3U);
}

TEST_F(SealKeyringTest, WhoMayNoLongerReadCannotReadTheNextMessage) {
  SealOpener bobs;
  ASSERT_TRUE(bobs.open(context(), seal(readers({"ns", "bob", "carol"})), *cast.key("bob")));
  const Bytes next = seal(readers({"ns", "carol"}));
  EXPECT_FALSE(bobs.open(context(), next, *cast.key("bob")));
  EXPECT_EQ(opened_by("carol", next), ErrorCode{});
  // One going and another coming at once is no way around it.
  const Bytes after = seal(readers({"ns", "dave"}));
  EXPECT_NE(key_of(next), key_of(after));
  EXPECT_EQ(opened_by("carol", after), ErrorCode::kDenied);
}

TEST_F(SealKeyringTest, PublishedMessagesCarryTheirKeysNowAndThen) {
  const Readers who = readers({"ns", "bob"});
  EXPECT_TRUE(parse_sealed_payload(seal(who))->keys);
  EXPECT_FALSE(parse_sealed_payload(seal(who))->keys);
  EXPECT_TRUE(parse_sealed_payload(seal(who, "x", true))->keys);  // stored: stands alone
  now += Duration{2 * kWrapBytes * 1'000'000 / SealKeyring::kAnnouncedBytesPerSecond + 1};
  EXPECT_TRUE(parse_sealed_payload(seal(who))->keys);
  EXPECT_FALSE(parse_sealed_payload(seal(who))->keys);
  // The same readers in another list are no change.
  EXPECT_FALSE(parse_sealed_payload(seal(readers({"ns", "bob"})))->keys);
  EXPECT_EQ(keyring.stats().keys, 1U);
}

TEST_F(SealKeyringTest, KeysEndWithTheirTime) {
  const Readers who = readers({"ns", "bob"});
  const Bytes first = seal(who);
  now += limits::kSealKeyLife - 1s;
  EXPECT_EQ(key_of(seal(who)), key_of(first));
  now += 1s;
  EXPECT_NE(key_of(seal(who)), key_of(first));
  const EntityKey wrapper = parse_sealed_payload(first)->keys->wrapper;
  EXPECT_EQ(parse_sealed_payload(seal(who, "x", true))->keys->wrapper, wrapper);
  now += limits::kSealSenderLife;
  EXPECT_NE(parse_sealed_payload(seal(who, "x", true))->keys->wrapper, wrapper);
}

TEST_F(SealKeyringTest, EachResourceAndPublisherHasItsOwnKey) {
  const Readers who = readers({"ns", "bob"});
  std::set<Hash> keys;
  for (const char* origin : {"alice", "carol"}) {
    for (const char* uri : {"a/b", "a/c"}) {
      const SealContext where{cast.entity(origin), cast.entity("ns"), uri};
      const auto sealed = keyring.seal(
          {.context = where, .readers = who, .sealed_at = now, .now = now}, as_bytes("x"));
      keys.insert(key_of(*sealed));
    }
  }
  EXPECT_EQ(keys.size(), 4U);
}

TEST_F(SealKeyringTest, TooMuchIsRefused) {
  std::vector<EntityKey> many(limits::kSealRecipients + 1);
  for (std::size_t i = 0; i < many.size(); ++i) {
    many[i].bytes[0] = static_cast<std::uint8_t>(i >> 8U);
    many[i].bytes[1] = static_cast<std::uint8_t>(i);
  }
  const SealContext where = context();
  const auto crowd = std::make_shared<const std::vector<EntityKey>>(many);
  EXPECT_EQ(keyring.seal({.context = where, .readers = crowd, .sealed_at = now, .now = now}, {})
                .error()
                .code,
            ErrorCode::kLimited);
  const Bytes large(limits::kMessageBytes);
  const auto sealed = keyring.seal(
      {.context = where, .readers = readers({"ns"}), .sealed_at = now, .now = now}, large);
  EXPECT_EQ(sealed.error().code, ErrorCode::kTooLarge);
}

// Whatever comes and goes, each message opens for exactly those who may read when it is sealed,
// with all that was learned before.
RC_GTEST_PROP(SealKeyring, OpensForThoseWhoMayReadThen, ()) {
  testing::Cast cast;
  SealKeyring keyring(cast.random);
  const std::vector<std::string> names{"ns", "bob", "carol", "dave"};
  std::vector<SealOpener> openers(names.size());
  Time now = kNow;
  const auto steps = *rc::gen::container<std::vector<unsigned>>(rc::gen::inRange(0U, 64U));
  for (const unsigned step : steps) {
    std::vector<EntityKey> may{cast.entity("ns")};
    for (std::size_t i = 1; i < names.size(); ++i) {
      if ((step >> i & 1U) != 0) may.push_back(cast.entity(names[i]));
    }
    std::ranges::sort(may);
    if ((step & 1U) != 0) now += std::chrono::seconds(step * 60);
    const SealContext where{cast.entity("alice"), cast.entity("ns"), "a"};
    const auto sealed =
        keyring.seal({.context = where,
                      .readers = std::make_shared<const std::vector<EntityKey>>(may),
                      .persist = step >= 32,
                      .sealed_at = now,
                      .now = now},
                     as_bytes("words"));
    RC_ASSERT(sealed.has_value());
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto opened = openers[i].open(where, *sealed, *cast.key(names[i]));
      RC_ASSERT(opened.has_value() == std::ranges::binary_search(may, cast.entity(names[i])));
    }
  }
}

}  // namespace
}  // namespace bw::syndication
