// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "codec/writer.hpp"
#include "wave/object.hpp"

// Every rule of docs/formats.md, "Objects", against bodies written by hand: each body breaks one
// rule, and the error must name the field. Signatures are zeros, because parsing comes first.
namespace bw::wave {
namespace {

// One declared here would hide the other.
using bw::operator""s;
using std::string_literals::operator""s;

constexpr std::uint64_t kNow = 1'795'000'000;

std::string raw_key(std::uint8_t byte) {
  return std::string(32, static_cast<char>(byte));
}
std::string raw(std::uint64_t value, int bytes) {
  std::string out;
  while (bytes-- > 0) out.push_back(static_cast<char>(value >> 8U * static_cast<unsigned>(bytes)));
  return out;
}
std::string text8(const std::string& text) {
  return raw(text.size(), 1) + text;
}
std::string text16(const std::string& text) {
  return raw(text.size(), 2) + text;
}

struct RawEntity {
  std::string head = "\x01\x01"s;
  std::string created = raw(kNow, 5);
  std::string expires = raw(kNow + 1, 5);
  std::string revokers = "\x00"s;
  std::string contact = text8("c");
  std::string comment = text8("d");
  operator std::string() const {
    return head + raw_key(1) + created + expires + revokers + contact + comment;
  }
};

struct RawDot {
  std::string head = "\x02\x01"s;
  std::string granter = raw_key(1);
  std::string grantee = raw_key(2);
  std::string permissions = raw(0x02, 2);
  std::string ttl = raw(3, 1);
  std::string created = raw(kNow, 5);
  std::string not_before = raw(kNow, 5);
  std::string expires = raw(kNow + 1, 5);
  std::string revokers = "\x00"s;
  std::string pattern = text16("a/b");
  std::string comment = text8("");
  std::string conditions = text16("");
  operator std::string() const {
    return head + granter + grantee + raw_key(3) + permissions + ttl + created + not_before +
           expires + raw(0, 4) + raw(0, 5) + revokers + pattern + comment + conditions;
  }
};

struct RawRevocation {
  std::string target_kind = "\x02"s;
  std::string comment = text8("");
  operator std::string() const {
    return "\x03\x01"s + raw_key(1) + target_kind + raw_key(9) + raw(kNow, 5) + comment;
  }
};

std::string raw_alias(const std::string& name) {
  return "\x04\x01"s + raw_key(1) + raw_key(9) + raw(kNow, 5) + text8(name);
}

struct RawRouting {
  std::string nonce = raw(1, 8);
  std::string retracted = "\x00"s;
  std::string offer() const {
    return "\x05\x01"s + raw_key(1) + raw_key(2) + nonce + raw(kNow, 5) + retracted;
  }
  std::string acceptance() const {
    return "\x06\x01"s + raw_key(1) + raw_key(2) + nonce + raw(kNow, 5) + retracted + raw(0, 4);
  }
  std::string address(const std::string& text) const {
    return "\x07\x01"s + raw_key(1) + nonce + raw(kNow, 5) + text8(text);
  }
};

Bytes with_signature(const std::string& body) {
  return to_bytes(body + std::string(64, '\0'));
}

void expect_taken(const std::string& body) {
  const auto object = parse_object(with_signature(body));
  EXPECT_TRUE(object) << (object ? "" : object.error().message);
}

void expect_refused(const std::string& body, ErrorCode code, std::string_view field) {
  const auto object = parse_object(with_signature(body));
  ASSERT_FALSE(object) << field;
  EXPECT_EQ(error_name(object.error().code), error_name(code)) << object.error().message;
  EXPECT_TRUE(object.error().message.starts_with(std::string(field) + ": "))
      << object.error().message << ", expected " << field;
}
void expect_malformed(const std::string& body, std::string_view field) {
  expect_refused(body, ErrorCode::kMalformed, field);
}

TEST(ObjectRules, TheBodiesHereAreValidUntilBroken) {
  expect_taken(RawEntity{});
  expect_taken(RawDot{});
  expect_taken(RawRevocation{});
  expect_taken(RawRevocation{.target_kind = "\x01"s});
  expect_taken(raw_alias("a"));
  expect_taken(RawRouting{}.offer());
  expect_taken(RawRouting{.retracted = "\x01"s}.offer());
  expect_taken(RawRouting{}.acceptance());
  expect_taken(RawRouting{.retracted = "\x01"s}.acceptance());
  expect_taken(RawRouting{}.address("a:1"));
}

TEST(ObjectRules, KindsAndVersions) {
  for (const int kind : {0, 8, 255}) {
    expect_refused(RawEntity{.head = raw(static_cast<unsigned>(kind), 1) + "\x01"},
                   ErrorCode::kUnsupported, "object");
  }
  expect_refused(RawEntity{.head = "\x01\x00"s}, ErrorCode::kUnsupported, "entity version");
  expect_refused(RawEntity{.head = "\x01\x02"s}, ErrorCode::kUnsupported, "entity version");
  expect_refused(RawDot{.head = "\x02\xff"s}, ErrorCode::kUnsupported, "DoT version");

  const auto not_a_dot = parse<Dot>(with_signature(RawEntity{}));
  ASSERT_FALSE(not_a_dot);
  EXPECT_EQ(not_a_dot.error().code, ErrorCode::kMalformed);
}

TEST(ObjectRules, Sizes) {
  EXPECT_EQ(parse_object({}).error().code, ErrorCode::kMalformed);
  const Bytes short_one = to_bytes("\x01\x01"s);
  EXPECT_EQ(parse_object(short_one).error().message, "entity signature: the bytes end too early");
  const Bytes most(limits::kObjectBytes, 1);
  EXPECT_EQ(parse_object(most).error().code, ErrorCode::kMalformed);
  for (std::uint8_t kind = 1; kind <= 7; ++kind) {
    const Bytes more(limits::kObjectBytes + 1, kind);
    EXPECT_EQ(parse_object(more).error().code, ErrorCode::kTooLarge);
  }
}

TEST(ObjectRules, EntityTimes) {
  expect_malformed(RawEntity{.expires = raw(kNow, 5)}, "entity expires");
  expect_malformed(RawEntity{.expires = raw(kNow - 1, 5)}, "entity expires");
  expect_taken(RawEntity{.created = raw(0, 5), .expires = raw(kNeverSeconds, 5)});
}

TEST(ObjectRules, Revokers) {
  std::string eight = "\x08"s;
  for (std::uint8_t i = 1; i <= 8; ++i) eight += raw_key(i);
  expect_taken(RawEntity{.revokers = eight});
  expect_taken(RawDot{.revokers = eight});

  std::string nine = eight + raw_key(9);
  nine[0] = '\x09';
  expect_refused(RawEntity{.revokers = nine}, ErrorCode::kTooLarge, "entity revokers");
  expect_refused(RawDot{.revokers = nine}, ErrorCode::kTooLarge, "DoT revokers");
  const std::string twice = "\x02"s + raw_key(4) + raw_key(4);
  const std::string falling = "\x02"s + raw_key(5) + raw_key(4);
  for (const std::string& list : {twice, falling}) {
    expect_malformed(RawEntity{.revokers = list}, "entity revokers");
    expect_malformed(RawDot{.revokers = list}, "DoT revokers");
  }
}

TEST(ObjectRules, Texts) {
  const std::string most(128, 'x');
  expect_taken(RawEntity{.contact = text8(most), .comment = text8(most)});
  expect_taken(RawEntity{.contact = text8("\xc3\xa9 \xf0\x9f\x98\x80 ~")});
  expect_refused(RawEntity{.contact = text8(most + "x")}, ErrorCode::kTooLarge, "entity contact");
  expect_refused(RawEntity{.comment = text8(most + "x")}, ErrorCode::kTooLarge, "entity comment");
  expect_refused(RawDot{.comment = text8(most + "x")}, ErrorCode::kTooLarge, "DoT comment");
  expect_refused(RawRevocation{.comment = text8(most + "x")}, ErrorCode::kTooLarge,
                 "revocation comment");
  const std::string bad[] = {"\x00"s,
                             "\n",
                             "\t",
                             "\x1b[2J",
                             "a\x1f",
                             "\x7f",
                             "\x80",
                             "\xc0\x80",
                             "\xed\xa0\x80",
                             "\xe2\x82",
                             "\xff",
                             "a\xc3",
                             "\xf4\x90\x80\x80",
                             "\xe0\x80\xaf"};
  for (const std::string& text : bad) {
    expect_malformed(RawEntity{.contact = text8(text)}, "entity contact");
    expect_malformed(RawEntity{.comment = text8(text)}, "entity comment");
    expect_malformed(RawDot{.comment = text8(text)}, "DoT comment");
    expect_malformed(RawRevocation{.comment = text8(text)}, "revocation comment");
  }
}

TEST(ObjectRules, DotParties) {
  expect_malformed(RawDot{.grantee = raw_key(1)}, "DoT grantee");
  expect_taken(RawDot{.grantee = raw_key(0), .ttl = "\x00"s});
  expect_malformed(RawDot{.grantee = raw_key(0), .ttl = "\x01"s}, "DoT ttl");
}

TEST(ObjectRules, DotPermissions) {
  expect_taken(RawDot{.permissions = raw(0xff, 2)});
  expect_malformed(RawDot{.permissions = raw(0, 2)}, "DoT permissions");
  for (const unsigned bits : {0x04U, 0x08U, 0x06U | 0x20U, 0x40U, 0x0aU, 0x0cU, 0x50U}) {
    expect_malformed(RawDot{.permissions = raw(bits, 2)}, "DoT permissions");
  }
  for (const unsigned bits : {0x0102U, 0x8002U}) {
    expect_refused(RawDot{.permissions = raw(bits, 2)}, ErrorCode::kUnsupported, "DoT permissions");
  }
}

TEST(ObjectRules, DotTimes) {
  expect_malformed(RawDot{.not_before = raw(kNow - 1, 5)}, "DoT not_before");
  expect_malformed(RawDot{.expires = raw(kNow, 5)}, "DoT expires");
  expect_malformed(RawDot{.not_before = raw(kNow + 5, 5), .expires = raw(kNow + 5, 5)},
                   "DoT expires");
  expect_taken(RawDot{.not_before = raw(kNow + 5, 5), .expires = raw(kNow + 6, 5)});
}

TEST(ObjectRules, DotPattern) {
  expect_taken(RawDot{.pattern = text16(std::string(512, 'a'))});
  expect_refused(RawDot{.pattern = text16(std::string(513, 'a'))}, ErrorCode::kTooLarge,
                 "DoT pattern");
  for (const char* text : {"", "/a", "a//b", "a/", "*/*", "a b", "\xc3\xa9"}) {
    expect_malformed(RawDot{.pattern = text16(text)}, "DoT pattern");
  }
}

TEST(ObjectRules, DotConditions) {
  expect_taken(RawDot{.conditions = text16(std::string(1024, '\xff'))});
  expect_refused(RawDot{.conditions = text16(std::string(1025, 'x'))}, ErrorCode::kTooLarge,
                 "DoT conditions");
}

TEST(ObjectRules, RevocationTarget) {
  for (const char kind : {'\x00', '\x03', '\xff'}) {
    expect_malformed(RawRevocation{.target_kind = std::string(1, kind)}, "revocation target_kind");
  }
}

TEST(ObjectRules, AliasNames) {
  const std::string longest = "a" + std::string(62, '9');
  for (const std::string& name : {"a"s, "z0.-_"s, "a-"s, longest}) {
    EXPECT_TRUE(is_alias_name(name)) << name;
    expect_taken(raw_alias(name));
  }
  for (const std::string& name : {""s, "A"s, "1a"s, "-a"s, ".a"s, "_a"s, "aB"s, "a b"s, "a/b"s,
                                  "a\x00"s, "\xc3\xa9"s, "a\xc3\xa9"s, "a\n"s, longest + "9"}) {
    EXPECT_FALSE(is_alias_name(name)) << name;
    expect_malformed(raw_alias(name), "alias name");
  }
}

TEST(ObjectRules, TheNextNonceIsAboveWhatIsShownAndWhatWasMadeBefore) {
  const Time now = from_micros(1'795'000'000'000'000);
  const std::uint64_t first = next_nonce(7, now);
  EXPECT_GT(first, 7U);
  // The ledger does not show the first one yet.
  EXPECT_GT(next_nonce(7, now + Duration(1)), first);
  // A clock that went back, or a signer whose clock is ahead.
  EXPECT_EQ(next_nonce(first + 10, now), first + 11);
}

TEST(ObjectRules, RouterNonces) {
  const RawRouting zero{.nonce = raw(0, 8)};
  expect_malformed(zero.offer(), "router offer nonce");
  expect_malformed(zero.acceptance(), "router acceptance nonce");
  expect_malformed(zero.address("a:1"), "router address nonce");
  expect_taken(RawRouting{.nonce = raw(~std::uint64_t{0}, 8)}.offer());
}

TEST(ObjectRules, RouterFlags) {
  for (const char flag : {'\x02', '\x80', '\xff'}) {
    const RawRouting routing{.retracted = std::string(1, flag)};
    expect_malformed(routing.offer(), "router offer retracted");
    expect_malformed(routing.acceptance(), "router acceptance retracted");
  }
}

TEST(ObjectRules, RouterAddresses) {
  for (const std::string& text :
       {"a:1"s, "router.example.org:4514"s, "1.2.3.4:65535"s, "[::1]:80"s, "[2001:DB8::1]:9"s,
        "[::ffff:1.2.3.4]:10000"s, "A-b.9:10"s, std::string(253, 'h') + ":1"}) {
    expect_taken(RawRouting{}.address(text));
  }
  for (const std::string& text : {""s,
                                  "a"s,
                                  ":1"s,
                                  "a:"s,
                                  "a:0"s,
                                  "a:01"s,
                                  "a:65536"s,
                                  "a:99999999999999999999"s,
                                  "a:+1"s,
                                  "a:-1"s,
                                  "a: 1"s,
                                  "a:1 "s,
                                  "a:0x1"s,
                                  "a b:1"s,
                                  "a_b:1"s,
                                  "a/b:1"s,
                                  "u@h:1"s,
                                  "::1:80"s,
                                  "a:1:1"s,
                                  "[]:1"s,
                                  "[::1]"s,
                                  "[::1]80"s,
                                  "[::1:80"s,
                                  "::1]:80"s,
                                  "[::g]:80"s,
                                  "[a]:80"s,
                                  "[::1%eth0]:80"s,
                                  "[[::1]]:80"s,
                                  "[:1"s,
                                  "[:1]"s,
                                  "a\x00:1"s,
                                  "a\n:1"s,
                                  "\xc3\xa9:1"s,
                                  "[::1]:"s}) {
    expect_malformed(RawRouting{}.address(text), "router address address");
  }
}

// sign() holds to the same rules, and says that it is the caller's fault.
template <class T>
void expect_unsigned(T value, std::string_view field) {
  ByteArray<32> secret;
  secret.fill(7);
  const auto key = crypto::SigningKey::from_secret(secret);
  if constexpr (requires { value.granter; }) value.granter = key->public_key();
  if constexpr (requires { value.key; }) value.key = key->public_key();
  const auto object = sign(std::move(value), *key);
  ASSERT_FALSE(object) << field;
  EXPECT_EQ(object.error().code, ErrorCode::kInvalidArgument) << object.error().message;
  EXPECT_TRUE(object.error().message.starts_with(field)) << object.error().message;
}

Entity entity() {
  Entity entity;
  entity.created = from_seconds(kNow);
  entity.expires = kNever;
  return entity;
}

Dot dot() {
  Dot dot;
  dot.grantee = EntityKey{{9}};
  dot.permissions = Permissions::of(Permissions::kPublish);
  dot.created = dot.not_before = from_seconds(kNow);
  dot.expires = kNever;
  dot.pattern = *Pattern::parse("a");
  return dot;
}

template <class T, class Change>
T changed(T value, Change change) {
  change(value);
  return value;
}

TEST(ObjectRules, SigningRefusesWhatParsingWould) {
  expect_unsigned(changed(entity(), [](Entity& e) { e.expires = e.created; }), "entity expires");
  expect_unsigned(changed(entity(), [](Entity& e) { e.comment = "\n"; }), "entity comment");
  expect_unsigned(changed(dot(), [](Dot& d) { d.pattern = Pattern(); }), "DoT pattern");
  expect_unsigned(changed(dot(), [](Dot& d) { d.permissions = Permissions(); }), "DoT permissions");
  expect_unsigned(changed(dot(), [](Dot& d) { d.comment = std::string(129, 'x'); }), "DoT comment");
}

// What would be cut to the width of its field must be refused, not signed as something else.
TEST(ObjectRules, SigningRefusesWhatDoesNotFitItsField) {
  expect_unsigned(changed(entity(), [](Entity& e) { e.expires = kNever + 1s; }), "entity expires");
  const Time wrapped = from_seconds(kNeverSeconds + 1 + kNow + 9);  // its low 40 bits would do
  expect_unsigned(changed(entity(), [&](Entity& e) { e.expires = wrapped; }), "entity expires");
  expect_unsigned(changed(entity(), [](Entity& e) { e.created = Time{-1s}; }), "entity created");
  expect_unsigned(changed(entity(), [](Entity& e) { e.created = Time{-1us}; }), "entity created");
  expect_unsigned(changed(entity(), [](Entity& e) { e.contact = std::string(256, 'x'); }),
                  "entity contact");
  expect_unsigned(changed(entity(), [](Entity& e) { e.revokers.resize(256); }), "entity revokers");
  expect_unsigned(changed(entity(), [](Entity& e) { e.revokers.resize(9); }), "entity revokers");
  expect_unsigned(changed(dot(), [](Dot& d) { d.stored_bytes = std::uint64_t{1} << 40U; }),
                  "DoT stored_bytes");
  expect_unsigned(changed(dot(), [](Dot& d) { d.conditions.resize(65536); }), "DoT conditions");
  expect_unsigned(changed(dot(), [](Dot& d) { d.conditions.resize(1025); }), "DoT conditions");
}

}  // namespace
}  // namespace bw::wave
