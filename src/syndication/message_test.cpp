// SPDX-License-Identifier: Apache-2.0
#include "syndication/message.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/limits.hpp"
#include "syndication/testing/vectors.hpp"

namespace bw::syndication {
namespace {

wave::Pattern pattern(std::string_view text) {
  return wave::Pattern::parse(text).value();
}

Bytes encoded(const Message& message) {
  Bytes out;
  encode(message, out);
  return out;
}

Result<ParsedMessage> parse_alone(ByteView bytes) {
  codec::Reader reader(bytes);
  ParsedMessage parsed;
  BW_CHECK(parse_message(reader, parsed));
  BW_CHECK(reader.finish("message"));
  return parsed;
}

ErrorCode refusal(ByteView bytes) {
  const auto parsed = parse_alone(bytes);
  EXPECT_FALSE(parsed) << to_hex(bytes);
  return parsed ? ErrorCode::kInternal : parsed.error().code;
}

bool same(const Message& a, const Message& b) {
  return a.topic == b.topic && a.type == b.type && a.expires == b.expires &&
         a.consumers == b.consumers && a.replay == b.replay &&
         std::ranges::equal(a.payload, b.payload);
}

TEST(Topic, HashIsAsInTheVectors) {
  for (const auto& json : testing::vectors().at("topics")) {
    EXPECT_EQ(topic_hash(testing::topic_from(json)).text(),
              testing::id_of<Hash>(json.at("hash")).text());
  }
}

TEST(Topic, HashDependsOnEachField) {
  const Topic topic = testing::topic_from(testing::vectors().at("topics").at(0));
  Topic other = topic;
  other.ns.bytes[0] ^= 1;
  EXPECT_NE(topic_hash(other), topic_hash(topic));
  other = topic;
  other.proof.bytes[31] ^= 1;
  EXPECT_NE(topic_hash(other), topic_hash(topic));
  other = topic;
  other.uri = pattern("building/floor1/temperaturf");
  EXPECT_NE(topic_hash(other), topic_hash(topic));
}

TEST(Message, BytesAndLeavesAreAsInTheVectors) {
  const auto& vectors = testing::vectors();
  for (const auto& json : vectors.at("messages")) {
    const Bytes payload = testing::bytes_of(json.at("payload"));
    const Message message = testing::message_from(json, payload);
    const Bytes bytes = testing::bytes_of(json.at("bytes"));
    EXPECT_EQ(to_hex(encoded(message)), to_hex(bytes));

    const auto parsed = parse_alone(bytes);
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_TRUE(same(parsed->message, message));
    const Topic topic = testing::topic_from(vectors.at("topics").at(message.topic));
    EXPECT_EQ(message_leaf(leaf_prefix(topic_hash(topic)), parsed->signed_tail()).text(),
              testing::id_of<Hash>(json.at("leaf")).text());
  }
}

TEST(Message, EveryTruncationIsRefused) {
  for (const auto& json : testing::vectors().at("messages")) {
    const Bytes bytes = testing::bytes_of(json.at("bytes"));
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      EXPECT_EQ(refusal(ByteView(bytes).first(length)), ErrorCode::kMalformed);
    }
  }
}

// topic, type, flags, [fields], length.
TEST(Message, OnlyTheCanonicalFormIsTaken) {
  const auto code = [](std::string_view hex) { return refusal(from_hex(hex).value()); };
  ASSERT_TRUE(parse_alone(from_hex("00000000010000000000").value()));
  EXPECT_EQ(code("00000000000000000000"), ErrorCode::kUnsupported);  // type 0
  EXPECT_EQ(code("00000000090000000000"), ErrorCode::kUnsupported);  // type 9
  EXPECT_EQ(code("00000000010800000000"), ErrorCode::kUnsupported);  // unknown flag
  EXPECT_EQ(code("00000000018000000000"), ErrorCode::kUnsupported);
  EXPECT_EQ(code("000000000101000000000000000000000000"), ErrorCode::kMalformed);  // expires 0
  EXPECT_EQ(code("000000000101ffffffffffffffff00000000"), ErrorCode::kMalformed);  // no such time
  EXPECT_EQ(code("000000000102000000000000"), ErrorCode::kMalformed);              // consumers 0
  EXPECT_EQ(code("000000000302000100000000"), ErrorCode::kMalformed);  // consumers of a subscribe
  EXPECT_EQ(code("00000000010400000000"), ErrorCode::kMalformed);      // replay of a publish
  EXPECT_EQ(code("00000000050400000000"), ErrorCode::kMalformed);      // replay of a query
  EXPECT_TRUE(parse_alone(from_hex("00000000040400000000").value()));  // replay of a tap
  EXPECT_EQ(code("00000000010000100001"), ErrorCode::kTooLarge);       // payload length
  EXPECT_EQ(code("0000000001000000000000"), ErrorCode::kMalformed);    // a byte left over
}

TEST(Message, TheLargestPayloadPasses) {
  const Bytes payload(limits::kMessageBytes, 7);
  Message message;
  message.payload = payload;
  const Bytes bytes = encoded(message);
  const auto parsed = parse_alone(bytes);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->message.payload.size(), limits::kMessageBytes);
}

RC_GTEST_PROP(MessageProperty, ParsingUndoesEncoding, ()) {
  Message message;
  message.topic = *rc::gen::arbitrary<std::uint32_t>();
  message.type = static_cast<MessageType>(*rc::gen::inRange(1, 9));
  if (*rc::gen::arbitrary<bool>()) {
    message.expires = from_micros(*rc::gen::inRange<std::uint64_t>(1, to_micros(kNever)));
  }
  if (is_value(message.type)) message.consumers = *rc::gen::arbitrary<std::uint16_t>();
  if (message.type == MessageType::kSubscribe || message.type == MessageType::kTap) {
    message.replay = *rc::gen::arbitrary<bool>();
  }
  const auto payload = *rc::gen::arbitrary<Bytes>();
  message.payload = payload;

  const Bytes bytes = encoded(message);
  const auto parsed = parse_alone(bytes);
  RC_ASSERT(parsed.has_value());
  RC_ASSERT(same(parsed->message, message));
  RC_ASSERT(bytes.size() <= payload.size() + kMessageOverhead);
}

RC_GTEST_PROP(MessageProperty, WhatParsesIsCanonical, ()) {
  Bytes bytes{0, 0, 0, 1};
  bytes.push_back(*rc::gen::inRange<std::uint8_t>(0, 10));
  bytes.push_back(*rc::gen::inRange<std::uint8_t>(0, 9));
  append(bytes, *rc::gen::container<Bytes>(*rc::gen::inRange<std::size_t>(4, 18),
                                           rc::gen::inRange<std::uint8_t>(0, 3)));
  const auto parsed = parse_alone(bytes);
  if (parsed) RC_ASSERT(encoded(parsed->message) == bytes);
}

// --- Rights --------------------------------------------------------------------------------------

TEST(NeededPermissions, FollowTheTypeAndTheWildcards) {
  const auto needed = [](MessageType type, std::string_view uri) {
    return needed_permissions(type, pattern(uri)).value().text();
  };
  EXPECT_EQ(needed(MessageType::kPublish, "a/b"), "P");
  EXPECT_EQ(needed(MessageType::kPersist, "a/b"), "P");
  EXPECT_EQ(needed(MessageType::kSubscribe, "a/b"), "C");
  EXPECT_EQ(needed(MessageType::kSubscribe, "a/+"), "C+");
  EXPECT_EQ(needed(MessageType::kQuery, "a/*"), "C*");
  EXPECT_EQ(needed(MessageType::kTap, "a/+"), "T+");
  EXPECT_EQ(needed(MessageType::kTapQuery, "+/*"), "T*");
  EXPECT_EQ(needed(MessageType::kList, "a/+"), "L");
  EXPECT_EQ(needed(MessageType::kList, "+"), "L");
  EXPECT_TRUE(needed_permissions(MessageType::kUnsubscribe, pattern("a/*")).value().empty());
}

TEST(NeededPermissions, RefuseWildcardsWhereOneUriIsMeant) {
  const auto refused = [](MessageType type, std::string_view uri) {
    const auto needed = needed_permissions(type, pattern(uri));
    return !needed && needed.error().code == ErrorCode::kInvalidArgument;
  };
  for (const char* uri : {"+", "a/+", "a/*", "*/b", "a/+/b"}) {
    EXPECT_TRUE(refused(MessageType::kPublish, uri)) << uri;
    EXPECT_TRUE(refused(MessageType::kPersist, uri)) << uri;
  }
  for (const char* uri : {"a", "a/b", "a/*", "*", "+/+", "*/+", "a/+/b/+", "+/a"}) {
    EXPECT_TRUE(refused(MessageType::kList, uri)) << uri;
  }
}

// --- Payloads ------------------------------------------------------------------------------------

TEST(PayloadType, TextIsDottedAndStrict) {
  EXPECT_EQ(payload_type_text(0x40000100), "64.0.1.0");
  EXPECT_EQ(parse_payload_type("64.0.1.0").value(), 0x40000100U);
  EXPECT_EQ(parse_payload_type("255.255.255.255").value(), 0xffffffffU);
  for (const char* text :
       {"", "1", "1.2.3", "1.2.3.4.5", "256.0.0.0", "1.2.3.", ".1.2.3", "1..2.3", "01.2.3.4",
        "1.2.3.04", "-1.2.3.4", "1.2.3.4 ", " 1.2.3.4", "a.b.c.d", "+1.2.3.4", "1,2,3,4"}) {
    const auto parsed = parse_payload_type(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidArgument);
  }
}

RC_GTEST_PROP(PayloadTypeProperty, ParsingUndoesText, (std::uint32_t type)) {
  RC_ASSERT(parse_payload_type(payload_type_text(type)).value() == type);
}

RC_GTEST_PROP(PayloadProperty, ParsingUndoesEncoding, ()) {
  const auto contents = *rc::gen::container<std::vector<std::pair<std::uint32_t, Bytes>>>(
      *rc::gen::inRange<std::size_t>(0, 65), rc::gen::arbitrary<std::pair<std::uint32_t, Bytes>>());
  std::vector<PayloadObject> objects;
  for (const auto& [type, content] : contents) objects.push_back({type, content});
  const auto parsed = parse_payload(encode_payload(objects));
  RC_ASSERT(parsed.has_value());
  RC_ASSERT(*parsed == objects);
}

TEST(Payload, BrokenFormsAreRefused) {
  const auto code = [](const Bytes& payload) {
    const auto parsed = parse_payload(payload);
    return parsed ? ErrorCode::kInternal : parsed.error().code;
  };
  EXPECT_TRUE(parse_payload({}).value().empty());
  const Bytes good = encode_payload({{1, {1, 2, 3}}});
  for (std::size_t length = 1; length < good.size(); ++length) {
    EXPECT_EQ(code(to_bytes(ByteView(good).first(length))), ErrorCode::kMalformed);
  }
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_EQ(code(longer), ErrorCode::kMalformed);
  EXPECT_TRUE(parse_payload(Bytes(limits::kPayloadObjects * 8, 0)));
  EXPECT_EQ(code(Bytes((limits::kPayloadObjects + 1) * 8, 0)), ErrorCode::kTooLarge);
  EXPECT_EQ(code(Bytes(limits::kMessageBytes + 1, 0)), ErrorCode::kTooLarge);
}

}  // namespace
}  // namespace bw::syndication
