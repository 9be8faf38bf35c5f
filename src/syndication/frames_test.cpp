// SPDX-License-Identifier: Apache-2.0
#include "syndication/frames.hpp"

#include <map>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/limits.hpp"
#include "codec/writer.hpp"
#include "syndication/handshake.hpp"
#include "syndication/testing/vectors.hpp"

namespace bw::syndication {
namespace {

// Writes what was parsed once more.
Bytes encoded(const ParsedFrame& parsed) {
  Bytes out;
  std::visit(
      [&]<class T>(const T& frame) {
        if constexpr (std::is_same_v<T, Hello>) {
          encode_hello(parsed.type, frame, out);
        } else {
          encode_frame(frame, out);
        }
      },
      parsed.frame);
  return out;
}

template <class T>
Bytes encoded(const T& frame) {
  return encoded(ParsedFrame{T::kType, frame});
}

ByteView without_length(const Bytes& frame) {
  return ByteView(frame).subspan(4);
}

ErrorCode refusal(ByteView frame) {
  const auto parsed = parse_frame(frame);
  EXPECT_FALSE(parsed) << to_hex(frame);
  return parsed ? ErrorCode::kInternal : parsed.error().code;
}
template <class T>
ErrorCode refusal_of(const T& frame) {
  return refusal(without_length(encoded(frame)));
}

Hash hash_of(std::string_view text) {
  return crypto::sha256(as_bytes(text));
}

// The frames of the vectors, by their names there.
struct Samples {
  crypto::SigningKey alice = testing::alice();
  crypto::SigningKey router = testing::router();
  Hash exporter = testing::id_of<Hash>(testing::vectors().at("session").at("exporter"));
  Topic topic = testing::topic_from(testing::vectors().at("topics").at(1));
  Bytes batch = testing::bytes_of(testing::vectors().at("batches").at(1).at("bytes"));
  Bytes proof{1, 0};
  Bytes object1 = to_bytes("object 1");
  Bytes object2 = to_bytes("object 2");
  Bytes head = to_bytes("head");
  RequestId request{9, 3, 4};

  std::map<std::string, Bytes> all() {
    std::map<std::string, Bytes> out = handshake();
    out["error"] = encoded(ErrorFrame{{ErrorCode::kLimited, "entity: too fast; wait"}});
    out["ping"] = encoded(Ping{0x0102030405060708});
    out["pong"] = encoded(Pong{~std::uint64_t{0}});
    out["detach"] =
        encoded(Detach{alice.public_key(), 77, {ErrorCode::kRevoked, "entity: revoked"}});
    out["proof"] = encoded(ProofFrame{proof});
    out["topic"] = encoded(TopicFrame{alice.public_key(), 77, 5, topic});
    out["batch"] = encoded(BatchFrame{batch});
    out["stored"] = encoded(Stored{request, topic, batch});
    out["ack"] = encoded(Ack{77, 12});
    out["result"] = encoded(ResultFrame{request, {}});
    out["refusal"] =
        encoded(ResultFrame{request, Error{ErrorCode::kDenied, "link 1: not granted"}});
    out["children"] = encoded(Children{request, {"floor1", "floor2"}});
    out["direct"] = encoded(Direct{request, batch});
    out["lost"] = encoded(Lost{1000});
    out["submit"] = encoded(Submit{6, {object1, object2}});
    out["submitted"] =
        encoded(SubmittedFrame{6, {{41, {}}, {{}, {ErrorCode::kConflict, "dot: there already"}}}});
    out["follow"] = encoded(Follow{41});
    out["entries"] = encoded(Entries{41, {object1}});
    out["head"] = encoded(HeadFrame{head, {hash_of("a"), hash_of("b")}});
    return out;
  }

 private:
  std::map<std::string, Bytes> handshake() {
    const auto hello = [](FrameType type, const Hello& fields) {
      Bytes out;
      encode_hello(type, fields, out);
      return out;
    };
    const Hello client = client_hello(exporter, Role::kAgent, &alice, router.public_key(),
                                      Role::kRouter, to_bytes("head"));
    return {{"client hello", hello(FrameType::kClientHello, client)},
            {"server hello", hello(FrameType::kServerHello,
                                   server_hello(exporter, Role::kRouter, router, client, {}))},
            {"anonymous hello",
             hello(FrameType::kClientHello, client_hello(exporter, Role::kFollower, nullptr,
                                                         router.public_key(), Role::kLedger, {}))},
            {"attach", encoded(attach(exporter, alice, 77))}};
  }
};

std::map<std::string, Bytes> samples() {
  return Samples{}.all();
}

TEST(Frames, BytesAreAsInTheVectors) {
  const auto& vectors = testing::vectors().at("frames");
  const auto made = samples();
  ASSERT_EQ(made.size(), vectors.size());
  for (const auto& [name, bytes] : made) {
    EXPECT_EQ(to_hex(bytes), vectors.at(name).get<std::string>()) << name;
  }
}

TEST(Frames, TheVectorsCoverEveryType) {
  std::set<std::uint8_t> types;
  for (const auto& [name, bytes] : samples()) types.insert(bytes[4]);
  for (unsigned type = 0; type < 256; ++type) {
    const bool known = frame_name(static_cast<FrameType>(type)) != "unknown";
    EXPECT_EQ(types.contains(static_cast<std::uint8_t>(type)), known) << type;
  }
}

TEST(Frames, ParsingThenEncodingGivesTheSameBytes) {
  for (const auto& [name, bytes] : samples()) {
    const auto parsed = parse_frame(without_length(bytes));
    ASSERT_TRUE(parsed) << name << ": " << parsed.error().message;
    EXPECT_EQ(to_hex(encoded(*parsed)), to_hex(bytes)) << name;
  }
}

// Some bodies end in bytes that frames do not look into: any length of those is well formed here.
TEST(Frames, EveryTruncationIsRefused) {
  const std::map<std::string, std::size_t> least{{"proof", 1 + 1},
                                                 {"batch", 1 + 1},
                                                 {"direct", 1 + 18 + 1},
                                                 {"stored", 1 + 18 + 64 + 2 + 12 + 1}};
  for (const auto& [name, bytes] : samples()) {
    const ByteView frame = without_length(bytes);
    const auto open = least.find(name);
    const std::size_t shortest = open == least.end() ? frame.size() : open->second;
    for (std::size_t length = 0; length < shortest; ++length) {
      EXPECT_FALSE(parse_frame(frame.first(length))) << name << " " << length;
    }
    EXPECT_TRUE(parse_frame(frame.first(shortest))) << name;
  }
}

TEST(Frames, ATrailingByteIsRefused) {
  for (const auto& [name, bytes] : samples()) {
    if (name == "proof" || name == "batch" || name == "direct" || name == "stored") continue;
    Bytes longer = bytes;
    longer.push_back(0);
    EXPECT_EQ(refusal(without_length(longer)), ErrorCode::kMalformed) << name;
  }
}

TEST(Frames, UnknownTypesAreUnsupported) {
  for (unsigned type = 0; type < 256; ++type) {
    if (frame_name(static_cast<FrameType>(type)) != "unknown") continue;
    EXPECT_EQ(refusal(Bytes{static_cast<std::uint8_t>(type), 1, 2}), ErrorCode::kUnsupported);
  }
}

TEST(Frames, UnknownVersionsAndRolesAreUnsupported) {
  Bytes hello = samples().at("client hello");
  hello[6] = 2;
  EXPECT_EQ(refusal(without_length(hello)), ErrorCode::kUnsupported);
  for (const std::uint8_t role : Bytes{0, 5, 255}) {
    hello = samples().at("client hello");
    hello[7] = role;
    EXPECT_EQ(refusal(without_length(hello)), ErrorCode::kUnsupported);
  }
}

TEST(Frames, AFrameAboveTheLimitIsTooLarge) {
  Bytes frame(limits::kFrameBytes + 1, 20);
  EXPECT_EQ(refusal(frame), ErrorCode::kTooLarge);
  frame.pop_back();
  EXPECT_TRUE(parse_frame(frame));
}

// --- Reasons -------------------------------------------------------------------------------------

std::string reason_after_travel(const std::string& text) {
  const Bytes bytes = encoded(ErrorFrame{{ErrorCode::kDenied, text}});
  return std::get<ErrorFrame>(parse_frame(without_length(bytes)).value().frame).error.message;
}

Bytes error_frame(std::uint16_t code, std::string_view text) {
  Bytes frame{static_cast<std::uint8_t>(FrameType::kError)};
  codec::Writer(frame).u16(code).text16(text);
  return frame;
}

TEST(FrameReasons, AreCutByTheSenderAtTheLimit) {
  EXPECT_EQ(reason_after_travel(std::string(512, 'x')), std::string(512, 'x'));
  const std::string cut = reason_after_travel(std::string(513, 'x'));
  EXPECT_LE(cut.size(), limits::kErrorTextBytes);
  EXPECT_TRUE(cut.ends_with("..."));
  std::string wide = "x";
  for (int i = 0; i < 300; ++i) wide += "\U0001F3E0";
  EXPECT_LE(reason_after_travel(wide).size(), limits::kErrorTextBytes);
}

TEST(FrameReasons, AreRefusedAboveTheLimitAndMadePrintable) {
  EXPECT_EQ(refusal(error_frame(30, std::string(513, 'x'))), ErrorCode::kMalformed);
  const auto parsed = parse_frame(error_frame(30, "a\x1b[2J\xff\nb")).value();
  EXPECT_EQ(std::get<ErrorFrame>(parsed.frame).error.message, "a?[2J??b");
}

TEST(FrameReasons, UnknownCodesBecomeInternal) {
  const auto parsed = parse_frame(error_frame(12345, "x")).value();
  EXPECT_EQ(std::get<ErrorFrame>(parsed.frame).error.code, ErrorCode::kInternal);
}

// --- Bounds --------------------------------------------------------------------------------------

TEST(FrameBounds, HeadsProofsAndCountsAreBounded) {
  const Bytes head(limits::kHeadBytes + 1, 1);
  EXPECT_EQ(refusal_of(HeadFrame{head, {}}), ErrorCode::kMalformed);
  EXPECT_EQ(refusal_of(HeadFrame{{}, {}}), ErrorCode::kMalformed);
  const Bytes proof(limits::kProofBytes + 1, 1);
  EXPECT_EQ(refusal_of(ProofFrame{proof}), ErrorCode::kTooLarge);
  EXPECT_EQ(refusal_of(ProofFrame{}), ErrorCode::kMalformed);
  EXPECT_EQ(refusal_of(BatchFrame{}), ErrorCode::kMalformed);
  EXPECT_EQ(refusal_of(Lost{0}), ErrorCode::kMalformed);
  EXPECT_EQ(refusal_of(Direct{RequestId{1, 2, 1024}, proof}), ErrorCode::kMalformed);
  EXPECT_EQ(refusal_of(SubmittedFrame{1, {}}), ErrorCode::kMalformed);
}

TEST(FrameBounds, ObjectsAreBounded) {
  const Bytes largest(limits::kObjectBytes, 1);
  const Bytes larger(limits::kObjectBytes + 1, 1);
  const Bytes one{1};
  EXPECT_TRUE(parse_frame(without_length(encoded(Submit{1, {largest}}))));
  EXPECT_EQ(refusal_of(Submit{1, {larger}}), ErrorCode::kMalformed);
  EXPECT_EQ(refusal_of(Submit{1, {ByteView{}}}), ErrorCode::kMalformed);
  EXPECT_EQ(refusal_of(Submit{1, {}}), ErrorCode::kMalformed);
  EXPECT_EQ(refusal_of(Entries{1, {}}), ErrorCode::kMalformed);
  Submit submit{1, std::vector<ByteView>(limits::kLedgerBatchEntries, one)};
  EXPECT_TRUE(parse_frame(without_length(encoded(submit))));
  Bytes above{static_cast<std::uint8_t>(FrameType::kSubmit)};
  codec::Writer writer(above);
  writer.u32(1).u16(limits::kLedgerBatchEntries + 1);
  for (std::size_t i = 0; i <= limits::kLedgerBatchEntries; ++i) writer.text16("x");
  EXPECT_EQ(refusal(above), ErrorCode::kMalformed);
}

TEST(FrameBounds, ChildrenArePlainCellsInOrder) {
  const auto parses = [](std::vector<std::string> names) {
    return parse_frame(without_length(encoded(Children{{1, 2, 3}, std::move(names)}))).has_value();
  };
  EXPECT_TRUE(parses({}));
  EXPECT_TRUE(parses({"!meta", "a", "b"}));
  EXPECT_FALSE(parses({"b", "a"}));
  EXPECT_FALSE(parses({"a", "a"}));
  for (const char* name : {"", "a/b", "+", "*", "a b", "\x1b[2J", "!"})
    EXPECT_FALSE(parses({name}));
  EXPECT_FALSE(parses({std::string(limits::kUriBytes + 1, 'a')}));
}

TEST(FrameBounds, ATopicIsAPattern) {
  Bytes frame{static_cast<std::uint8_t>(FrameType::kTopic)};
  codec::Writer(frame).id(EntityKey{}).u64(1).u32(1).id(EntityKey{}).id(Hash{}).text16("a//b");
  EXPECT_EQ(refusal(frame), ErrorCode::kMalformed);
}

TEST(FrameBounds, TheNumberOfChildrenIsBounded) {
  const auto frame_of = [](std::size_t count) {
    Bytes frame{static_cast<std::uint8_t>(FrameType::kChildren)};
    codec::Writer writer(frame);
    writer.u64(1).u64(1).u16(1).u32(static_cast<std::uint32_t>(count));
    for (std::size_t i = 0; i < count; ++i) writer.text16(fmt::format("{:06}", i));
    return frame;
  };
  EXPECT_TRUE(parse_frame(frame_of(limits::kQueryResults)));
  EXPECT_EQ(refusal(frame_of(limits::kQueryResults + 1)), ErrorCode::kMalformed);
}

TEST(FrameBounds, TheHeadInAHelloIsBounded) {
  const auto frame_of = [](std::size_t head) {
    Bytes frame{static_cast<std::uint8_t>(FrameType::kClientHello)};
    codec::Writer writer(frame);
    writer.u16(1).u8(1).id(EntityKey{}).id(EntityKey{});
    writer.text16(std::string(head, 'h')).bytes(crypto::Signature{});
    return frame;
  };
  EXPECT_TRUE(parse_frame(frame_of(limits::kHeadBytes)));
  EXPECT_EQ(refusal(frame_of(limits::kHeadBytes + 1)), ErrorCode::kMalformed);
}

TEST(FrameBounds, AnOutcomeIsYesOrNo) {
  Bytes result = samples().at("refusal");
  ASSERT_EQ(result[5 + 18], 1);
  result[5 + 18] = 2;
  EXPECT_EQ(refusal(without_length(result)), ErrorCode::kMalformed);
  // As if 2 meant yes, or no: the rest would fit either.
  Bytes complete = samples().at("result");
  complete[5 + 18] = 2;
  EXPECT_EQ(refusal(without_length(complete)), ErrorCode::kMalformed);
  Bytes submitted = samples().at("submitted");
  ASSERT_EQ(submitted[5 + 6], 0);
  submitted[5 + 6] = 2;
  EXPECT_EQ(refusal(without_length(submitted)), ErrorCode::kMalformed);
}

// A count that promises more than the frame holds must not make the parser allocate for it.
TEST(FrameBounds, PromisedCountsAreNotBelieved) {
  Bytes frame{static_cast<std::uint8_t>(FrameType::kChildren)};
  codec::Writer(frame).u64(1).u64(1).u16(1).u32(limits::kQueryResults);
  EXPECT_EQ(refusal(frame), ErrorCode::kMalformed);
}

TEST(FrameRequests, AnUnsubscribeNamesItsRequest) {
  const RequestId id{9, 3, 4};
  const Bytes bytes = encode_request_id(id);
  EXPECT_EQ(bytes.size(), 18U);
  EXPECT_EQ(parse_request_id(bytes).value(), id);
  EXPECT_FALSE(parse_request_id(ByteView(bytes).first(17)));
  Bytes longer = bytes;
  longer.push_back(0);
  EXPECT_FALSE(parse_request_id(longer));
}

// Whatever parses is understood in full: written again and parsed, it is the same.
RC_GTEST_PROP(FramesProperty, DamagedFramesAreRefusedOrCanonical, ()) {
  static const auto kSamples = samples();
  auto sample = kSamples.begin();
  std::advance(sample, *rc::gen::inRange<std::size_t>(0, kSamples.size()));
  Bytes frame = to_bytes(without_length(sample->second));
  const int changes = *rc::gen::inRange(1, 4);
  for (int i = 0; i < changes; ++i) {
    frame[*rc::gen::inRange<std::size_t>(0, frame.size())] = *rc::gen::arbitrary<std::uint8_t>();
  }
  const auto parsed = parse_frame(frame);
  if (!parsed) return;
  const Bytes once = encoded(*parsed);
  RC_ASSERT(once.size() == frame.size() + 4);
  const auto again = parse_frame(without_length(once));
  RC_ASSERT(again.has_value());
  RC_ASSERT(encoded(*again) == once);
}

}  // namespace
}  // namespace bw::syndication
