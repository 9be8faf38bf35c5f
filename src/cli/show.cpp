// SPDX-License-Identifier: Apache-2.0
#include "cli/show.hpp"

#include "base/text.hpp"

namespace bw::cli {
namespace {

Json keys_json(const std::vector<EntityKey>& keys) {
  Json out = Json::array();
  for (const EntityKey& key : keys) out.push_back(key.text());
  return out;
}

void add_fields(Json& out, const wave::Entity& entity) {
  out["key"] = entity.key.text();
  out["expires"] = to_text(entity.expires);
  if (!entity.revokers.empty()) out["revokers"] = keys_json(entity.revokers);
  if (!entity.contact.empty()) out["contact"] = entity.contact;
  if (!entity.comment.empty()) out["comment"] = entity.comment;
}

void add_fields(Json& out, const wave::Dot& dot) {
  out["granter"] = dot.granter.text();
  out["grantee"] = dot.grantee == kEveryone ? "everyone" : dot.grantee.text();
  out["namespace"] = dot.ns.text();
  out["pattern"] = dot.pattern.text();
  out["permissions"] = dot.permissions.text();
  out["ttl"] = dot.ttl;
  out["not_before"] = to_text(dot.not_before);
  out["expires"] = to_text(dot.expires);
  if (dot.messages_per_second != 0) out["messages_per_second"] = dot.messages_per_second;
  if (dot.stored_bytes != 0) out["stored_bytes"] = dot.stored_bytes;
  if (!dot.revokers.empty()) out["revokers"] = keys_json(dot.revokers);
  if (!dot.comment.empty()) out["comment"] = dot.comment;
  if (!dot.conditions.empty()) out["conditions"] = to_hex(dot.conditions);
}

void add_fields(Json& out, const wave::Revocation& revocation) {
  const bool dot = revocation.target_kind == wave::Revocation::Target::kDot;
  out["revoker"] = revocation.revoker.text();
  out[dot ? "dot" : "entity"] = to_base64url(revocation.target);
  if (!revocation.comment.empty()) out["comment"] = revocation.comment;
}

void add_fields(Json& out, const wave::Alias& alias) {
  out["name"] = alias.name;
  out["value"] = to_base64url(alias.value);
  out["claimer"] = alias.claimer.text();
}

void add_fields(Json& out, const wave::RouterOffer& offer) {
  out["router"] = offer.router.text();
  out["namespace"] = offer.ns.text();
  out["nonce"] = offer.nonce;
  out["retracted"] = offer.retracted;
}

void add_fields(Json& out, const wave::RouterAcceptance& acceptance) {
  out["namespace"] = acceptance.ns.text();
  out["router"] = acceptance.router.text();
  out["nonce"] = acceptance.nonce;
  out["retracted"] = acceptance.retracted;
  out["max_staleness_s"] = acceptance.max_staleness_s;
}

void add_fields(Json& out, const wave::RouterAddress& address) {
  out["router"] = address.router.text();
  out["nonce"] = address.nonce;
  out["address"] = address.address;
}

}  // namespace

Json describe(const wave::Object& object) {
  Json out;
  out["kind"] = wave::kind_name(wave::kind_of(object));
  out["id"] = wave::id_of(object).text();
  std::visit([&out](const auto& signed_object) { add_fields(out, signed_object.value); }, object);
  out["created"] = to_text(wave::created_of(object));
  out["bytes"] = wave::bytes_of(object).size();
  return out;
}

void print_fields(const Json& fields) {
  for (const auto& [name, value] : fields.items()) {
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    print_line(fmt::format("{:20} {}", name, printable(text, 2000)));
  }
}

Json to_json(const google::protobuf::RepeatedPtrField<api::Hop>& path) {
  Json out = Json::array();
  for (const api::Hop& hop : path) {
    out.push_back({{"dot", hop.dot()},
                   {"granter", hop.granter()},
                   {"grantee", hop.grantee()},
                   {"permissions", hop.permissions()},
                   {"pattern", hop.pattern()},
                   {"ttl", hop.ttl()},
                   {"expires_us", hop.expires_us()}});
  }
  return out;
}

std::string hop_text(const api::Hop& hop) {
  return fmt::format("{} -> {}  {} on {}  ttl {}  until {}", hop.granter().substr(0, 8),
                     hop.grantee() == "everyone" ? hop.grantee() : hop.grantee().substr(0, 8),
                     hop.permissions(), hop.pattern(), hop.ttl(), time_text(hop.expires_us()));
}

Verb show_verb(CLI::App& command) {
  const auto what = std::make_shared<std::string>();
  command.add_option("what", *what, "Name, key, alias or id")->required();
  return [what](App& app) -> Result<void> {
    BW_TRY(client::Client * agent, app.connect());
    BW_TRY(const api::LookupReply reply, agent->lookup(*what));
    BW_TRY(const wave::Object object, wave::parse_object(as_bytes(reply.object())));
    Json fields = describe(object);
    fields["state"] = reply.state();
    if (app.json) {
      print_json(fields);
    } else {
      print_fields(fields);
    }
    return {};
  };
}

Verb revoke_verb(CLI::App& command) {
  const auto target = std::make_shared<std::string>();
  const auto comment = std::make_shared<std::string>();
  command.add_option("target", *target, "Id of a DoT, or an entity")->required();
  command.add_option("--comment", *comment, "Why, for the record");
  return [target, comment](App& app) -> Result<void> {
    BW_TRY(client::Client * agent, app.connect());
    api::RevokeRequest request;
    request.set_as(app.as);
    request.set_target(*target);
    request.set_comment(*comment);
    BW_TRY(const api::ObjectReply reply, agent->revoke(request));
    if (app.json) {
      print_json({{"id", reply.id()}, {"position", reply.position()}});
    } else {
      print_line(fmt::format("revoked {}  (entry {} of the ledger)", printable(*target, 60),
                             reply.position()));
    }
    return {};
  };
}

}  // namespace bw::cli
