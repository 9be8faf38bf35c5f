// SPDX-License-Identifier: Apache-2.0
#include "base/limits.hpp"
#include "base/text.hpp"
#include "codec/reader.hpp"
#include "syndication/frames.hpp"

// Each take_* reads one body and leaves it to whole() to see that nothing failed and nothing is
// left.
namespace bw::syndication {
namespace {

using codec::Reader;

constexpr std::uint16_t kVersion = 1;

Error take_error(Reader& reader) {
  const ErrorCode code = error_code_from_wire(reader.u16());
  const std::string_view text = reader.text16();
  if (text.size() > limits::kErrorTextBytes) reader.reject();
  return {code, printable(text, limits::kErrorTextBytes)};
}

RequestId take_request(Reader& reader) {
  RequestId id;
  id.stream = reader.u64();
  id.sequence = reader.u64();
  id.index = reader.u16();
  if (id.index >= limits::kBatchMessages) reader.reject();
  return id;
}

// What is left, not empty.
ByteView take_rest(Reader& reader) {
  if (reader.remaining() == 0) reader.reject();
  return reader.bytes(reader.remaining());
}

Result<Topic> take_topic(Reader& reader) {
  Topic topic;
  topic.ns = reader.id<EntityKey>();
  topic.proof = reader.id<Hash>();
  const std::string_view uri = reader.text16();
  if (!reader.ok()) return topic;
  BW_TRY(topic.uri, wave::Pattern::parse(uri));
  return topic;
}

Result<Hello> take_hello(Reader& reader) {
  Hello hello;
  hello.version = reader.u16();
  if (reader.ok() && hello.version != kVersion) {
    return fail(ErrorCode::kUnsupported,
                "hello: version {} of the protocol; this program speaks version {}", hello.version,
                kVersion);
  }
  const std::uint8_t role = reader.u8();
  if (reader.ok() && (role < static_cast<std::uint8_t>(Role::kAgent) ||
                      role > static_cast<std::uint8_t>(Role::kLedger))) {
    return fail(ErrorCode::kUnsupported, "hello: role {} is not known", role);
  }
  hello.role = static_cast<Role>(role);
  hello.self = reader.id<EntityKey>();
  hello.peer = reader.id<EntityKey>();
  hello.head = to_bytes(reader.text16());
  if (hello.head.size() > limits::kHeadBytes) reader.reject();
  hello.signature = reader.array<64>();
  return hello;
}

Result<ErrorFrame> take_error_frame(Reader& reader) {
  return ErrorFrame{take_error(reader)};
}
Result<Ping> take_ping(Reader& reader) {
  return Ping{reader.u64()};
}
Result<Pong> take_pong(Reader& reader) {
  return Pong{reader.u64()};
}

Result<Attach> take_attach(Reader& reader) {
  Attach attach;
  attach.entity = reader.id<EntityKey>();
  attach.stream = reader.u64();
  attach.signature = reader.array<64>();
  return attach;
}

Result<Detach> take_detach(Reader& reader) {
  Detach detach;
  detach.origin = reader.id<EntityKey>();
  detach.stream = reader.u64();
  detach.reason = take_error(reader);
  return detach;
}

Result<ProofFrame> take_proof(Reader& reader) {
  if (reader.remaining() > limits::kProofBytes) {
    return fail(ErrorCode::kTooLarge, "proof frame: {} bytes; at most {} are allowed",
                reader.remaining(), limits::kProofBytes);
  }
  return ProofFrame{take_rest(reader)};
}

Result<TopicFrame> take_topic_frame(Reader& reader) {
  TopicFrame frame;
  frame.origin = reader.id<EntityKey>();
  frame.stream = reader.u64();
  frame.number = reader.u32();
  BW_TRY(frame.topic, take_topic(reader));
  return frame;
}

Result<BatchFrame> take_batch(Reader& reader) {
  return BatchFrame{take_rest(reader)};
}

Result<Stored> take_stored(Reader& reader) {
  Stored stored;
  stored.request = take_request(reader);
  BW_TRY(stored.topic, take_topic(reader));
  stored.batch = take_rest(reader);
  return stored;
}

Result<Ack> take_ack(Reader& reader) {
  Ack ack;
  ack.stream = reader.u64();
  ack.sequence = reader.u64();
  return ack;
}

Result<ResultFrame> take_result(Reader& reader) {
  ResultFrame result;
  result.request = take_request(reader);
  const std::uint8_t refused = reader.u8();
  if (refused > 1) reader.reject();
  if (refused == 1) result.error = take_error(reader);
  return result;
}

bool is_cell(std::string_view name) {
  const auto pattern = wave::Pattern::parse(name);
  return pattern && pattern->is_concrete() && pattern->cell_count() == 1;
}

Result<Children> take_children(Reader& reader) {
  Children children;
  children.request = take_request(reader);
  const std::uint32_t count = reader.u32();
  if (count > limits::kQueryResults) reader.reject();
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    const std::string_view name = reader.text16();
    const bool ascending = children.names.empty() || children.names.back() < name;
    if (!ascending || !is_cell(name)) reader.reject();
    if (reader.ok()) children.names.emplace_back(name);
  }
  return children;
}

Result<Direct> take_direct(Reader& reader) {
  Direct direct;
  direct.subscription = take_request(reader);
  direct.batch = take_rest(reader);
  return direct;
}

Result<Lost> take_lost(Reader& reader) {
  Lost lost{reader.u64()};
  if (lost.count == 0) reader.reject();
  return lost;
}

std::uint16_t take_entry_count(Reader& reader) {
  const std::uint16_t count = reader.u16();
  if (count < 1 || count > limits::kLedgerBatchEntries) reader.reject();
  return count;
}

std::vector<ByteView> take_objects(Reader& reader) {
  std::vector<ByteView> objects;
  const std::uint16_t count = take_entry_count(reader);
  for (std::uint16_t i = 0; i < count && reader.ok(); ++i) {
    const ByteView object = as_bytes(reader.text16());
    if (object.empty() || object.size() > limits::kObjectBytes) reader.reject();
    objects.push_back(object);
  }
  return objects;
}

Result<Submit> take_submit(Reader& reader) {
  Submit submit;
  submit.request = reader.u32();
  submit.objects = take_objects(reader);
  return submit;
}

SubmittedFrame::Outcome take_outcome(Reader& reader) {
  SubmittedFrame::Outcome outcome;
  const std::uint8_t refused = reader.u8();
  if (refused > 1) reader.reject();
  if (refused == 1) {
    outcome.refusal = take_error(reader);
  } else {
    outcome.index = reader.u64();
  }
  return outcome;
}

Result<SubmittedFrame> take_submitted(Reader& reader) {
  SubmittedFrame submitted;
  submitted.request = reader.u32();
  const std::uint16_t count = take_entry_count(reader);
  for (std::uint16_t i = 0; i < count && reader.ok(); ++i) {
    submitted.outcomes.push_back(take_outcome(reader));
  }
  return submitted;
}

Result<Follow> take_follow(Reader& reader) {
  return Follow{reader.u64()};
}

Result<Entries> take_entries(Reader& reader) {
  Entries entries;
  entries.first = reader.u64();
  entries.entries = take_objects(reader);
  return entries;
}

Result<HeadFrame> take_head(Reader& reader) {
  HeadFrame frame;
  frame.head = as_bytes(reader.text16());
  if (frame.head.empty() || frame.head.size() > limits::kHeadBytes) reader.reject();
  const std::uint8_t count = reader.u8();
  for (std::uint8_t i = 0; i < count && reader.ok(); ++i) {
    frame.consistency.push_back(reader.id<Hash>());
  }
  return frame;
}

template <class T>
Result<ParsedFrame> whole(FrameType type, Reader& reader, Result<T> (*take)(Reader&)) {
  BW_TRY(T frame, take(reader));
  BW_CHECK(reader.finish(frame_name(type)));
  return ParsedFrame{type, std::move(frame)};
}

}  // namespace

std::string_view frame_name(FrameType type) {
  switch (type) {
    case FrameType::kClientHello:
      return "client hello";
    case FrameType::kServerHello:
      return "server hello";
    case FrameType::kError:
      return "error";
    case FrameType::kPing:
      return "ping";
    case FrameType::kPong:
      return "pong";
    case FrameType::kAttach:
      return "attach";
    case FrameType::kDetach:
      return "detach";
    case FrameType::kProof:
      return "proof";
    case FrameType::kTopic:
      return "topic";
    case FrameType::kBatch:
      return "batch";
    case FrameType::kStored:
      return "stored";
    case FrameType::kAck:
      return "ack";
    case FrameType::kResult:
      return "result";
    case FrameType::kChildren:
      return "children";
    case FrameType::kDirect:
      return "direct";
    case FrameType::kLost:
      return "lost";
    case FrameType::kSubmit:
      return "submit";
    case FrameType::kSubmitted:
      return "submitted";
    case FrameType::kFollow:
      return "follow";
    case FrameType::kEntries:
      return "entries";
    case FrameType::kHead:
      return "head";
  }
  return "unknown";
}

Result<RequestId> parse_request_id(ByteView bytes) {
  Reader reader(bytes);
  const RequestId id = take_request(reader);
  BW_CHECK(reader.finish("request id"));
  return id;
}

Result<ParsedFrame> parse_frame(ByteView frame) {
  if (frame.empty()) return fail(ErrorCode::kMalformed, "frame: empty");
  if (frame.size() > limits::kFrameBytes) {
    return fail(ErrorCode::kTooLarge, "frame: {} bytes; at most {} are allowed", frame.size(),
                limits::kFrameBytes);
  }
  const auto type = static_cast<FrameType>(frame[0]);
  Reader reader(frame.subspan(1));
  switch (type) {
    case FrameType::kClientHello:
    case FrameType::kServerHello:
      return whole(type, reader, take_hello);
    case FrameType::kError:
      return whole(type, reader, take_error_frame);
    case FrameType::kPing:
      return whole(type, reader, take_ping);
    case FrameType::kPong:
      return whole(type, reader, take_pong);
    case FrameType::kAttach:
      return whole(type, reader, take_attach);
    case FrameType::kDetach:
      return whole(type, reader, take_detach);
    case FrameType::kProof:
      return whole(type, reader, take_proof);
    case FrameType::kTopic:
      return whole(type, reader, take_topic_frame);
    case FrameType::kBatch:
      return whole(type, reader, take_batch);
    case FrameType::kStored:
      return whole(type, reader, take_stored);
    case FrameType::kAck:
      return whole(type, reader, take_ack);
    case FrameType::kResult:
      return whole(type, reader, take_result);
    case FrameType::kChildren:
      return whole(type, reader, take_children);
    case FrameType::kDirect:
      return whole(type, reader, take_direct);
    case FrameType::kLost:
      return whole(type, reader, take_lost);
    case FrameType::kSubmit:
      return whole(type, reader, take_submit);
    case FrameType::kSubmitted:
      return whole(type, reader, take_submitted);
    case FrameType::kFollow:
      return whole(type, reader, take_follow);
    case FrameType::kEntries:
      return whole(type, reader, take_entries);
    case FrameType::kHead:
      return whole(type, reader, take_head);
  }
  return fail(ErrorCode::kUnsupported, "frame: type {} is not known", frame[0]);
}

}  // namespace bw::syndication
