// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bw {

// What went wrong, as a number that is stable across versions: it travels in RESULT frames, in the
// agent's API and as the exit code of commands (docs/operations.md). Never renumber.
enum class ErrorCode : std::uint16_t {
  kMalformed = 10,       // bytes or text that are not the one canonical form of anything
  kBadSignature = 11,    // well formed, but not signed by whom it says
  kTooLarge = 12,        // above a named limit
  kUnsupported = 13,     // a version, kind or condition this program does not understand
  kNotFound = 20,        // no such entity, object, alias, file
  kConflict = 21,        // already taken, already there, or superseded
  kDenied = 30,          // not authorised; the message says which link failed
  kRevoked = 31,         // an object on the path was revoked
  kExpired = 32,         // an object, message or session is past its time (or before it)
  kStale = 33,           // this node has not heard from its ledger recently enough to decide
  kReplayed = 34,        // sequence or time outside the replay window
  kLimited = 40,         // a rate, quota or capacity is exhausted; try later
  kBlacklisted = 41,     // refused for earlier misbehaviour; try later
  kUnavailable = 50,     // peer, router or ledger cannot be reached now
  kFork = 51,            // a ledger showed two histories
  kInvalidArgument = 60, // the caller asked for something that makes no sense
  kIo = 70,              // the operating system refused (disk full, permissions, ...)
  kCorrupt = 71,         // stored data fails its checks
  kInternal = 99,        // a bug of ours
};

// The name used in JSON output and logs, e.g. "bad_signature".
std::string_view error_name(ErrorCode code);

// Any value a peer sends is mapped to a known code; unknown numbers become kInternal.
ErrorCode error_code_from_wire(std::uint16_t number);

// `message` names the thing, what was wrong with it and the way out, without a final full stop.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;

  friend bool operator==(const Error&, const Error&) = default;
};

}  // namespace bw
