// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/id.hpp"
#include "wave/pattern.hpp"

namespace bw::syndication {

// What a message is about and by what right: namespace, URI (a pattern for requests) and the
// proof's name. A stream gives each topic a number on first use; signatures cover the topic's hash,
// so that a number means the same to everyone.
struct Topic {
  EntityKey ns;
  Hash proof;
  wave::Pattern uri;

  friend bool operator==(const Topic&, const Topic&) = default;
};

// tagged_hash("bosswave/topic", namespace || proof || uri text)
Hash topic_hash(const Topic& topic);

}  // namespace bw::syndication
