// SPDX-License-Identifier: Apache-2.0
#include "cli/app.hpp"
#include "cli/output.hpp"
#include "cli/show.hpp"

namespace bw::cli {
namespace {

struct Options {
  std::string expires;
  std::string from;
  std::string grantee;
  std::string uri;
  std::string permissions;
  std::uint32_t ttl = 0;
  std::uint32_t rate = 0;
  std::uint64_t stored = 0;
  std::vector<std::string> revokers;
  std::string comment;
};

Verb grant(CLI::App& command) {
  const auto o = std::make_shared<Options>();
  command.add_option("grantee", o->grantee, "Who gets it: a key, alias or name; or everyone")
      ->required();
  command.add_option("uri", o->uri, "On what: NAMESPACE/pattern; + is one cell, * any number")
      ->required();
  command
      .add_option("permissions", o->permissions,
                  "Which rights: P publish, C C+ C* consume, T T+ T* tap, L list; e.g. PC*L")
      ->required();
  command.add_option("--ttl", o->ttl, "How many more times it may be passed on (default 0)");
  command.add_option("--expires", o->expires, "When it ends: 90d or a time (default 90d)");
  command.add_option("--from", o->from, "When it starts (default now)");
  command.add_option("--rate", o->rate, "At most so many messages a second (default: no limit)");
  command.add_option("--store", o->stored, "At most so many persisted bytes (default: no limit)")
      ->check(CLI::NonNegativeNumber);
  command.add_option("--revoker", o->revokers, "An entity that may revoke it too; repeatable");
  command.add_option("--comment", o->comment, "What it is for");
  return [o](App& app) -> Result<void> {
    BW_TRY(client::Client * agent, app.connect());
    api::GrantRequest request;
    request.set_as(app.as);
    request.set_grantee(o->grantee);
    request.set_uri(o->uri);
    request.set_permissions(o->permissions);
    request.set_ttl(o->ttl);
    BW_TRY(const std::int64_t from, when(o->from));
    BW_TRY(const std::int64_t expires, when(o->expires));
    request.set_not_before_us(from);
    request.set_expires_us(expires);
    request.set_messages_per_second(o->rate);
    request.set_stored_bytes(o->stored);
    for (const std::string& revoker : o->revokers) request.add_revokers(revoker);
    request.set_comment(o->comment);
    BW_TRY(const api::ObjectReply reply, agent->grant(request));
    if (app.json) {
      print_json({{"id", reply.id()}, {"position", reply.position()}});
    } else {
      print_line(fmt::format("granted {} on {} to {}  DoT {}", o->permissions, o->uri, o->grantee,
                             reply.id()));
    }
    return {};
  };
}

Verb set_alias(CLI::App& command) {
  const auto name = std::make_shared<std::string>();
  const auto value = std::make_shared<std::string>();
  command.add_option("name", *name, "The name: a-z 0-9 - . _, first come, for ever")->required();
  command.add_option("value", *value, "What it names (default: the key that signs)");
  return [name, value](App& app) -> Result<void> {
    BW_TRY(client::Client * agent, app.connect());
    api::SetAliasRequest request;
    request.set_as(app.as);
    request.set_name(*name);
    request.set_value(*value);
    BW_TRY(const api::ObjectReply reply, agent->set_alias(request));
    if (app.json) {
      print_json({{"id", reply.id()}, {"position", reply.position()}});
    } else {
      print_line(fmt::format("alias {} set", *name));
    }
    return {};
  };
}

Verb resolve(CLI::App& command) {
  const auto what = std::make_shared<std::string>();
  command.add_option("what", *what, "Alias, key or name")->required();
  return [what](App& app) -> Result<void> {
    BW_TRY(client::Client * agent, app.connect());
    BW_TRY(const api::ResolveReply reply, agent->resolve(*what));
    const Json fields{{"key", reply.key()},
                      {"alias", reply.alias()},
                      {"name", reply.name()},
                      {"router", reply.router()},
                      {"address", reply.address()}};
    if (app.json) {
      print_json(fields);
    } else {
      print_fields(fields);
    }
    return {};
  };
}

}  // namespace

void add_grant_verbs(Verbs& verbs) {
  verbs.add("grant", "Delegate: give somebody rights on a part of a namespace", grant);
  verbs.add("revoke", "Take back a grant, or revoke an entity", revoke_verb);
  verbs.add("renounce", "Give back a grant that was made to you", revoke_verb);
  CLI::App* alias = verbs.group("alias", "Names for keys, unique and immutable");
  verbs.add(alias, "set", "Claim a name", set_alias);
  verbs.add(alias, "resolve", "What a name means, and who routes for it", resolve);
}

}  // namespace bw::cli
