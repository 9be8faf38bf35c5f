// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bosswave.grpc.pb.h>

#include "agent/api_calls.hpp"

// The streaming calls of the API. gRPC's threads and the agent's thread meet in each reactor under
// a mutex of its own; nothing is shared between calls.
namespace bw::agent {

using Context = grpc::CallbackServerContext;

// A reactor that ends the call at once with `error`.
grpc::ServerBidiReactor<api::PublishFrame, api::PublishResults>* refuse_publish(Context& context,
                                                                                const Error& error);
grpc::ServerWriteReactor<api::DeliveryFrame>* refuse_consume(Context& context, const Error& error);
grpc::ServerWriteReactor<api::LentKey>* refuse_lending(Context& context, const Error& error);

grpc::ServerBidiReactor<api::PublishFrame, api::PublishResults>* publish_stream(
    Context& context, std::shared_ptr<ApiCalls> calls);

enum class ConsumeKind { kSubscribe, kQuery };
grpc::ServerWriteReactor<api::DeliveryFrame>* consume_stream(Context& context,
                                                             std::shared_ptr<ApiCalls> calls,
                                                             const api::SubscribeRequest& request,
                                                             ConsumeKind kind);

grpc::ServerWriteReactor<api::LentKey>* lend_stream(Context& context,
                                                    std::shared_ptr<ApiCalls> calls,
                                                    const api::LendKeyRequest& request);

}  // namespace bw::agent
