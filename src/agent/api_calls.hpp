// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bosswave.pb.h>

#include "agent/api_convert.hpp"
#include "agent/api_server.hpp"
#include "agent/ledger_writer.hpp"

// What each call of the API does, without gRPC: names in, names out. Thread-safe, but for what is
// marked as the agent's thread.
namespace bw::agent {

class ApiCalls {
 public:
  ApiCalls(ApiContext context, std::string default_entity);

  using ObjectDone = std::function<void(Result<api::ObjectReply>)>;
  using EntityDone = std::function<void(Result<api::EntityReply>)>;

  // ---- keys and the ledger
  void create_entity(const api::CreateEntityRequest& request, bool renew, EntityDone done);
  Result<api::EntityReply> import_key(const api::ImportKeyRequest& request);
  Result<api::KeyList> list_keys();
  Result<api::LentKey> lend_key(const api::LendKeyRequest& request);
  void take_back(const std::string& handle) { context_.keystore.take_back(handle); }

  void grant(const api::GrantRequest& request, ObjectDone done);
  void revoke(const api::RevokeRequest& request, ObjectDone done);
  void set_alias(const api::SetAliasRequest& request, ObjectDone done);
  void offer_routing(const api::AffinityRequest& request, ObjectDone done);
  void accept_routing(const api::AffinityRequest& request, ObjectDone done);
  void set_router_address(const api::RouterAddressRequest& request, ObjectDone done);
  void submit(const api::SubmitRequest& request,
              std::function<void(Result<api::SubmitReply>)> done);
  Result<api::LedgerStatusReply> ledger_status();

  // ---- look-ups
  Result<api::ResolveReply> resolve(const api::ResolveRequest& request);
  Result<api::LookupReply> lookup(const api::ResolveRequest& request);
  Result<api::WhyReply> why(const api::WhyRequest& request);
  Result<api::HolderList> who_can(const api::WhyRequest& request);
  Result<api::CapabilityList> what_can(const api::ResolveRequest& request);
  Result<api::ProofReply> build_proof(const api::WhyRequest& request);
  Result<api::GraphReply> graph(const api::GraphRequest& request);
  Result<api::InfoReply> info();            // agent's thread
  Result<api::BlacklistReply> blacklist();  // agent's thread

  // ---- messages: names resolved, for the streams
  Result<KeyPtr> key_for(std::string_view as) const;
  struct Target {
    EntityKey ns;
    wave::Pattern pattern;
  };
  Result<Target> target(std::string_view uri) const;
  // The latest target of a frame: values in a row on one URI resolve its names once.
  struct LatestTarget {
    std::string uri;
    Target target;
  };
  Result<Value> value(const api::Value& from, std::optional<LatestTarget>& latest) const;
  Result<ConsumeRequest> consume_request(const api::SubscribeRequest& request) const;
  // One for each pattern that `as` may consume within the requested one.
  Result<std::vector<ConsumeRequest>> permitted(const api::SubscribeRequest& request) const;
  Result<std::pair<KeyPtr, Target>> list_target(const api::ListRequest& request) const;

  // Keystore name, key, alias, or "everyone".
  Result<EntityKey> entity(std::string_view text) const;

  ApiContext& context() { return context_; }
  void stop() { writer_.stop(); }

 private:
  Result<std::vector<EntityKey>> revokers(
      const google::protobuf::RepeatedPtrField<std::string>& names) const;
  template <class T>
  void put(Result<wave::Signed<T>> object, ObjectDone done);
  [[nodiscard]] Time now_in_seconds() const;
  std::string state_of(const wave::Object& object) const;

  ApiContext context_;
  std::string default_entity_;
  LedgerWriter writer_;
};

}  // namespace bw::agent
