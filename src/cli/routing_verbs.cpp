// SPDX-License-Identifier: Apache-2.0
#include "cli/app.hpp"
#include "cli/output.hpp"

namespace bw::cli {
namespace {

void show(const App& app, const api::ObjectReply& reply, const std::string& done) {
  if (app.json) return print_json({{"id", reply.id()}, {"position", reply.position()}});
  print_line(done);
}

// A router's verbs sign with the key named "router" unless told otherwise.
std::string router_key(const App& app) {
  return app.as.empty() ? "router" : app.as;
}

Verb offer(CLI::App& command) {
  const auto ns = std::make_shared<std::string>();
  command.add_option("namespace", *ns, "Which namespace this router would carry")->required();
  return [ns](App& app) -> Result<void> {
    BW_TRY(client::Client * agent, app.connect());
    api::AffinityRequest request;
    request.set_as(router_key(app));
    request.set_other(*ns);
    BW_TRY(const api::ObjectReply reply, agent->offer_routing(request));
    show(app, reply,
         fmt::format("offered to route {}; its owner accepts with 'bw router accept'", *ns));
    return {};
  };
}

Verb accept(CLI::App& command) {
  const auto router = std::make_shared<std::string>();
  const auto staleness = std::make_shared<std::string>();
  command.add_option("router", *router, "Which router shall carry the namespace of --as")
      ->required();
  command.add_option(
      "--max-staleness", *staleness,
      "How long nodes may go on deciding while cut off from the ledger (default 5m)");
  return [router, staleness](App& app) -> Result<void> {
    BW_TRY(client::Client * agent, app.connect());
    api::AffinityRequest request;
    request.set_as(app.as);
    request.set_other(*router);
    if (!staleness->empty()) {
      BW_TRY(const Duration bound, parse_duration(*staleness));
      request.set_max_staleness_s(
          static_cast<std::uint32_t>(std::chrono::floor<std::chrono::seconds>(bound).count()));
    }
    BW_TRY(const api::ObjectReply reply, agent->accept_routing(request));
    show(app, reply, fmt::format("router {} carries namespace {} now", *router, app.as));
    return {};
  };
}

Verb retract(CLI::App& command) {
  const auto other = std::make_shared<std::string>();
  const auto acceptance = std::make_shared<bool>(false);
  command
      .add_option("other", *other, "The namespace (of an offer) or the router (of an acceptance)")
      ->required();
  command.add_flag("--acceptance", *acceptance,
                   "--as is a namespace that takes its acceptance back");
  return [other, acceptance](App& app) -> Result<void> {
    BW_TRY(client::Client * agent, app.connect());
    api::AffinityRequest request;
    request.set_as(*acceptance ? app.as : router_key(app));
    request.set_other(*other);
    request.set_retract(true);
    BW_TRY(const api::ObjectReply reply,
           *acceptance ? agent->accept_routing(request) : agent->offer_routing(request));
    show(app, reply, "retracted");
    return {};
  };
}

Verb address(CLI::App& command) {
  const auto where = std::make_shared<std::string>();
  command.add_option("address", *where, "host:port as others reach it")->required();
  return [where](App& app) -> Result<void> {
    BW_TRY(client::Client * agent, app.connect());
    api::RouterAddressRequest request;
    request.set_as(router_key(app));
    request.set_address(*where);
    BW_TRY(const api::ObjectReply reply, agent->set_router_address(request));
    show(app, reply, fmt::format("the ledger says {} now", *where));
    return {};
  };
}

Verb blacklist(CLI::App&) {
  return [](App& app) -> Result<void> {
    BW_TRY(client::Client * agent, app.connect());
    BW_TRY(const api::BlacklistReply reply, agent->blacklist());
    Table table({"ENTITY", "UNTIL", "STRIKES"});
    for (const api::BlacklistEntry& entry : reply.entries()) {
      if (app.json) {
        print_json({{"entity", entry.entity()},
                    {"until_us", entry.until_us()},
                    {"strikes", entry.strikes()}});
      }
      table.row({entry.entity(), time_text(entry.until_us()), std::to_string(entry.strikes())});
    }
    if (app.json) return {};
    if (table.empty()) {
      print_line("nobody is blacklisted");
    } else {
      table.print();
    }
    return {};
  };
}

// Already there is as good as done: the command can be run again after a failure half way.
template <class T>
Result<void> unless_there(const Result<T>& done) {
  if (done || done.error().code == ErrorCode::kConflict) return {};
  return fail(done.error());
}

Result<std::string> router_for(client::Client& agent, const std::string& chosen) {
  if (!chosen.empty()) return chosen;
  BW_TRY(const api::InfoReply info, agent.info());
  if (!info.router_key().empty()) return info.router_key();
  return fail(ErrorCode::kInvalidArgument,
              "this agent's process is no router: name one with --router KEY, after its "
              "operator ran 'bw router offer'");
}

// Entity, alias, and a router: the whole set-up of a namespace in one command.
Verb create_namespace(CLI::App& command) {
  const auto name = std::make_shared<std::string>();
  const auto router = std::make_shared<std::string>();
  const auto no_alias = std::make_shared<bool>(false);
  command.add_option("name", *name, "Name of its key here, and its alias on the ledger")
      ->required();
  command.add_option("--router", *router,
                     "Key of the router that shall carry it (default: this process)");
  command.add_flag("--no-alias", *no_alias, "Do not claim the name as an alias");
  return [=](App& app) -> Result<void> {
    BW_TRY(client::Client * agent, app.connect());
    api::CreateEntityRequest entity;
    entity.set_name(*name);
    entity.set_register_(true);
    BW_CHECK(unless_there(agent->create_entity(entity)));
    if (!*no_alias) {
      api::SetAliasRequest alias;
      alias.set_as(*name);
      alias.set_name(*name);
      BW_CHECK(unless_there(agent->set_alias(alias)));
    }
    BW_TRY(const std::string chosen, router_for(*agent, *router));
    BW_TRY(const api::InfoReply info, agent->info());
    if (info.router_key() == chosen) {
      api::AffinityRequest offered;
      offered.set_as(chosen);
      offered.set_other(*name);
      BW_CHECK(agent->offer_routing(offered));
    }
    api::AffinityRequest accepted;
    accepted.set_as(*name);
    accepted.set_other(chosen);
    BW_CHECK(agent->accept_routing(accepted));
    BW_TRY(const api::ResolveReply resolved, agent->resolve(*name));
    if (app.json) {
      print_json({{"name", *name},
                  {"key", resolved.key()},
                  {"alias", resolved.alias()},
                  {"router", resolved.router()},
                  {"address", resolved.address()}});
    } else {
      print_line(fmt::format("namespace {}  {}", *name, resolved.key()));
      print_line(fmt::format("carried by router {} at {}", resolved.router(), resolved.address()));
    }
    return {};
  };
}

}  // namespace

void add_routing_verbs(Verbs& verbs, CLI::App* router) {
  verbs.add(router, "offer", "Offer to carry a namespace", offer);
  verbs.add(router, "accept", "Choose the designated router of a namespace", accept);
  verbs.add(router, "retract", "Take back an offer or an acceptance", retract);
  verbs.add(router, "address", "Say where the router listens", address);
  verbs.add(router, "blacklist", "Whom this router refuses for now", blacklist);
  CLI::App* ns = verbs.group("namespace", "Namespaces: set one up");
  verbs.add(ns, "create", "Make its entity and alias and give it a router", create_namespace);
}

}  // namespace bw::cli
