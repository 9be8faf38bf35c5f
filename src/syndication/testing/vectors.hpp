// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/check.hpp"
#include "base/text.hpp"
#include "crypto/keys.hpp"
#include "syndication/message.hpp"
#include "syndication/topic.hpp"

// tests/vectors/syndication.json, made by a second implementation (make_syndication.py).
namespace bw::syndication::testing {

using Json = nlohmann::json;

inline const Json& vectors() {
  static const Json kVectors =
      Json::parse(std::ifstream(BW_SOURCE_DIR "/tests/vectors/syndication.json"));
  return kVectors;
}

inline Bytes bytes_of(const Json& hex) {
  return from_hex(hex.get<std::string>()).value();
}

template <class IdType>
IdType id_of(const Json& hex) {
  return IdType::from(bytes_of(hex));
}

inline crypto::SigningKey key_from(const Json& entity) {
  const Bytes secret = bytes_of(entity.at("secret"));
  return crypto::SigningKey::from_secret(std::span(secret).first<32>()).value();
}
inline crypto::SigningKey alice() {
  return key_from(vectors().at("alice"));
}
inline crypto::SigningKey router() {
  return key_from(vectors().at("router"));
}

inline Topic topic_from(const Json& json) {
  return {id_of<EntityKey>(json.at("ns")), id_of<Hash>(json.at("proof")),
          wave::Pattern::parse(json.at("uri").get<std::string>()).value()};
}

inline MessageType type_from(const std::string& name) {
  for (int number = 1;; ++number) {
    const auto type = static_cast<MessageType>(number);
    if (type_name(type) == name) return type;
    BW_ASSERT(type_name(type) != "unknown");
  }
}

// `payload` must outlive the message.
inline Message message_from(const Json& json, const Bytes& payload) {
  Message message;
  message.topic = json.at("topic").get<std::uint32_t>();
  message.type = type_from(json.at("type").get<std::string>());
  const auto expires = json.at("expires").get<std::uint64_t>();
  if (expires != 0) message.expires = from_micros(expires);
  message.consumers = json.at("consumers").get<std::uint16_t>();
  message.replay = json.at("replay").get<bool>();
  message.payload = payload;
  return message;
}

}  // namespace bw::syndication::testing
