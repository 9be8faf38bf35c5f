// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "wire_peer.hpp"

// The recipes of the original system's negative tests (B01 to B15), and of its known weaknesses
// (S01 to S16), against this one. Each is refused, and the same thing done rightly is not.
namespace bw::e2e {

class Attack : public ::testing::Test {
 protected:
  // A session of an entity of its own with the site's router.
  struct Session {
    crypto::SigningKey key;
    WirePeer peer;
    std::uint64_t stream = 0;

    Session(Attack& test, crypto::SigningKey own)
        : key(std::move(own)), peer(test.loop, test.site.at().router) {
      must(peer.open(key, *test.site.at().router_key));
      stream = peer.attach(key);
    }
    wire::RequestId say(const Say& message) { return peer.say(stream, key, message); }
  };

  // A grant of the namespace, and the proof of it.
  wave::Proof granted(const crypto::SigningKey& to, const std::string& pattern,
                      const std::string& permissions, unsigned ttl = 0) {
    const std::string key = to.public_key().text();
    grant(site, "ns", key, site.uri(pattern), permissions, ttl);
    return proof_of(site, key, site.uri(pattern), permissions);
  }

  Site site;
  Loop loop;
};

}  // namespace bw::e2e
