// SPDX-License-Identifier: Apache-2.0
#include "programs/mqtt.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string_view>

namespace bw::bench {
namespace {

constexpr std::string_view kTopic = "bench/value";
constexpr std::uint8_t kPublish = 0x30;
constexpr std::uint8_t kConnectAck = 0x20;
constexpr std::uint8_t kSubscribeAck = 0x90;
constexpr std::uint8_t kPingAnswer = 0xd0;

// Clean session, 60 s of keep-alive, an identifier chosen by the broker.
constexpr std::array<std::uint8_t, 14> kConnect{0x10, 12, 0, 4, 'M', 'Q', 'T',
                                                'T',  4,  2, 0, 60,  0,   0};
constexpr std::array<std::uint8_t, 2> kPing{0xc0, 0};

struct Header {
  std::uint8_t type;
  std::size_t size;  // of the header
  std::size_t rest;  // that follows it
};

// Nothing while the header is not whole.
std::optional<Header> parse_header(ByteView in) {
  Header header{in.empty() ? std::uint8_t{0} : in[0], 1, 0};
  for (unsigned shift = 0; header.size < std::min<std::size_t>(in.size(), 5); shift += 7) {
    const std::uint8_t byte = in[header.size++];
    header.rest |= static_cast<std::size_t>(byte & 0x7fU) << shift;
    if ((byte & 0x80U) == 0) return header;
  }
  return std::nullopt;
}

}  // namespace

Mqtt::Mqtt(const BrokerOptions& options) : Broker(options.address) {
  if (options.tls) stream_.start_tls();
  stream_.write(kConnect);
  wait_for_answer();
}

void Mqtt::subscribe() {
  Bytes packet{0x82, static_cast<std::uint8_t>(2 + 2 + kTopic.size() + 1), 0, 1, 0, kTopic.size()};
  packet.insert(packet.end(), kTopic.begin(), kTopic.end());
  packet.push_back(0);
  stream_.write(packet);
  wait_for_answer();
}

void Mqtt::finish() {
  answered_ = false;
  stream_.write(kPing);
  wait_for_answer();
}

std::uint8_t* Mqtt::append(Bytes& out) const {
  constexpr std::size_t rest = 2 + kTopic.size() + kPayloadBytes;
  static_assert(rest > 127 && rest < 16384, "two bytes of length");
  constexpr std::array<std::uint8_t, 5> head{kPublish, (rest & 0x7fU) | 0x80U, rest >> 7U, 0,
                                             kTopic.size()};
  const std::size_t begin = out.size();
  out.resize(begin + head.size() + kTopic.size() + kPayloadBytes);
  std::memcpy(out.data() + begin, head.data(), head.size());
  std::memcpy(out.data() + begin + head.size(), kTopic.data(), kTopic.size());
  return out.data() + begin + head.size() + kTopic.size();
}

std::size_t Mqtt::take(ByteView in, Tally* tally, std::size_t connection) {
  std::size_t at = 0;
  while (const auto header = parse_header(in.subspan(at))) {
    if (in.size() - at < header->size + header->rest) break;
    const ByteView body = in.subspan(at + header->size, header->rest);
    at += header->size + header->rest;
    if (header->type == kPublish) {
      const std::size_t topic = static_cast<std::size_t>(body[0]) << 8U | body[1];
      if (tally != nullptr) tally->message(connection, body.subspan(2 + topic));
      continue;
    }
    if (header->type == kConnectAck && body[1] != 0) throw std::runtime_error("mosquitto refused");
    answered_ |=
        header->type == kConnectAck || header->type == kSubscribeAck || header->type == kPingAnswer;
  }
  if (tally != nullptr && at > 0) tally->end_of_chunk();
  return at;
}

}  // namespace bw::bench
