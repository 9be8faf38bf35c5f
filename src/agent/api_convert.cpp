// SPDX-License-Identifier: Apache-2.0
#include "agent/api_convert.hpp"

#include <algorithm>
#include <limits>

#include "base/text.hpp"
#include "syndication/sealed_payload.hpp"

namespace bw::agent {
namespace {

grpc::StatusCode status_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kMalformed:
    case ErrorCode::kBadSignature:
    case ErrorCode::kTooLarge:
    case ErrorCode::kUnsupported:
    case ErrorCode::kInvalidArgument:
      return grpc::StatusCode::INVALID_ARGUMENT;
    case ErrorCode::kNotFound:
      return grpc::StatusCode::NOT_FOUND;
    case ErrorCode::kConflict:
      return grpc::StatusCode::ALREADY_EXISTS;
    case ErrorCode::kDenied:
    case ErrorCode::kRevoked:
    case ErrorCode::kExpired:
    case ErrorCode::kReplayed:
      return grpc::StatusCode::PERMISSION_DENIED;
    case ErrorCode::kLimited:
    case ErrorCode::kBlacklisted:
      return grpc::StatusCode::RESOURCE_EXHAUSTED;
    case ErrorCode::kStale:
    case ErrorCode::kUnavailable:
      return grpc::StatusCode::UNAVAILABLE;
    case ErrorCode::kFork:
    case ErrorCode::kCorrupt:
      return grpc::StatusCode::DATA_LOSS;
    case ErrorCode::kIo:
    case ErrorCode::kInternal:
      break;
  }
  return grpc::StatusCode::INTERNAL;
}

}  // namespace

grpc::Status to_status(const Error& error, grpc::CallbackServerContext& context) {
  context.AddTrailingMetadata("bosswave-error", std::string(error_name(error.code)));
  return {status_code(error.code), error.message};
}

Result<UriText> split_uri(std::string_view uri) {
  const std::size_t slash = uri.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == uri.size()) {
    return fail(ErrorCode::kInvalidArgument,
                "'{}' is not a URI: write NAMESPACE/cell/cell, where NAMESPACE "
                "is a key, an alias or the name of a key held here",
                printable(uri, 120));
  }
  return UriText{std::string(uri.substr(0, slash)), std::string(uri.substr(slash + 1))};
}

std::string entity_text(const EntityKey& key) {
  return key == kEveryone ? "everyone" : key.text();
}

api::Hop to_api(const wave::Edge& edge) {
  api::Hop hop;
  hop.set_dot(edge.dot.text());
  hop.set_granter(edge.granter.text());
  hop.set_grantee(entity_text(edge.grantee));
  hop.set_permissions(edge.permissions.text());
  hop.set_pattern(edge.pattern.text());
  hop.set_ttl(edge.ttl);
  hop.set_expires_us(to_api(edge.expires));
  return hop;
}

void add_path(const wave::Path& path, google::protobuf::RepeatedPtrField<api::Hop>& out) {
  for (const wave::Edge& edge : path.edges) *out.Add() = to_api(edge);
}

void to_api(const Received& received, api::Delivery& out) {
  out.set_uri(received.ns.text() + "/" + received.uri);
  out.set_from(received.id.origin.text());
  out.set_created_us(to_api(received.created));
  if (received.expires) out.set_expires_us(to_api(*received.expires));
  out.set_persisted(received.persisted);
  out.set_stored(received.stored);
  out.set_sealed(received.sealed);
  if (!received.standing.empty()) out.set_message(std::string(as_text(received.standing)));
  out.set_id(
      fmt::format("{:016x}.{}.{}", received.id.stream, received.id.sequence, received.id.index));
  // What an origin signed as payload need not be well formed; then it is passed on as it is.
  const auto objects = syndication::parse_payload(received.payload);
  if (!objects) {
    out.add_payload()->set_content(std::string(as_text(received.payload)));
    return;
  }
  for (const syndication::PayloadObject& object : *objects) {
    api::PayloadObject* payload = out.add_payload();
    payload->set_type(object.type);
    payload->set_content(std::string(as_text(object.content)));
  }
}

Result<std::vector<syndication::PayloadObject>> payload_of(const api::Value& value) {
  const auto count = static_cast<std::size_t>(value.payload_size());
  if (count > limits::kPayloadObjects) {
    return fail(ErrorCode::kTooLarge, "{} payload objects, at most {}", count,
                limits::kPayloadObjects);
  }
  std::vector<syndication::PayloadObject> objects;
  std::size_t bytes = 0;
  for (const api::PayloadObject& object : value.payload()) {
    if (object.type() == syndication::kSealedType) {
      return fail(ErrorCode::kInvalidArgument,
                  "payload objects {} are made by agents: ask for sealing instead",
                  syndication::payload_type_text(object.type()));
    }
    bytes += object.content().size() + 8;
    objects.push_back({object.type(), to_bytes(object.content())});
  }
  if (bytes > limits::kMessageBytes) {
    return fail(ErrorCode::kTooLarge, "payload of {} bytes, at most {}", bytes,
                limits::kMessageBytes);
  }
  return objects;
}

std::int64_t to_api(Time time) {
  return time.time_since_epoch().count();
}

std::optional<Time> optional_time(std::int64_t micros) {
  // Beyond what any object can carry, and yet a duration can be added to it without overflow.
  constexpr std::int64_t kFarthest = std::numeric_limits<std::int64_t>::max() / 2;
  if (micros <= 0) return std::nullopt;
  return Time{Duration{std::min(micros, kFarthest)}};
}

}  // namespace bw::agent
