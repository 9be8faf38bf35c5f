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

// What can be said of it without a ledger: everything but that the DoTs and entities were
// registered and not revoked.
struct StandingVerdict {
  BatchHeader header;
  Message message;  // views into `message.batch`
};
Result<StandingVerdict> verify_offline(const StandingMessage& message);

}  // namespace bw::syndication
