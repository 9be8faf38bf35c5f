// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "agent/api_convert.hpp"
#include "base/check.hpp"

using namespace bw;

namespace {

bool same(const syndication::PayloadObject& ours, const agent::api::PayloadObject& theirs) {
  return ours.type == theirs.type() && as_text(ours.content) == theirs.content();
}

// What a value carries reaches the subscriber's application as it was.
void check_value(const agent::api::Value& value) {
  if (const auto parts = agent::split_uri(value.uri())) {
    BW_ASSERT(parts->ns + "/" + parts->pattern == value.uri());
  }
  const auto expires = agent::optional_time(value.expires_us());
  BW_ASSERT(expires.has_value() == (value.expires_us() > 0));
  BW_ASSERT(!expires || *expires + std::chrono::years(1000) > *expires);

  const auto objects = agent::payload_of(value);
  if (!objects) return;
  agent::Received received;
  received.uri = value.uri();
  received.expires = expires;
  received.payload = syndication::encode_payload(*objects);
  agent::api::Delivery delivery;
  agent::to_api(received, delivery);
  BW_ASSERT(delivery.payload_size() == value.payload_size());
  for (int i = 0; i < delivery.payload_size(); ++i) {
    BW_ASSERT(same((*objects)[static_cast<std::size_t>(i)], delivery.payload(i)));
    BW_ASSERT(same((*objects)[static_cast<std::size_t>(i)], value.payload(i)));
  }
}

// Bytes that an origin signed as payload, whatever they are, become one delivery.
void check_payload(ByteView payload) {
  agent::Received received;
  received.payload = to_bytes(payload);
  agent::api::Delivery delivery;
  agent::to_api(received, delivery);
  if (syndication::parse_payload(payload)) return;
  BW_ASSERT(delivery.payload_size() == 1 && delivery.payload(0).content() == as_text(payload));
}

}  // namespace

// A PublishFrame of the agent's API as an application may send it; the same bytes as a payload.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  agent::api::PublishFrame frame;
  if (frame.ParseFromArray(data, static_cast<int>(size))) {
    std::ranges::for_each(frame.values(), check_value);
  }
  check_payload({data, size});
  return 0;
}
