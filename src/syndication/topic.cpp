// SPDX-License-Identifier: Apache-2.0
#include "syndication/topic.hpp"

#include "crypto/sha256.hpp"

namespace bw::syndication {

Hash topic_hash(const Topic& topic) {
  static const crypto::TaggedHash kTag("bosswave/topic");
  return kTag({topic.ns.view(), topic.proof.view(), as_bytes(topic.uri.text())});
}

}  // namespace bw::syndication
