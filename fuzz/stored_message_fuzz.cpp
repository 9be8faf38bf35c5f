// SPDX-License-Identifier: Apache-2.0
#include "base/check.hpp"
#include "codec/reader.hpp"
#include "store/message_record.hpp"

using namespace bw;

// A row of the message store, text16 key and then the record. What is taken for a message has that
// very key and is written back byte for byte; everything else is damage.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  codec::Reader input({data, size});
  const std::string_view key = input.text16();
  const std::string_view record = as_text(input.rest());
  if (!input.ok()) return 0;
  const auto message = store::parse_record(key, record);
  if (!message) {
    BW_ASSERT(message.error().code == ErrorCode::kCorrupt);
    return 0;
  }
  BW_ASSERT(message->topic.uri.is_concrete());
  BW_ASSERT(store::message_key(message->topic.ns, message->topic.uri) == key);
  BW_ASSERT(store::encode_record(*message) == record);
  BW_ASSERT(!store::is_newer(*message, *message));
  return 0;
}
