// SPDX-License-Identifier: Apache-2.0
#include "agent/api_server.hpp"

#include <cerrno>
#include <filesystem>
#include <system_error>

#include <boost/asio/post.hpp>
#include <bosswave.grpc.pb.h>
#include <grpcpp/grpcpp.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "agent/api_calls.hpp"
#include "agent/api_streams.hpp"
#include "crypto/secret.hpp"

namespace bw::agent {
namespace {

constexpr int kMessageBytes = 32 * 1024 * 1024;
constexpr std::chrono::seconds kDrain{2};

using Unary = grpc::ServerUnaryReactor;

class Service final : public api::Agent::CallbackService {
 public:
  Service(std::shared_ptr<ApiCalls> calls, std::string token)
      : calls_(std::move(calls)), token_(std::move(token)) {}

#define BW_LOOKUP(Name, Request, Reply, call)                                              \
  Unary* Name(Context* context, const api::Request* request, api::Reply* reply) override { \
    return answer(context, *reply, [&] { return calls_->call(*request); });                \
  }
  BW_LOOKUP(ImportKey, ImportKeyRequest, EntityReply, import_key)
  BW_LOOKUP(Resolve, ResolveRequest, ResolveReply, resolve)
  BW_LOOKUP(Lookup, ResolveRequest, LookupReply, lookup)
  BW_LOOKUP(Why, WhyRequest, WhyReply, why)
  BW_LOOKUP(WhoCan, WhyRequest, HolderList, who_can)
  BW_LOOKUP(WhatCan, ResolveRequest, CapabilityList, what_can)
  BW_LOOKUP(BuildProof, WhyRequest, ProofReply, build_proof)
  BW_LOOKUP(Graph, GraphRequest, GraphReply, graph)
#undef BW_LOOKUP

#define BW_LEDGER(Name, Request, Reply, call)                                              \
  Unary* Name(Context* context, const api::Request* request, api::Reply* reply) override { \
    return later<api::Reply>(context, *reply,                                              \
                             [&](auto done) { calls_->call(*request, std::move(done)); }); \
  }
  BW_LEDGER(Grant, GrantRequest, ObjectReply, grant)
  BW_LEDGER(Revoke, RevokeRequest, ObjectReply, revoke)
  BW_LEDGER(SetAlias, SetAliasRequest, ObjectReply, set_alias)
  BW_LEDGER(OfferRouting, AffinityRequest, ObjectReply, offer_routing)
  BW_LEDGER(AcceptRouting, AffinityRequest, ObjectReply, accept_routing)
  BW_LEDGER(SetRouterAddress, RouterAddressRequest, ObjectReply, set_router_address)
  BW_LEDGER(Submit, SubmitRequest, SubmitReply, submit)
#undef BW_LEDGER

  Unary* CreateEntity(Context* context, const api::CreateEntityRequest* request,
                      api::EntityReply* reply) override {
    return later<api::EntityReply>(context, *reply, [&](auto done) {
      calls_->create_entity(*request, false, std::move(done));
    });
  }
  Unary* RenewEntity(Context* context, const api::CreateEntityRequest* request,
                     api::EntityReply* reply) override {
    return later<api::EntityReply>(context, *reply, [&](auto done) {
      calls_->create_entity(*request, true, std::move(done));
    });
  }
  Unary* ListKeys(Context* context, const api::Empty*, api::KeyList* reply) override {
    return answer(context, *reply, [&] { return calls_->list_keys(); });
  }
  Unary* LedgerStatus(Context* context, const api::Empty*, api::LedgerStatusReply* reply) override {
    return answer(context, *reply, [&] { return calls_->ledger_status(); });
  }
  Unary* Info(Context* context, const api::Empty*, api::InfoReply* reply) override {
    return on_agent_thread<api::InfoReply>(context, *reply,
                                           [calls = calls_] { return calls->info(); });
  }
  Unary* RouterBlacklist(Context* context, const api::Empty*, api::BlacklistReply* reply) override {
    return on_agent_thread<api::BlacklistReply>(context, *reply,
                                                [calls = calls_] { return calls->blacklist(); });
  }

  grpc::ServerWriteReactor<api::LentKey>* LendKey(Context* context,
                                                  const api::LendKeyRequest* request) override {
    return allowed(*context) ? lend_stream(*context, calls_, *request)
                             : refuse_lending(*context, no_token());
  }
  grpc::ServerBidiReactor<api::PublishFrame, api::PublishResults>* Publish(
      Context* context) override {
    return allowed(*context) ? publish_stream(*context, calls_)
                             : refuse_publish(*context, no_token());
  }
  grpc::ServerWriteReactor<api::DeliveryFrame>* Subscribe(
      Context* context, const api::SubscribeRequest* request) override {
    return consume(*context, *request, ConsumeKind::kSubscribe);
  }
  grpc::ServerWriteReactor<api::DeliveryFrame>* Query(
      Context* context, const api::SubscribeRequest* request) override {
    return consume(*context, *request, ConsumeKind::kQuery);
  }
  Unary* List(Context* context, const api::ListRequest* request, api::ListReply* reply) override {
    return later<api::ListReply>(context, *reply,
                                 [&](auto done) { list(*request, std::move(done)); });
  }

 private:
  static Error no_token() {
    return {ErrorCode::kDenied,
            "calls over TCP need the metadata 'authorization: Bearer TOKEN' with the "
            "token of agent.api_token"};
  }

  // Whoever can open the Unix socket is the owner; over TCP the token says so.
  bool allowed(const Context& context) const {
    if (context.peer().starts_with("unix:")) return true;
    const auto found = context.client_metadata().find("authorization");
    if (found == context.client_metadata().end() || token_.empty()) return false;
    const std::string expected = "Bearer " + token_;
    const std::string_view given(found->second.data(), found->second.size());
    return crypto::equal_in_constant_time(as_bytes(given), as_bytes(expected));
  }

  template <class Reply>
  static void finish(Context* context, Unary* reactor, Reply& reply, Result<Reply> result) {
    if (result) {
      reply = *std::move(result);
      return reactor->Finish(grpc::Status::OK);
    }
    reactor->Finish(to_status(result.error(), *context));
  }

  template <class Reply, class Call>
  Unary* answer(Context* context, Reply& reply, Call call) {
    Unary* reactor = context->DefaultReactor();
    finish(context, reactor, reply, allowed(*context) ? call() : Result<Reply>(fail(no_token())));
    return reactor;
  }

  // For calls that answer from the agent's thread.
  template <class Reply, class Call>
  Unary* later(Context* context, Reply& reply, Call call) {
    Unary* reactor = context->DefaultReactor();
    if (allowed(*context)) {
      call([context, reactor, &reply](Result<Reply> result) {
        finish(context, reactor, reply, std::move(result));
      });
    } else {
      finish(context, reactor, reply, Result<Reply>(fail(no_token())));
    }
    return reactor;
  }

  template <class Reply, class Call>
  Unary* on_agent_thread(Context* context, Reply& reply, Call call) {
    return later<Reply>(context, reply, [&](auto done) {
      net::asio::post(calls_->context().io, [call, done = std::move(done)] { done(call()); });
    });
  }

  grpc::ServerWriteReactor<api::DeliveryFrame>* consume(Context& context,
                                                        const api::SubscribeRequest& request,
                                                        ConsumeKind kind) {
    if (!allowed(context)) return refuse_consume(context, no_token());
    return consume_stream(context, calls_, request, kind);
  }

  void list(const api::ListRequest& request, std::function<void(Result<api::ListReply>)> done) {
    auto where = calls_->list_target(request);
    if (!where) return done(fail(where.error()));
    net::asio::post(calls_->context().io, [calls = calls_, where = *std::move(where),
                                           done = std::move(done)]() mutable {
      calls->context().agent.list(where.first, where.second.ns, where.second.pattern,
                                  [done = std::move(done)](auto names) {
                                    if (!names) return done(fail(std::move(names).error()));
                                    api::ListReply reply;
                                    for (const std::string& name : *names) reply.add_names(name);
                                    done(std::move(reply));
                                  });
    });
  }

  std::shared_ptr<ApiCalls> calls_;
  std::string token_;
};

// A socket left by a process that was killed would keep us from binding. One that somebody listens
// on stays.
Result<void> clear_socket(const std::string& path) {
  sockaddr_un address{};
  if (path.size() >= sizeof address.sun_path) {
    return fail(ErrorCode::kInvalidArgument,
                "the API socket's path '{}' is longer than {} bytes; choose a "
                "shorter one with agent.socket",
                path, sizeof address.sun_path - 1);
  }
  if (!std::filesystem::exists(path)) return {};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  // Without one it cannot be told whether somebody listens, and the file must stay.
  if (probe < 0) {
    return fail(ErrorCode::kIo, "cannot open a socket to look at {}: {}", path,
                std::generic_category().message(errno));
  }
  const bool answered =
      ::connect(probe, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(probe);
  if (answered) {
    return fail(ErrorCode::kConflict,
                "another agent answers on {} already; stop it or choose another "
                "directory",
                path);
  }
  std::error_code error;
  std::filesystem::remove(path, error);
  return error ? Result<void>(fail(ErrorCode::kIo, "cannot remove the stale socket {}: {}", path,
                                   error.message()))
               : Result<void>{};
}

}  // namespace

struct ApiServer::Impl {
  std::shared_ptr<ApiCalls> calls;
  std::unique_ptr<Service> service;
  std::unique_ptr<grpc::Server> server;
  std::string socket;
};

Result<std::unique_ptr<ApiServer>> ApiServer::start(ApiContext context, ApiOptions options) {
  BW_CHECK(clear_socket(options.socket));
  if (!options.tcp.empty() && options.token.empty()) {
    return fail(ErrorCode::kInvalidArgument,
                "agent.api_tcp needs agent.api_token: without one every program "
                "on the network could use your keys");
  }
  auto impl = std::make_unique<Impl>();
  impl->socket = options.socket;
  impl->calls = std::make_shared<ApiCalls>(std::move(context), options.default_entity);
  impl->service = std::make_unique<Service>(impl->calls, options.token);
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(kMessageBytes);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddListeningPort("unix:" + options.socket, grpc::InsecureServerCredentials());
  int tcp_port = 1;
  if (!options.tcp.empty())
    builder.AddListeningPort(options.tcp, grpc::InsecureServerCredentials(), &tcp_port);
  builder.RegisterService(impl->service.get());
  // Nobody else may open the socket, not even for a moment.
  const mode_t before = ::umask(0177);
  impl->server = builder.BuildAndStart();
  ::umask(before);
  if (!impl->server || tcp_port == 0) {
    return fail(ErrorCode::kIo,
                "cannot serve the API on {}{}{}: address in use or directory not writable",
                options.socket, options.tcp.empty() ? "" : " and ", options.tcp);
  }
  ::chmod(options.socket.c_str(), 0600);
  return std::unique_ptr<ApiServer>(new ApiServer(std::move(impl)));
}

ApiServer::ApiServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ApiServer::~ApiServer() = default;

void ApiServer::stop() {
  impl_->server->Shutdown(std::chrono::system_clock::now() + kDrain);
  impl_->server->Wait();
  std::error_code ignored;
  std::filesystem::remove(impl_->socket, ignored);
  net::asio::post(impl_->calls->context().io, [calls = impl_->calls] { calls->stop(); });
}

}  // namespace bw::agent
