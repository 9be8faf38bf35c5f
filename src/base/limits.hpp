// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.hpp"

// Every bound on what somebody else can make this program hold or do, in one place.
namespace bw::limits {

// Objects on the ledger. Contracts hold entries to the same numbers.
inline constexpr std::size_t kRevokers = 8;
inline constexpr std::size_t kContactBytes = 128;
inline constexpr std::size_t kCommentBytes = 128;
inline constexpr std::size_t kAliasBytes = 63;
inline constexpr std::size_t kAddressBytes = 255;
inline constexpr std::size_t kConditionBytes = 1024;
inline constexpr std::size_t kObjectBytes = 4096;
inline constexpr std::uint64_t kLedgerFileBytes = std::uint64_t{1} << 40U;  // references into it have 40 bits
inline constexpr std::size_t kRouterOffers = 1000;  // to one namespace, that anybody is told of
inline constexpr std::size_t kKeyFileBytes = 16 * 1024;

// URIs and patterns.
inline constexpr std::size_t kUriBytes = 512;
inline constexpr std::size_t kUriCells = 32;

// Proofs. A path longer than this is refused and not searched for.
inline constexpr std::size_t kProofDots = 16;
inline constexpr std::size_t kProofBytes = 64 * 1024;

// Frames and batches on a session.
inline constexpr std::size_t kFrameBytes = 4 * 1024 * 1024;
inline constexpr std::size_t kHelloFrameBytes = 2048;  // until the peer has proved its key
inline constexpr std::size_t kBatchMessages = 1024;
// A whole batch as its origin seals it. A part of it may take 24 KiB more (a hash instead of a short
// message) and still fits into a frame together with a topic.
inline constexpr std::size_t kBatchBytes = kFrameBytes - 64 * 1024;
inline constexpr std::size_t kPartialBatchBytes = kBatchBytes + 24 * 1024;
inline constexpr std::size_t kMessageBytes = 1024 * 1024;
inline constexpr std::size_t kPayloadObjects = 64;
inline constexpr std::size_t kTopicsPerStream = 65536;
inline constexpr std::size_t kTopicsPerSession = 262'144;  // that a router takes from one agent
inline constexpr std::size_t kTopicsHeard = 1'000'000;     // that an agent takes from one router
inline constexpr std::size_t kStreamsPerSession = 256;
inline constexpr std::size_t kProofsPerSession = 4096;
inline constexpr std::size_t kProofBytesPerSession = 32 * 1024 * 1024;
inline constexpr std::size_t kSubscriptionsPerSession = 1'000'000;
inline constexpr std::size_t kSessionQueueBytes = 64 * 1024 * 1024;
inline constexpr std::size_t kUnacknowledgedMessages = 1'000'000;  // of a client's session
inline constexpr std::size_t kQueryResults = 100'000;
inline constexpr std::size_t kQueryBytes = 16 * 1024 * 1024;  // of answers that arise together
inline constexpr std::size_t kErrorTextBytes = 512;   // of a reason in a frame
inline constexpr std::size_t kHeadBytes = 1024;       // of a signed ledger head in a frame
inline constexpr std::size_t kLedgerBatchEntries = 1024;
inline constexpr std::size_t kSubmissionBytes = kFrameBytes - 64 * 1024;  // of objects, together
inline constexpr std::size_t kStrikeRecords = 65536;   // entities that a router holds something against
inline constexpr std::size_t kTrackedStreams = 65536;  // other people's streams whose replay is watched

// Sealed payloads.
inline constexpr std::size_t kSealRecipients = 12'000;  // of one resource; 56 bytes each in a message
inline constexpr std::size_t kSealSearchEdges = 400'000;  // looked at to find them
inline constexpr std::size_t kSealPatterns = 64;          // of a namespace's setting
inline constexpr std::size_t kSealResources = 65'536;     // whose content keys a publisher keeps
inline constexpr std::size_t kSealEnvelopeBytes = 64 * 1024 * 1024;  // of wrapped keys it keeps
inline constexpr std::size_t kSealSharedSecrets = 65'536;            // with recipients or senders
inline constexpr std::size_t kSealKeysKnown = 65'536;                // that a consumer's agent opened
inline constexpr std::size_t kSealHeldMessages = 256;  // of a subscription, until their key comes
inline constexpr std::size_t kSealHeldBytes = 4 * 1024 * 1024;
inline constexpr std::size_t kSealRecords = 100'000;  // persisted values that an agent keeps sealed

inline constexpr Duration kReplayWindow = 60s;     // creation time of a live message against now
inline constexpr Duration kHandshakeDeadline = 5s;
inline constexpr Duration kPingInterval = 15s;
inline constexpr Duration kPeerSilence = 45s;      // no frame for this long: the session is dead
inline constexpr Duration kDefaultStaleness = 300s;
inline constexpr Duration kClockSkew = 60s;        // a ledger's head or entry may be this far in our future
inline constexpr Duration kSealKeyLife = 3600s;       // of a content key
inline constexpr Duration kSealSenderLife = 86'400s;  // of the key pair that wraps content keys
inline constexpr Duration kSealKeyPatience = 10s;     // a message waits for its key so long

}  // namespace bw::limits
