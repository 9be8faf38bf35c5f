// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"

#include <array>
#include <utility>

namespace bw {
namespace {

constexpr std::array<std::pair<ErrorCode, std::string_view>, 19> kNames{{
    {ErrorCode::kMalformed, "malformed"},
    {ErrorCode::kBadSignature, "bad_signature"},
    {ErrorCode::kTooLarge, "too_large"},
    {ErrorCode::kUnsupported, "unsupported"},
    {ErrorCode::kNotFound, "not_found"},
    {ErrorCode::kConflict, "conflict"},
    {ErrorCode::kDenied, "denied"},
    {ErrorCode::kRevoked, "revoked"},
    {ErrorCode::kExpired, "expired"},
    {ErrorCode::kStale, "stale"},
    {ErrorCode::kReplayed, "replayed"},
    {ErrorCode::kLimited, "limited"},
    {ErrorCode::kBlacklisted, "blacklisted"},
    {ErrorCode::kUnavailable, "unavailable"},
    {ErrorCode::kFork, "fork"},
    {ErrorCode::kInvalidArgument, "invalid_argument"},
    {ErrorCode::kIo, "io"},
    {ErrorCode::kCorrupt, "corrupt"},
    {ErrorCode::kInternal, "internal"},
}};

}  // namespace

std::string_view error_name(ErrorCode code) {
  for (const auto& [known, name] : kNames) {
    if (known == code) return name;
  }
  return "internal";
}

ErrorCode error_code_from_wire(std::uint16_t number) {
  for (const auto& [known, name] : kNames) {
    if (static_cast<std::uint16_t>(known) == number) return known;
  }
  return ErrorCode::kInternal;
}

}  // namespace bw
