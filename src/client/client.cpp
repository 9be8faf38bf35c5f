// SPDX-License-Identifier: Apache-2.0
#include "client/client.hpp"

#include <mutex>
#include <set>

#include <bosswave.grpc.pb.h>
#include <grpcpp/grpcpp.h>

namespace bw::client {
namespace {

constexpr int kMessageBytes = 64 * 1024 * 1024;
constexpr const char* kErrorKey = "bosswave-error";

ErrorCode code_named(std::string_view name) {
  for (int number = 0; number < 100; ++number) {
    const ErrorCode code = error_code_from_wire(static_cast<std::uint16_t>(number));
    if (error_name(code) == name) return code;
  }
  return ErrorCode::kInternal;
}

ErrorCode code_of(grpc::StatusCode status) {
  switch (status) {
    case grpc::StatusCode::NOT_FOUND:
      return ErrorCode::kNotFound;
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::UNAUTHENTICATED:
      return ErrorCode::kDenied;
    case grpc::StatusCode::ALREADY_EXISTS:
      return ErrorCode::kConflict;
    case grpc::StatusCode::INVALID_ARGUMENT:
      return ErrorCode::kInvalidArgument;
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return ErrorCode::kLimited;
    case grpc::StatusCode::UNAVAILABLE:
      return ErrorCode::kUnavailable;
    default:
      return ErrorCode::kInternal;
  }
}

// The agent's own name for the error when it came along, else what gRPC's status says.
Error error_of(const grpc::Status& status, const grpc::ClientContext& context) {
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto found = trailers.find(kErrorKey);
  if (found == trailers.end()) return {code_of(status.error_code()), status.error_message()};
  return {code_named({found->second.data(), found->second.size()}), status.error_message()};
}

}  // namespace

struct Client::Impl {
  // One call's context, known to cancel() while the call lasts.
  class Call {
   public:
    explicit Call(Impl& impl) : impl_(impl) {
      if (!impl.token.empty()) context.AddMetadata("authorization", "Bearer " + impl.token);
      const std::scoped_lock lock(impl.mutex);
      impl.calls.insert(&context);
    }
    ~Call() {
      const std::scoped_lock lock(impl_.mutex);
      impl_.calls.erase(&context);
    }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    grpc::ClientContext context;

   private:
    Impl& impl_;
  };

  template <class Request, class Reply>
  using Method = grpc::Status (api::Agent::Stub::*)(grpc::ClientContext*, const Request&, Reply*);

  template <class Request, class Reply>
  Result<Reply> call(Method<Request, Reply> method, const Request& request) {
    Call under_way(*this);
    Reply reply;
    const grpc::Status status = (stub.get()->*method)(&under_way.context, request, &reply);
    if (!status.ok()) return fail(error_of(status, under_way.context));
    return reply;
  }

  Result<void> consume(std::unique_ptr<grpc::ClientReader<api::DeliveryFrame>> reader,
                       Call& under_way, const OnFrame& on_frame) {
    api::DeliveryFrame frame;
    bool stopped = false;
    while (!stopped && reader->Read(&frame)) stopped = !on_frame(frame);
    if (stopped) under_way.context.TryCancel();
    const grpc::Status status = reader->Finish();
    const bool ours = status.error_code() == grpc::StatusCode::CANCELLED;
    if (status.ok() || stopped || ours) return {};
    return fail(error_of(status, under_way.context));
  }

  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<api::Agent::Stub> stub;
  std::string token;
  std::mutex mutex;
  std::set<grpc::ClientContext*> calls;
};

namespace {

class StreamPublisher final : public Publisher {
 public:
  explicit StreamPublisher(Client::Impl& impl)
      : call_(impl), stream_(impl.stub->Publish(&call_.context)) {}
  ~StreamPublisher() override {
    if (!finished_) {
      call_.context.TryCancel();
      stream_->Finish();
    }
  }
  bool send(const api::PublishFrame& frame) override { return stream_->Write(frame); }
  bool receive(api::PublishResults& results) override { return stream_->Read(&results); }
  Result<void> finish() override {
    stream_->WritesDone();
    api::PublishResults rest;
    while (stream_->Read(&rest)) {
    }
    finished_ = true;
    const grpc::Status status = stream_->Finish();
    if (!status.ok()) return fail(error_of(status, call_.context));
    return {};
  }

 private:
  Client::Impl::Call call_;
  std::unique_ptr<grpc::ClientReaderWriter<api::PublishFrame, api::PublishResults>> stream_;
  bool finished_ = false;
};

}  // namespace

Result<std::unique_ptr<Client>> Client::connect(const Address& address, Duration patience) {
  auto impl = std::make_unique<Impl>();
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMessageBytes);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
  impl->channel =
      grpc::CreateCustomChannel(address.target, grpc::InsecureChannelCredentials(), arguments);
  impl->token = address.token;
  const auto deadline = std::chrono::system_clock::now() + patience;
  if (!impl->channel->WaitForConnected(deadline)) {
    return fail(ErrorCode::kUnavailable,
                "no agent answers at {}: start one with 'bw up', or name another "
                "with --dir or --agent",
                address.target);
  }
  impl->stub = api::Agent::NewStub(impl->channel);
  return std::unique_ptr<Client>(new Client(std::move(impl)));
}

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;

Result<api::EntityReply> Client::create_entity(const api::CreateEntityRequest& request) {
  return impl_->call(&api::Agent::Stub::CreateEntity, request);
}
Result<api::EntityReply> Client::renew_entity(const api::CreateEntityRequest& request) {
  return impl_->call(&api::Agent::Stub::RenewEntity, request);
}
Result<api::EntityReply> Client::import_key(const api::ImportKeyRequest& request) {
  return impl_->call(&api::Agent::Stub::ImportKey, request);
}
Result<api::KeyList> Client::list_keys() {
  return impl_->call(&api::Agent::Stub::ListKeys, api::Empty());
}
Result<api::ObjectReply> Client::grant(const api::GrantRequest& request) {
  return impl_->call(&api::Agent::Stub::Grant, request);
}
Result<api::ObjectReply> Client::revoke(const api::RevokeRequest& request) {
  return impl_->call(&api::Agent::Stub::Revoke, request);
}
Result<api::ObjectReply> Client::set_alias(const api::SetAliasRequest& request) {
  return impl_->call(&api::Agent::Stub::SetAlias, request);
}
Result<api::ObjectReply> Client::offer_routing(const api::AffinityRequest& request) {
  return impl_->call(&api::Agent::Stub::OfferRouting, request);
}
Result<api::ObjectReply> Client::accept_routing(const api::AffinityRequest& request) {
  return impl_->call(&api::Agent::Stub::AcceptRouting, request);
}
Result<api::ObjectReply> Client::set_router_address(const api::RouterAddressRequest& request) {
  return impl_->call(&api::Agent::Stub::SetRouterAddress, request);
}
Result<api::SubmitReply> Client::submit(const api::SubmitRequest& request) {
  return impl_->call(&api::Agent::Stub::Submit, request);
}
Result<api::LedgerStatusReply> Client::ledger_status() {
  return impl_->call(&api::Agent::Stub::LedgerStatus, api::Empty());
}
Result<api::ResolveReply> Client::resolve(const std::string& what) {
  api::ResolveRequest request;
  request.set_what(what);
  return impl_->call(&api::Agent::Stub::Resolve, request);
}
Result<api::LookupReply> Client::lookup(const std::string& what) {
  api::ResolveRequest request;
  request.set_what(what);
  return impl_->call(&api::Agent::Stub::Lookup, request);
}
Result<api::WhyReply> Client::why(const api::WhyRequest& request) {
  return impl_->call(&api::Agent::Stub::Why, request);
}
Result<api::HolderList> Client::who_can(const api::WhyRequest& request) {
  return impl_->call(&api::Agent::Stub::WhoCan, request);
}
Result<api::CapabilityList> Client::what_can(const std::string& what) {
  api::ResolveRequest request;
  request.set_what(what);
  return impl_->call(&api::Agent::Stub::WhatCan, request);
}
Result<api::ProofReply> Client::build_proof(const api::WhyRequest& request) {
  return impl_->call(&api::Agent::Stub::BuildProof, request);
}
Result<api::GraphReply> Client::graph(const api::GraphRequest& request) {
  return impl_->call(&api::Agent::Stub::Graph, request);
}
Result<api::ListReply> Client::list(const api::ListRequest& request) {
  return impl_->call(&api::Agent::Stub::List, request);
}
Result<api::InfoReply> Client::info() {
  return impl_->call(&api::Agent::Stub::Info, api::Empty());
}
Result<api::BlacklistReply> Client::blacklist() {
  return impl_->call(&api::Agent::Stub::RouterBlacklist, api::Empty());
}

std::unique_ptr<Publisher> Client::publish() {
  return std::make_unique<StreamPublisher>(*impl_);
}

Result<void> Client::subscribe(const api::SubscribeRequest& request, const OnFrame& on_frame) {
  Impl::Call under_way(*impl_);
  return impl_->consume(impl_->stub->Subscribe(&under_way.context, request), under_way, on_frame);
}

Result<void> Client::query(const api::SubscribeRequest& request, const OnFrame& on_frame) {
  Impl::Call under_way(*impl_);
  return impl_->consume(impl_->stub->Query(&under_way.context, request), under_way, on_frame);
}

void Client::cancel() {
  const std::scoped_lock lock(impl_->mutex);
  for (grpc::ClientContext* context : impl_->calls) context->TryCancel();
}

}  // namespace bw::client
