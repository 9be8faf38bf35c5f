// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/limits.hpp"
#include "syndication/recent_map.hpp"
#include "syndication/sealed_payload.hpp"

namespace bw::syndication {

// Opens sealed payloads for the entities of one agent, and remembers the content keys that it met.
// Keys are bound to who sealed and where, so one that was learned from any message is good for all
// that name it. For one thread.
class SealOpener {
 public:
  SealOpener() : keys_(limits::kSealKeysKnown), shared_(limits::kSealSharedSecrets) {}

  struct Opened {
    Bytes payload;
    bool renewed;  // SealedPayload
    Time sealed_at;
  };
  // Precondition: is_sealed(payload). kUnavailable: its key is not in it and was not met yet, a
  // later message may bring it; kDenied: sealed for others; kBadSignature, kMalformed,
  // kUnsupported: nobody can open it so.
  Result<Opened> open(const SealContext& context, ByteView payload,
                      const crypto::SigningKey& reader);

 private:
  struct Pair {
    EntityKey reader;
    ByteArray<32> other;
    friend bool operator==(const Pair&, const Pair&) = default;
  };
  struct PairHash {
    std::size_t operator()(const Pair& pair) const noexcept {
      return std::hash<EntityKey>{}(pair.reader) * 31 + std::hash<Hash>{}(Hash{pair.other});
    }
  };
  using Secrets = RecentMap<Pair, crypto::Secret<32>, PairHash>;

  Result<const crypto::Secret<32>*> key_of(const SealContext& context, const SealedPayload& sealed,
                                           const crypto::SigningKey& reader);

  Secrets keys_;    // content keys by reader and key id
  Secrets shared_;  // what readers agree on with wrappers
};

}  // namespace bw::syndication
