// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <bosswave.pb.h>

#include "base/result.hpp"
#include "base/time.hpp"

// The C++ client of an agent's API: what any third party could write, and all that the programs of
// this project use. Keeps gRPC's headers out of theirs.
namespace bw::client {

namespace api = bosswave::v1;

struct Address {
  std::string target;  // "unix:/path/agent.sock" or "host:port"
  std::string token;   // for TCP
};

// A stream of values to publish. For one thread.
class Publisher {
 public:
  virtual ~Publisher() = default;
  // Sends one frame; false when the agent has gone: finish() tells why.
  virtual bool send(const api::PublishFrame& frame) = 0;
  // The answer to the oldest unanswered frame, waiting for it.
  virtual bool receive(api::PublishResults& results) = 0;
  // No more frames; success when the agent answered all of them well.
  virtual Result<void> finish() = 0;
};

// Thread-safe. Errors carry the agent's own code and words.
class Client {
 public:
  // Waits up to `patience` for the agent. kUnavailable says what to start.
  static Result<std::unique_ptr<Client>> connect(const Address& address, Duration patience);
  ~Client();

  Result<api::EntityReply> create_entity(const api::CreateEntityRequest& request);
  Result<api::EntityReply> renew_entity(const api::CreateEntityRequest& request);
  Result<api::EntityReply> import_key(const api::ImportKeyRequest& request);
  Result<api::KeyList> list_keys();
  Result<api::ObjectReply> grant(const api::GrantRequest& request);
  Result<api::ObjectReply> revoke(const api::RevokeRequest& request);
  Result<api::ObjectReply> set_alias(const api::SetAliasRequest& request);
  Result<api::ObjectReply> offer_routing(const api::AffinityRequest& request);
  Result<api::ObjectReply> accept_routing(const api::AffinityRequest& request);
  Result<api::ObjectReply> set_router_address(const api::RouterAddressRequest& request);
  Result<api::SubmitReply> submit(const api::SubmitRequest& request);
  Result<api::LedgerStatusReply> ledger_status();
  Result<api::ResolveReply> resolve(const std::string& what);
  Result<api::LookupReply> lookup(const std::string& what);
  Result<api::WhyReply> why(const api::WhyRequest& request);
  Result<api::HolderList> who_can(const api::WhyRequest& request);
  Result<api::CapabilityList> what_can(const std::string& what);
  Result<api::ProofReply> build_proof(const api::WhyRequest& request);
  Result<api::GraphReply> graph(const api::GraphRequest& request);
  Result<api::ListReply> list(const api::ListRequest& request);
  Result<api::InfoReply> info();
  Result<api::BlacklistReply> blacklist();

  std::unique_ptr<Publisher> publish();
  // Until it ends or `on_frame` returns false. Success when it ended well, or was stopped here.
  using OnFrame = std::function<bool(const api::DeliveryFrame&)>;
  Result<void> subscribe(const api::SubscribeRequest& request, const OnFrame& on_frame);
  Result<void> query(const api::SubscribeRequest& request, const OnFrame& on_frame);
  // Ends every call under way, from any thread (a signal was caught).
  void cancel();

  struct Impl;  // in client.cpp

 private:
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bw::client
