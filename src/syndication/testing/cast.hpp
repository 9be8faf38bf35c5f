// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.hpp"
#include "syndication/client_session.hpp"
#include "syndication/frames.hpp"
#include "syndication/testing/router_world.hpp"
#include "wave/testing/memory_graph.hpp"
#include "wave/testing/scenario.hpp"

namespace bw::syndication::testing {

using wave::testing::kNow;
using wave::testing::pattern_of;
using wave::testing::permissions_of;

using KeyPtr = std::shared_ptr<const crypto::SigningKey>;

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  void fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(engine_());
  }

 private:
  std::mt19937_64 engine_;
};

// Entities that can sign, a ledger in memory that knows them, and the DoTs between them.
class Cast {
 public:
  explicit Cast(std::uint64_t seed = 1) : random(seed) { ledger.set_heard_at(kNow); }

  // Registered when first named.
  const KeyPtr& key(std::string_view name) {
    auto [place, is_new] = keys_.try_emplace(std::string(name));
    if (is_new) {
      place->second = std::make_shared<crypto::SigningKey>(crypto::SigningKey::generate(random));
      ledger.add_entity(place->second->public_key());
    }
    return place->second;
  }
  const EntityKey& entity(std::string_view name) { return key(name)->public_key(); }

  wave::Signed<wave::Dot> grant(std::string_view granter, std::string_view grantee,
                                std::string_view ns, std::string_view on, std::string_view can,
                                std::uint8_t ttl = 0) {
    wave::Dot dot;
    dot.granter = entity(granter);
    dot.grantee = entity(grantee);
    dot.ns = entity(ns);
    dot.permissions = permissions_of(can);
    dot.ttl = ttl;
    dot.created = dot.not_before = kNow - 1000s;
    dot.expires = kNow + 1'000'000s;
    dot.pattern = pattern_of(on);
    // Equal terms would be the same DoT.
    dot.comment = std::to_string(++grants_);
    auto made = wave::sign(std::move(dot), *key(granter));
    BW_ASSERT(made);
    ledger.add(*made);
    return *std::move(made);
  }

  Outgoing message(std::string_view origin, MessageType type, std::string_view ns,
                   std::string_view uri, const ProofPtr& proof, std::string_view payload = {}) {
    Outgoing out;
    out.key = key(origin);
    out.topic = {entity(ns), wave::proof_hash(*proof), pattern_of(uri)};
    out.proof = proof;
    out.type = type;
    out.payload = to_bytes(payload);
    return out;
  }
  static ProofPtr proof(std::vector<wave::Signed<wave::Dot>> dots = {}) {
    return std::make_shared<wave::Proof>(wave::Proof{std::move(dots)});
  }

  SeededRandom random;
  wave::testing::MemoryGraph ledger;

 private:
  std::map<std::string, KeyPtr> keys_;
  std::uint64_t grants_ = 0;
};

template <class T>
Bytes framed(const T& frame) {
  Bytes out;
  encode_frame(frame, out);
  return out;
}

}  // namespace bw::syndication::testing
