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
inline constexpr std::size_t kMessageBytes = 1024 * 1024;
inline constexpr std::size_t kPayloadObjects = 64;
inline constexpr std::size_t kTopicsPerStream = 65536;
inline constexpr std::size_t kStreamsPerSession = 256;
inline constexpr std::size_t kProofsPerSession = 4096;
inline constexpr std::size_t kSubscriptionsPerSession = 1'000'000;
inline constexpr std::size_t kSessionQueueBytes = 64 * 1024 * 1024;
inline constexpr std::size_t kQueryResults = 100'000;
inline constexpr std::size_t kLedgerBatchEntries = 1024;
inline constexpr std::size_t kTrackedStreams = 65536;  // other people's streams whose replay is watched

inline constexpr Duration kReplayWindow = 60s;     // creation time of a live message against now
inline constexpr Duration kHandshakeDeadline = 5s;
inline constexpr Duration kPingInterval = 15s;
inline constexpr Duration kPeerSilence = 45s;      // no frame for this long: the session is dead
inline constexpr Duration kDefaultStaleness = 300s;
inline constexpr Duration kClockSkew = 60s;        // a ledger head may be this far in our future

}  // namespace bw::limits
