// SPDX-License-Identifier: Apache-2.0
#include "syndication/frames.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"
#include "codec/writer.hpp"

namespace bw::syndication {
namespace {

using codec::Writer;

// printable() never lengthens a text that it does not cut; a cut adds "..." and may end up to three
// bytes late, so as not to break a character.
std::string bounded_reason(const std::string& text) {
  const bool cut = text.size() > limits::kErrorTextBytes;
  return printable(text, cut ? limits::kErrorTextBytes - 6 : limits::kErrorTextBytes);
}

void put(Writer& writer, const Error& error) {
  writer.u16(static_cast<std::uint16_t>(error.code)).text16(bounded_reason(error.message));
}
void put(Writer& writer, const Topic& topic) {
  writer.id(topic.ns).id(topic.proof).text16(topic.uri.text());
}
void put(Writer& writer, const RequestId& id) {
  writer.u64(id.stream).u64(id.sequence).u16(id.index);
}

void put(Writer& writer, const ErrorFrame& frame) {
  put(writer, frame.error);
}
void put(Writer& writer, const Ping& frame) {
  writer.u64(frame.nonce);
}
void put(Writer& writer, const Pong& frame) {
  writer.u64(frame.nonce);
}
void put(Writer& writer, const Attach& frame) {
  writer.id(frame.entity).u64(frame.stream).bytes(frame.signature);
}
void put(Writer& writer, const Detach& frame) {
  writer.id(frame.origin).u64(frame.stream);
  put(writer, frame.reason);
}
void put(Writer& writer, const ProofFrame& frame) {
  writer.bytes(frame.proof);
}
void put(Writer& writer, const TopicFrame& frame) {
  writer.id(frame.origin).u64(frame.stream).u32(frame.number);
  put(writer, frame.topic);
}
void put(Writer& writer, const BatchFrame& frame) {
  writer.bytes(frame.batch);
}
void put(Writer& writer, const Stored& frame) {
  put(writer, frame.request);
  put(writer, frame.topic);
  writer.bytes(frame.batch);
}
void put(Writer& writer, const Ack& frame) {
  writer.u64(frame.stream).u64(frame.sequence);
}
void put(Writer& writer, const ResultFrame& frame) {
  put(writer, frame.request);
  writer.u8(frame.error ? 1 : 0);
  if (frame.error) put(writer, *frame.error);
}
void put(Writer& writer, const Children& frame) {
  put(writer, frame.request);
  writer.u32(static_cast<std::uint32_t>(frame.names.size()));
  for (const std::string& name : frame.names) writer.text16(name);
}
void put(Writer& writer, const Direct& frame) {
  put(writer, frame.subscription);
  writer.bytes(frame.batch);
}
void put(Writer& writer, const Lost& frame) {
  writer.u64(frame.count);
}

void put(Writer& writer, const std::vector<ByteView>& objects) {
  BW_ASSERT(objects.size() <= limits::kLedgerBatchEntries);
  writer.u16(static_cast<std::uint16_t>(objects.size()));
  for (const ByteView object : objects) writer.text16(as_text(object));
}
void put(Writer& writer, const Submit& frame) {
  writer.u32(frame.request);
  put(writer, frame.objects);
}
void put(Writer& writer, const SubmittedFrame& frame) {
  BW_ASSERT(frame.outcomes.size() <= limits::kLedgerBatchEntries);
  writer.u32(frame.request).u16(static_cast<std::uint16_t>(frame.outcomes.size()));
  for (const SubmittedFrame::Outcome& outcome : frame.outcomes) {
    writer.u8(outcome.index ? 0 : 1);
    if (outcome.index) {
      writer.u64(*outcome.index);
    } else {
      put(writer, outcome.refusal);
    }
  }
}
void put(Writer& writer, const Follow& frame) {
  writer.u64(frame.size);
}
void put(Writer& writer, const Entries& frame) {
  writer.u64(frame.first);
  put(writer, frame.entries);
}
void put(Writer& writer, const HeadFrame& frame) {
  writer.text16(as_text(frame.head)).u8(static_cast<std::uint8_t>(frame.consistency.size()));
  for (const Hash& hash : frame.consistency) writer.id(hash);
}

}  // namespace

std::size_t begin_frame(FrameType type, Bytes& out) {
  const std::size_t begin = out.size();
  Writer(out).u32(0).u8(static_cast<std::uint8_t>(type));
  return begin;
}

void finish_frame(std::size_t begin, Bytes& out) {
  const std::size_t length = out.size() - begin - 4;
  BW_ASSERT(length <= limits::kFrameBytes);
  for (std::size_t i = 0; i < 4; ++i) {
    out[begin + i] = static_cast<std::uint8_t>(length >> 8U * (3 - i));
  }
}

template <class T>
void encode_frame(const T& frame, Bytes& out) {
  const std::size_t begin = begin_frame(T::kType, out);
  Writer writer(out);
  put(writer, frame);
  finish_frame(begin, out);
}

template void encode_frame(const ErrorFrame&, Bytes&);
template void encode_frame(const Ping&, Bytes&);
template void encode_frame(const Pong&, Bytes&);
template void encode_frame(const Attach&, Bytes&);
template void encode_frame(const Detach&, Bytes&);
template void encode_frame(const ProofFrame&, Bytes&);
template void encode_frame(const TopicFrame&, Bytes&);
template void encode_frame(const BatchFrame&, Bytes&);
template void encode_frame(const Stored&, Bytes&);
template void encode_frame(const Ack&, Bytes&);
template void encode_frame(const ResultFrame&, Bytes&);
template void encode_frame(const Children&, Bytes&);
template void encode_frame(const Direct&, Bytes&);
template void encode_frame(const Lost&, Bytes&);
template void encode_frame(const Submit&, Bytes&);
template void encode_frame(const SubmittedFrame&, Bytes&);
template void encode_frame(const Follow&, Bytes&);
template void encode_frame(const Entries&, Bytes&);
template void encode_frame(const HeadFrame&, Bytes&);

void encode_hello(FrameType type, const Hello& hello, Bytes& out) {
  BW_ASSERT(type == FrameType::kClientHello || type == FrameType::kServerHello);
  BW_ASSERT(hello.head.size() <= limits::kHeadBytes);
  const std::size_t begin = begin_frame(type, out);
  Writer(out)
      .u16(hello.version)
      .u8(static_cast<std::uint8_t>(hello.role))
      .id(hello.self)
      .id(hello.peer)
      .text16(as_text(hello.head))
      .bytes(hello.signature);
  finish_frame(begin, out);
}

Bytes encode_request_id(const RequestId& id) {
  Bytes out;
  Writer writer(out);
  put(writer, id);
  return out;
}

}  // namespace bw::syndication
