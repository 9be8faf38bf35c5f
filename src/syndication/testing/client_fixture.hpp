// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "syndication/batch.hpp"
#include "syndication/client_session.hpp"
#include "syndication/testing/cast.hpp"

namespace bw::syndication::testing {

using Strings = std::vector<std::string>;

inline const Error kGone{ErrorCode::kUnavailable, "router: the channel closed"};
inline const Hash kExporter{.bytes = {7}};

inline std::string word(const Result<void>& result) {
  return result ? "ok" : std::string(error_name(result.error().code));
}

// One agent's session, whose router is played by the test, and a second session that signs what
// others publish.
class ClientFixture : public ::testing::Test {
 protected:
  // Flushes `session` and cuts what it sends into frames.
  std::vector<Bytes> flushed(ClientSession& session, Time now = kNow) {
    Bytes out;
    session.flush(now, out);
    std::vector<Bytes> frames;
    for (const ByteView frame : split_frames(out)) frames.push_back(to_bytes(frame));
    return frames;
  }
  std::vector<Bytes> flushed() { return flushed(agent); }

  static std::vector<FrameType> types(const std::vector<Bytes>& frames) {
    std::vector<FrameType> out;
    for (const Bytes& frame : frames) out.push_back(parse_frame(frame)->type);
    return out;
  }
  template <class T>
  static std::vector<T> all_of(const std::vector<Bytes>& frames) {
    std::vector<T> out;
    for (const Bytes& frame : frames) {
      const auto parsed = parse_frame(frame);
      if (const T* found = std::get_if<T>(&parsed->frame)) out.push_back(*found);
    }
    return out;
  }
  static std::vector<BatchHeader> batches(const std::vector<Bytes>& frames) {
    std::vector<BatchHeader> out;
    for (const BatchFrame& frame : all_of<BatchFrame>(frames)) {
      BatchView view;
      EXPECT_TRUE(parse_batch(frame.batch, view));
      out.push_back(view.header);
    }
    return out;
  }

  Outgoing from(std::string_view origin, MessageType type, std::string_view uri,
                std::string_view payload = "") {
    return cast.message(origin, type, "home", uri, Cast::proof(), payload);
  }
  Outgoing value(std::string_view uri, std::string_view payload) {
    return from("home", MessageType::kPublish, uri, payload);
  }
  Done note(std::string name) {
    return [this, name](const Result<void>& result) { notes.push_back(name + " " + word(result)); };
  }
  Consumer consumer(std::string name) {
    return {.on_message =
                [this, name](const Delivery& delivery) {
                  notes.push_back(name + " <" + delivery.topic.uri.text() + ":" +
                                  std::string(as_text(delivery.payload)) +
                                  (delivery.stored ? " stored>" : ">"));
                },
            .on_state = note(name),
            .on_lost =
                [this, name](std::uint64_t count) {
                  notes.push_back(name + " lost " + std::to_string(count));
                }};
  }
  // What was called since the last look.
  Strings noted() { return std::exchange(notes, {}); }

  template <class T>
  Result<void> hear(const T& frame, Time now = kNow) {
    const Bytes bytes = framed(frame);
    return agent.receive(split_frames(bytes), now);
  }
  Result<void> hear_all(const std::vector<Bytes>& frames, Time now = kNow) {
    const std::vector<ByteView> views(frames.begin(), frames.end());
    return agent.receive(views, now);
  }

  // Asks, lets the router say yes, and returns the name the router knows the subscription by.
  RequestId subscribed(const std::string& name, const Outgoing& request,
                       ClientSession::SubscriptionHandle* handle = nullptr) {
    const RequestId id = asked(name, request, handle);
    EXPECT_TRUE(hear(ResultFrame{id, {}}));
    EXPECT_THAT(noted(), ::testing::ElementsAre(name + " ok"));
    return id;
  }
  RequestId asked(const std::string& name, const Outgoing& request,
                  ClientSession::SubscriptionHandle* handle = nullptr) {
    const auto asked_handle = agent.consume(request, consumer(name));
    EXPECT_NE(asked_handle, 0U);
    if (handle != nullptr) *handle = asked_handle;
    return sent_alone();
  }
  RequestId sent_alone() {
    const std::vector<Bytes> frames = flushed();
    const auto headers = batches(frames);
    EXPECT_THAT(headers, ::testing::SizeIs(1));
    EXPECT_EQ(headers.back().count, 1U);
    return {headers.back().stream, headers.back().sequence, 0};
  }

  // What a router forwards of a message that somebody else signed: all but the ATTACH.
  std::vector<Bytes> published(const Outgoing& message, Time now = kNow) {
    others.send_value(message, {});
    std::vector<Bytes> frames = flushed(others, now);
    std::erase_if(frames,
                  [](const Bytes& f) { return parse_frame(f)->type == FrameType::kAttach; });
    return frames;
  }
  Bytes batch_of(const std::vector<Bytes>& frames) {
    return to_bytes(all_of<BatchFrame>(frames).front().batch);
  }
  // parse_frame() wants frames without lengths.
  template <class T>
  static Bytes bare(const T& frame) {
    const Bytes bytes = framed(frame);
    return to_bytes(split_frames(bytes).front());
  }
  Result<void> hear_stored(const RequestId& request, const Outgoing& message, Time created = kNow) {
    std::vector<Bytes> frames = published(message, created);
    const Bytes batch = batch_of(frames);
    std::erase_if(frames, [](const Bytes& f) { return parse_frame(f)->type != FrameType::kProof; });
    frames.push_back(bare(Stored{request, message.topic, batch}));
    return hear_all(frames);
  }
  std::uint64_t dropped() const {
    return agent.stats().dropped_unverified + agent.stats().dropped_unasked;
  }

  Cast cast;
  GrantCache grants{cast.ledger, 1000};
  ClientSession agent{kExporter, grants, cast.random};
  ClientSession others{kExporter, grants, cast.random};
  Strings notes;
};

}  // namespace bw::syndication::testing
