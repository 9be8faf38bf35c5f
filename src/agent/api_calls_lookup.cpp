// SPDX-License-Identifier: Apache-2.0
#include <deque>
#include <set>

#include "agent/api_calls.hpp"

// Calls that are answered from the replica.
namespace bw::agent {
namespace {

constexpr std::uint32_t kGraphDepth = 2;
constexpr std::uint32_t kGraphEdges = 500;
constexpr std::uint32_t kMostGraphEdges = 20'000;

}  // namespace

Result<EntityKey> ApiCalls::entity(std::string_view text) const {
  if (text == "everyone") return kEveryone;
  if (const auto held = context_.keystore.key_named(text)) return *held;
  return context_.replica.resolve(text);
}

std::string ApiCalls::state_of(const wave::Object& object) const {
  const Time now = context_.clock.now();
  if (const auto* dot = std::get_if<wave::Signed<wave::Dot>>(&object)) {
    const auto status = context_.replica.dot(dot->id);
    if (!status || !*status) return "unknown";
    if ((*status)->revoked) return "revoked";
    if (now >= dot->value.expires) return "expired";
    return now < dot->value.not_before ? "not_yet_valid" : "live";
  }
  if (const auto* entity = std::get_if<wave::Signed<wave::Entity>>(&object)) {
    const auto status = context_.replica.entity(entity->value.key);
    if (!status || !*status) return "unknown";
    if ((*status)->revoked) return "revoked";
    return now >= (*status)->expires ? "expired" : "live";
  }
  return "live";
}

Result<api::ResolveReply> ApiCalls::resolve(const api::ResolveRequest& request) {
  BW_TRY(const EntityKey key, entity(request.what()));
  api::ResolveReply reply;
  reply.set_key(key.text());
  BW_TRY(const auto alias, context_.replica.store().alias_of(key.bytes));
  if (alias) reply.set_alias(*alias);
  if (const auto name = context_.keystore.name_of(key)) reply.set_name(*name);
  BW_TRY(const auto router, context_.replica.store().designated_router(key, context_.clock.now()));
  if (router) {
    reply.set_router(router->router.text());
    reply.set_address(router->address.value_or(""));
  }
  return reply;
}

Result<api::LookupReply> ApiCalls::lookup(const api::ResolveRequest& request) {
  // An id names any object; else it is an entity under one of its names.
  auto id = ObjectId::parse(request.what());
  if (!id) {
    BW_TRY(const EntityKey key, entity(request.what()));
    id = ObjectId{key.bytes};
  }
  BW_TRY(const auto found, context_.replica.store().object(*id));
  if (!found) {
    return fail(ErrorCode::kNotFound,
                "nothing on the ledger has the id or key {}, as far as this node "
                "knows",
                id->text());
  }
  api::LookupReply reply;
  reply.set_object(std::string(as_text(wave::bytes_of(found->object))));
  reply.set_state(state_of(found->object));
  reply.set_id(wave::id_of(found->object).text());
  return reply;
}

Result<api::WhyReply> ApiCalls::why(const api::WhyRequest& request) {
  BW_TRY(const EntityKey origin, entity(request.entity()));
  BW_TRY(const Target where, target(request.uri()));
  BW_TRY(const wave::Permissions permissions, wave::Permissions::parse(request.permissions()));
  const wave::Request asked{origin, where.ns, where.pattern, permissions};
  const Time now = context_.clock.now();
  BW_TRY(const wave::Explanation explanation,
         wave::explain(asked, context_.replica.store(), context_.replica, now));
  api::WhyReply reply;
  reply.set_gave_up(explanation.exhausted_bounds);
  for (const EntityKey& granter : explanation.granters) reply.add_granters(granter.text());
  for (const wave::NearMiss& miss : explanation.misses) {
    api::NearMiss* out = reply.add_misses();
    add_path(miss.path, *out->mutable_hops());
    out->set_link(miss.link);
    out->set_reason(miss.reason);
  }
  // The search proposes, authorize() decides.
  const auto found = context_.replica.find_proof(asked, now);
  const auto granted =
      wave::authorize(asked, found ? *found->proof : wave::Proof{}, context_.replica, now);
  reply.set_allowed(granted.has_value());
  if (!granted) {
    reply.set_denial(found ? granted.error().reason : found.error().message);
    return reply;
  }
  reply.set_expires_us(to_api(granted->expires));
  if (explanation.path) add_path(*explanation.path, *reply.mutable_path());
  return reply;
}

Result<api::HolderList> ApiCalls::who_can(const api::WhyRequest& request) {
  BW_TRY(const Target where, target(request.uri()));
  BW_TRY(const wave::Permissions permissions, wave::Permissions::parse(request.permissions()));
  BW_TRY(const auto holders,
         wave::who_can(where.ns, where.pattern, permissions, context_.replica.store(),
                       context_.replica, context_.clock.now()));
  api::HolderList list;
  list.set_gave_up(holders.exhausted_bounds);
  for (const wave::Holder& holder : holders.list) {
    api::Holder* out = list.add_holders();
    out->set_entity(entity_text(holder.entity));
    add_path(holder.path, *out->mutable_path());
  }
  return list;
}

Result<api::CapabilityList> ApiCalls::what_can(const api::ResolveRequest& request) {
  BW_TRY(const EntityKey key, entity(request.what()));
  BW_TRY(const auto capabilities,
         wave::what_can(key, context_.replica.store(), context_.replica, context_.clock.now()));
  api::CapabilityList list;
  list.set_gave_up(capabilities.exhausted_bounds);
  for (const wave::Capability& capability : capabilities.list) {
    api::Capability* out = list.add_capabilities();
    out->set_ns(capability.ns.text());
    out->set_pattern(capability.pattern.text());
    out->set_permissions(capability.permissions.text());
    out->set_ttl(capability.ttl);
    out->set_expires_us(to_api(capability.expires));
    add_path(capability.path, *out->mutable_path());
  }
  return list;
}

Result<api::ProofReply> ApiCalls::build_proof(const api::WhyRequest& request) {
  BW_TRY(const EntityKey origin, entity(request.entity()));
  BW_TRY(const Target where, target(request.uri()));
  BW_TRY(const wave::Permissions permissions, wave::Permissions::parse(request.permissions()));
  BW_TRY(const auto found,
         context_.replica.find_proof({origin, where.ns, where.pattern, permissions},
                                     context_.clock.now()));
  api::ProofReply reply;
  reply.set_proof(std::string(as_text(wave::encode(*found.proof))));
  reply.set_hash(found.hash.text());
  return reply;
}

Result<api::GraphReply> ApiCalls::graph(const api::GraphRequest& request) {
  const std::string& around = request.around();
  const std::size_t slash = around.find('/');
  BW_TRY(const EntityKey centre, entity(around.substr(0, slash)));
  std::optional<wave::Pattern> within;
  if (slash != std::string::npos) {
    BW_TRY(within, wave::Pattern::parse(around.substr(slash + 1)));
  }
  const std::uint32_t depth = request.depth() == 0 ? kGraphDepth : request.depth();
  const std::uint32_t most =
      std::min(request.most() == 0 ? kGraphEdges : request.most(), kMostGraphEdges);

  api::GraphReply reply;
  std::set<ObjectId> seen;
  std::set<EntityKey> reached{centre};
  std::deque<std::pair<EntityKey, std::uint32_t>> queue{{centre, 0}};
  const auto visit = [&](wave::EdgeCursor& cursor, std::uint32_t at) -> Result<void> {
    wave::Edge edge;
    for (;;) {
      BW_TRY(const bool more, cursor.next(edge));
      if (!more) return {};
      if (within && (edge.ns != centre || wave::intersect(edge.pattern, *within).empty())) continue;
      if (!seen.insert(edge.dot).second) continue;
      if (seen.size() > most) {
        reply.set_truncated(true);
        return {};
      }
      api::GraphEdge* out = reply.add_edges();
      *out->mutable_hop() = to_api(edge);
      out->set_ns(edge.ns.text());
      const Time now = context_.clock.now();
      out->set_state(now >= edge.expires     ? "expired"
                     : now < edge.not_before ? "not_yet_valid"
                                             : "live");
      for (const EntityKey& next : {edge.granter, edge.grantee}) {
        if (next != kEveryone && reached.insert(next).second) queue.emplace_back(next, at + 1);
      }
    }
  };
  while (!queue.empty() && !reply.truncated()) {
    const auto [key, at] = queue.front();
    queue.pop_front();
    if (at >= depth) continue;
    BW_CHECK(visit(*context_.replica.store().all_granted_by(key), at));
    BW_CHECK(visit(*context_.replica.store().all_granted_to(key), at));
  }
  return reply;
}

Result<api::InfoReply> ApiCalls::info() {
  const ProcessInfo& process = context_.info;
  api::InfoReply reply;
  reply.set_version(BW_VERSION);
  for (const std::string& role : process.roles) reply.add_roles(role);
  reply.set_default_entity(default_entity_);
  reply.set_directory(process.directory);
  for (const Agent::SessionInfo& session : context_.agent.sessions()) {
    api::RouterSession* out = reply.add_sessions();
    out->set_router(session.router.text());
    out->set_address(session.address);
    out->set_connected(session.connected);
    out->set_trouble(session.trouble);
    out->set_subscriptions(static_cast<std::uint32_t>(session.subscriptions));
  }
  if (process.router_key) reply.set_router_key(process.router_key->text());
  reply.set_router_address(process.router_address);
  if (process.ledger_key) reply.set_ledger_key(process.ledger_key->text());
  reply.set_ledger_address(process.ledger_address);
  return reply;
}

Result<api::BlacklistReply> ApiCalls::blacklist() {
  if (!context_.info.blacklist) {
    return fail(ErrorCode::kInvalidArgument,
                "this process is not a router; ask the agent of the "
                "router's own process");
  }
  api::BlacklistReply reply;
  for (const ProcessInfo::Blacklisted& entry : context_.info.blacklist()) {
    api::BlacklistEntry* out = reply.add_entries();
    out->set_entity(entry.entity.text());
    out->set_until_us(to_api(entry.until));
    out->set_strikes(entry.strikes);
  }
  return reply;
}

}  // namespace bw::agent
