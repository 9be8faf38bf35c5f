// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "base/id.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "codec/reader.hpp"
#include "crypto/sha256.hpp"
#include "wave/permissions.hpp"

namespace bw::syndication {

enum class MessageType : std::uint8_t {
  kPublish = 1,
  kPersist = 2,  // an empty payload deletes what is stored
  kSubscribe = 3,
  kTap = 4,
  kQuery = 5,
  kTapQuery = 6,
  kList = 7,
  // Same topic as the subscription; payload: its RequestId, stream u64 | sequence u64 | index u16.
  kUnsubscribe = 8,
};
std::string_view type_name(MessageType type);

// Publish and persist carry values to others; the rest are requests to the router.
constexpr bool is_value(MessageType type) {
  return type == MessageType::kPublish || type == MessageType::kPersist;
}

// The rights that a message of this type on `uri` needs. For kList the right is L on `uri`, which
// is the pattern of the children asked for ("building/+"). Fails (kInvalidArgument) when a publish
// or persist names a wildcard, or a list is not of the form "plain/uri/+". kUnsubscribe needs none.
Result<wave::Permissions> needed_permissions(MessageType type, const wave::Pattern& uri);

// One typed piece of content; `type` is a payload object number, dotted like an IPv4 address in
// text (original-bw2.md section 5.4), e.g. 64.0.1.0 for a string, 2.0.0.0/8 for MessagePack.
struct PayloadObject {
  std::uint32_t type = 0;
  Bytes content;

  friend bool operator==(const PayloadObject&, const PayloadObject&) = default;
};
std::string payload_type_text(std::uint32_t type);
Result<std::uint32_t> parse_payload_type(std::string_view text);

// payload = { type u32, length u32, content }*, at most kPayloadObjects. Routers never look inside.
// Preconditions: as many objects as that, and kMessageBytes in all.
Bytes encode_payload(const std::vector<PayloadObject>& objects);
// Strict; kMalformed or kTooLarge.
Result<std::vector<PayloadObject>> parse_payload(ByteView payload);

// The fields of one message inside a batch. `payload` points to bytes somebody else owns.
// Bytes: topic u32 | type u8 | flags u8 | [expires u64 us] | [consumers u16] | length u32 |
// payload. flags: 1 expires follows (not 0), 2 consumers follow (not 0; only for values),
//        4 replay (only for subscribe and tap: send what is stored first).
struct Message {
  std::uint32_t topic = 0;  // the stream's number for the topic
  MessageType type = MessageType::kPublish;
  std::optional<Time> expires;
  std::uint16_t consumers = 0;  // deliver to at most so many subscribers; 0 = all
  bool replay = false;
  ByteView payload;  // at most kMessageBytes
};

// Bytes of a message besides its payload, at most.
inline constexpr std::size_t kMessageOverhead = 4 + 1 + 1 + 8 + 2 + 4;
inline constexpr std::size_t kTopicNumberBytes = 4;

struct ParsedMessage {
  Message message;
  ByteView raw;  // all of it, within the frame

  // Everything but the topic number, which means something only to one stream.
  [[nodiscard]] ByteView signed_tail() const { return raw.subspan(kTopicNumberBytes); }
};

// Appends. Preconditions: the rules above.
void encode(const Message& message, Bytes& out);
// Takes one message off `reader`; strict. kMalformed, kTooLarge, or kUnsupported for unknown types
// and flags.
Result<void> parse_message(codec::Reader& reader, ParsedMessage& out);

// leaf = leaf_hash(topic hash || signed tail). `leaf_prefix` is the hash state after 0x00 || topic
// hash, kept per topic and continued per message.
crypto::Sha256 leaf_prefix(const Hash& topic_hash);
inline Hash message_leaf(const crypto::Sha256& leaf_prefix, ByteView signed_tail) {
  crypto::Sha256 state = leaf_prefix;
  return state.update(signed_tail).finish();
}

}  // namespace bw::syndication
