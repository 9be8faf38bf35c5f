// SPDX-License-Identifier: Apache-2.0
#include "syndication/message.hpp"

#include <array>
#include <charconv>

#include "base/limits.hpp"
#include "base/text.hpp"
#include "codec/writer.hpp"

namespace bw::syndication {
namespace {

constexpr std::uint8_t kHasExpires = 1;
constexpr std::uint8_t kHasConsumers = 2;
constexpr std::uint8_t kReplay = 4;
constexpr std::uint8_t kKnownFlags = kHasExpires | kHasConsumers | kReplay;

constexpr bool may_replay(MessageType type) {
  return type == MessageType::kSubscribe || type == MessageType::kTap;
}

std::uint8_t flags_of(const Message& message) {
  unsigned flags = 0;
  if (message.expires) flags |= kHasExpires;
  if (message.consumers != 0) flags |= kHasConsumers;
  if (message.replay) flags |= kReplay;
  return static_cast<std::uint8_t>(flags);
}

// Type and flags, and whether they go together.
Result<void> parse_kind(std::uint8_t type, std::uint8_t flags, Message& out) {
  if (type < static_cast<std::uint8_t>(MessageType::kPublish) ||
      type > static_cast<std::uint8_t>(MessageType::kUnsubscribe)) {
    return fail(ErrorCode::kUnsupported, "message: type {} is not known", type);
  }
  if ((flags & ~kKnownFlags) != 0) {
    return fail(ErrorCode::kUnsupported, "message: flags {:#04x} are not all known", flags);
  }
  out.type = static_cast<MessageType>(type);
  out.replay = (flags & kReplay) != 0;
  if (out.replay && !may_replay(out.type)) {
    return fail(ErrorCode::kMalformed, "message: a {} cannot ask for replay", type_name(out.type));
  }
  if ((flags & kHasConsumers) != 0 && !is_value(out.type)) {
    return fail(ErrorCode::kMalformed, "message: a {} cannot limit consumers", type_name(out.type));
  }
  return {};
}

// A plain URI and then "+": "a/b/+", or "+" for the top of the namespace.
bool is_list_of_children(const wave::Pattern& uri) {
  const std::string& text = uri.text();
  const std::size_t first_wildcard = text.find_first_of("+*");
  return !text.empty() && text.back() == '+' && first_wildcard == text.size() - 1;
}

}  // namespace

std::string_view type_name(MessageType type) {
  static constexpr std::array<std::string_view, 9> kNames{"unknown",   "publish", "persist",
                                                          "subscribe", "tap",     "query",
                                                          "tap-query", "list",    "unsubscribe"};
  const auto number = static_cast<std::size_t>(type);
  return number < kNames.size() ? kNames[number] : kNames[0];
}

Result<wave::Permissions> needed_permissions(MessageType type, const wave::Pattern& uri) {
  using wave::Permissions;
  switch (type) {
    case MessageType::kPublish:
    case MessageType::kPersist:
      if (uri.is_concrete()) return Permissions::of(Permissions::kPublish);
      return fail(ErrorCode::kInvalidArgument, "{}: \"{}\" has a wildcard; name one plain URI",
                  type_name(type), uri.text());
    case MessageType::kSubscribe:
    case MessageType::kQuery:
      return wave::consume_permission(uri);
    case MessageType::kTap:
    case MessageType::kTapQuery:
      return wave::tap_permission(uri);
    case MessageType::kList:
      if (is_list_of_children(uri)) return Permissions::of(Permissions::kList);
      return fail(ErrorCode::kInvalidArgument,
                  "list: \"{}\" does not name the children of one plain URI; write plain/uri/+",
                  uri.text());
    case MessageType::kUnsubscribe:
      return Permissions{};
  }
  return fail(ErrorCode::kInvalidArgument, "message: type {} is not known",
              static_cast<unsigned>(type));
}

std::string payload_type_text(std::uint32_t type) {
  return fmt::format("{}.{}.{}.{}", type >> 24U, type >> 16U & 0xffU, type >> 8U & 0xffU,
                     type & 0xffU);
}

Result<std::uint32_t> parse_payload_type(std::string_view text) {
  std::uint32_t type = 0;
  const char* at = text.data();
  const char* const end = at + text.size();
  bool sane = true;
  for (int i = 0; i < 4 && sane; ++i) {
    if (i > 0) sane = at != end && *at++ == '.';
    std::uint8_t part = 0;
    const bool leading_zero = end - at > 1 && at[0] == '0' && at[1] != '.';
    const auto [next, error] = std::from_chars(at, end, part);
    sane = sane && !leading_zero && error == std::errc{};
    at = next;
    type = type << 8U | part;
  }
  if (!sane || at != end) {
    return fail(ErrorCode::kInvalidArgument,
                "'{}' is not a payload type: write four numbers below 256, as in 64.0.1.0",
                printable(text, 60));
  }
  return type;
}

Bytes encode_payload(const std::vector<PayloadObject>& objects) {
  BW_ASSERT(objects.size() <= limits::kPayloadObjects);
  Bytes out;
  codec::Writer writer(out);
  for (const PayloadObject& object : objects) writer.u32(object.type).blob32(object.content);
  return out;
}

Result<std::vector<PayloadObject>> parse_payload(ByteView payload) {
  if (payload.size() > limits::kMessageBytes) {
    return fail(ErrorCode::kTooLarge, "payload: {} bytes; at most {} are allowed", payload.size(),
                limits::kMessageBytes);
  }
  std::vector<PayloadObject> objects;
  codec::Reader reader(payload);
  while (reader.ok() && reader.remaining() > 0) {
    if (objects.size() == limits::kPayloadObjects) {
      return fail(ErrorCode::kTooLarge, "payload: more than {} objects", limits::kPayloadObjects);
    }
    const std::uint32_t type = reader.u32();
    objects.push_back({type, to_bytes(reader.blob32())});
  }
  BW_CHECK(reader.finish("payload"));
  return objects;
}

void encode(const Message& message, Bytes& out) {
  BW_ASSERT(message.consumers == 0 || is_value(message.type));
  BW_ASSERT(!message.replay || may_replay(message.type));
  BW_ASSERT(message.payload.size() <= limits::kMessageBytes);
  BW_ASSERT(!message.expires || to_micros(*message.expires) != 0);
  codec::Writer writer(out);
  writer.u32(message.topic).u8(static_cast<std::uint8_t>(message.type)).u8(flags_of(message));
  if (message.expires) writer.micros(*message.expires);
  if (message.consumers != 0) writer.u16(message.consumers);
  writer.blob32(message.payload);
}

Result<void> parse_message(codec::Reader& reader, ParsedMessage& out) {
  const ByteView begin = reader.rest();
  Message& message = out.message;
  message.topic = reader.u32();
  const std::uint8_t type = reader.u8();
  const std::uint8_t flags = reader.u8();
  if (!reader.ok()) return fail(ErrorCode::kMalformed, "message: too short");
  BW_CHECK(parse_kind(type, flags, message));
  message.expires.reset();
  if ((flags & kHasExpires) != 0) message.expires = reader.micros();
  message.consumers = (flags & kHasConsumers) != 0 ? reader.u16() : std::uint16_t{0};
  const std::uint32_t length = reader.u32();
  if (length > limits::kMessageBytes) {
    return fail(ErrorCode::kTooLarge, "message: a payload of {} bytes; at most {} are allowed",
                length, limits::kMessageBytes);
  }
  message.payload = reader.bytes(length);
  const bool zero_expiry = message.expires && to_micros(*message.expires) == 0;
  const bool zero_consumers = (flags & kHasConsumers) != 0 && message.consumers == 0;
  if (!reader.ok() || zero_expiry || zero_consumers) {
    return fail(ErrorCode::kMalformed, "message: too short or a field is out of range");
  }
  out.raw = begin.first(begin.size() - reader.remaining());
  return {};
}

crypto::Sha256 leaf_prefix(const Hash& topic_hash) {
  static constexpr std::array<std::uint8_t, 1> kLeaf{0x00};
  crypto::Sha256 state;
  state.update(kLeaf).update(topic_hash.view());
  return state;
}

}  // namespace bw::syndication
