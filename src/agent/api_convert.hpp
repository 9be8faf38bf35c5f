// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bosswave.pb.h>
#include <grpcpp/server_context.h>

#include "agent/agent.hpp"
#include "wave/search.hpp"

// Between the API's messages and the rooms below.
namespace bw::agent {

namespace api = bosswave::v1;

// gRPC's status for an error of ours, its stable name being put into the call's `bosswave-error`.
grpc::Status to_status(const Error& error, grpc::CallbackServerContext& context);

// "NAMESPACE/pattern" apart; both sides as written. kInvalidArgument without a slash.
struct UriText {
  std::string ns;
  std::string pattern;
};
Result<UriText> split_uri(std::string_view uri);

api::Hop to_api(const wave::Edge& edge);
void add_path(const wave::Path& path, google::protobuf::RepeatedPtrField<api::Hop>& out);
std::string entity_text(const EntityKey& key);  // "everyone" for kEveryone

void to_api(const Received& received, api::Delivery& out);
Result<std::vector<syndication::PayloadObject>> payload_of(const api::Value& value);

// 0 is "not set".
std::int64_t to_api(Time time);
std::optional<Time> optional_time(std::int64_t micros);

}  // namespace bw::agent
