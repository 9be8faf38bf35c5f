// SPDX-License-Identifier: Apache-2.0
#include "store/message_record.hpp"

#include <tuple>

#include "codec/reader.hpp"
#include "codec/writer.hpp"

namespace bw::store {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kDeletion = 1;
constexpr std::size_t kNamespaceEnd = 1 + EntityKey::kSize;

// Namespace and URI of a message key, which is the one key of this URI.
Result<syndication::Topic> topic_of_key(std::string_view key) {
  if (key.size() < kNamespaceEnd) return fail(ErrorCode::kCorrupt, "key too short");
  syndication::Topic topic;
  topic.ns = EntityKey::from(as_bytes(key.substr(1, EntityKey::kSize)));
  BW_TRY(topic.uri, wave::Pattern::parse(uri_of_key(key)));
  if (!topic.uri.is_concrete() || message_key(topic.ns, topic.uri) != key) {
    return fail(ErrorCode::kCorrupt, "not the key of a URI");
  }
  return topic;
}

}  // namespace

std::string message_prefix(const EntityKey& ns, std::string_view literal_prefix) {
  std::string key = "m";
  key.append(as_text(ns.view()));
  for (const char c : literal_prefix) key.push_back(c == '/' ? '\0' : c);
  if (!literal_prefix.empty()) key.push_back('\0');
  return key;
}

std::string message_key(const EntityKey& ns, const wave::Pattern& uri) {
  return message_prefix(ns, uri.text());
}

std::string uri_of_key(std::string_view key) {
  std::string uri(key.substr(kNamespaceEnd));
  if (!uri.empty()) uri.pop_back();
  for (char& c : uri) c = c == '\0' ? '/' : c;
  return uri;
}

std::string usage_key(const ObjectId& dot) {
  return "u" + std::string(as_text(dot.view()));
}

std::string encode_record(const syndication::StoredMessage& message) {
  Bytes bytes;
  codec::Writer out(bytes);
  out.u8(kVersion).u8(message.deletion ? kDeletion : 0);
  out.micros(message.created).u64(message.expires ? to_micros(*message.expires) : 0);
  out.id(message.id.origin).u64(message.id.stream).u64(message.id.sequence).u16(message.id.index);
  out.u32(message.accounted_bytes).u16(static_cast<std::uint16_t>(message.limits.size()));
  for (const wave::PublishLimit& limit : message.limits) {
    out.id(limit.dot).u32(limit.messages_per_second).u64(limit.stored_bytes);
  }
  out.id(message.topic.proof).blob32(message.proof).blob32(message.batch);
  return std::string(as_text(bytes));
}

Result<syndication::StoredMessage> parse_record(std::string_view key, std::string_view record) {
  codec::Reader in(as_bytes(record));
  syndication::StoredMessage message;
  const std::uint8_t version = in.u8();
  const std::uint8_t flags = in.u8();
  if (flags > kDeletion) in.reject();
  message.deletion = flags == kDeletion;
  message.created = in.micros();
  const Time expires = in.micros();
  if (expires != Time{}) message.expires = expires;
  message.id.origin = in.id<EntityKey>();
  message.id.stream = in.u64();
  message.id.sequence = in.u64();
  message.id.index = in.u16();
  message.accounted_bytes = in.u32();
  const std::uint16_t limits = in.u16();
  for (std::uint16_t i = 0; i < limits && in.ok(); ++i) {
    const auto dot = in.id<ObjectId>();
    const std::uint32_t rate = in.u32();
    message.limits.push_back({dot, rate, in.u64()});
  }
  message.topic.proof = in.id<Hash>();
  message.proof = to_bytes(in.blob32());
  message.batch = to_bytes(in.blob32());
  auto topic = topic_of_key(key);
  if (version != kVersion || !in.finish("stored message") || !topic) {
    return fail(ErrorCode::kCorrupt,
                "stored message under '{}' is damaged; restore the messages "
                "directory from a back-up, or remove it to start empty",
                printable(key, 120));
  }
  message.topic.ns = topic->ns;
  message.topic.uri = std::move(topic->uri);
  return message;
}

bool is_newer(const syndication::StoredMessage& a, const syndication::StoredMessage& b) {
  return std::tie(a.created, a.id) > std::tie(b.created, b.id);
}

}  // namespace bw::store
