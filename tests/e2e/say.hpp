// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "syndication/batch.hpp"
#include "syndication/frames.hpp"
#include "wave/proof.hpp"

// The wire protocol as spoken by those who keep to no rule: for tests and for the load of attacks.
namespace bw::e2e {

namespace wire = syndication;

// A message as its sender means it.
struct Say {
  EntityKey ns;
  std::string uri;
  std::string payload = "x";
  wire::MessageType type = wire::MessageType::kPublish;
  wave::Proof proof{};  // of the stream's entity; empty: none
  Bytes raw{};          // payload in place of the text above
};

// The frames that must go before a message: PROOF, if it has one, and TOPIC under `number`.
Bytes opening_frames(const Say& message, const EntityKey& origin, std::uint64_t stream,
                     std::uint32_t number);
// The frame of a batch with this message alone.
Bytes batch_frame(const Say& message, const wire::BatchHeader& header, std::uint32_t number,
                  const crypto::SigningKey& signer);

}  // namespace bw::e2e
