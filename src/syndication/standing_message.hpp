// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "syndication/batch.hpp"
#include "syndication/topic.hpp"
#include "wave/proof.hpp"

namespace bw::syndication {

// A message with all that proves it, to be kept or shown: topic, proof and a batch with only this
// message present (docs/formats.md, "Message files").
struct StandingMessage {
  Topic topic;
  wave::Proof proof;
  Bytes batch;
};

Bytes encode(const StandingMessage& message);
// Strict. Checks no signatures.
Result<StandingMessage> parse_standing_message(ByteView bytes);

// True when the bytes begin like a message file.
bool is_standing_message(ByteView bytes);

// Sets the number that a stream gave its topic, which is not signed and means nothing outside of
// it, to 0 in a batch with one message present: a message file has one form.
Result<void> forget_topic_number(Bytes& batch);

// What can be said of it without a ledger: everything but that the DoTs and entities were
// registered and not revoked.
struct StandingVerdict {
  BatchHeader header;
  Message message;  // views into `message.batch`
};
Result<StandingVerdict> verify_offline(const StandingMessage& message);

}  // namespace bw::syndication
