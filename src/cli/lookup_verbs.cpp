// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "base/text.hpp"
#include "cli/app.hpp"
#include "cli/output.hpp"
#include "cli/show.hpp"

namespace bw::cli {
namespace {

struct Question {
  std::string entity;
  std::string uri;
  std::string permissions;
};

void declare(CLI::App& command, Question& question, bool with_entity) {
  if (with_entity) command.add_option("entity", question.entity, "Who")->required();
  command.add_option("uri", question.uri, "On what: NAMESPACE/pattern")->required();
  command.add_option("permissions", question.permissions, "Which rights, e.g. P or C*")->required();
}

api::WhyRequest request_of(const Question& question) {
  api::WhyRequest request;
  request.set_entity(question.entity);
  request.set_uri(question.uri);
  request.set_permissions(question.permissions);
  return request;
}

Json json_of(const api::WhyReply& reply) {
  Json out{{"allowed", reply.allowed()}};
  if (reply.allowed()) {
    out["expires_us"] = reply.expires_us();
    out["path"] = to_json(reply.path());
    return out;
  }
  out["denial"] = reply.denial();
  out["gave_up"] = reply.gave_up();
  out["misses"] = Json::array();
  for (const api::NearMiss& miss : reply.misses()) {
    out["misses"].push_back(
        {{"reason", miss.reason()}, {"link", miss.link()}, {"path", to_json(miss.hops())}});
  }
  out["granters"] = Json::array();
  for (const std::string& granter : reply.granters()) out["granters"].push_back(granter);
  return out;
}

void print_why(const api::WhyReply& reply) {
  if (reply.allowed()) {
    print_line(fmt::format("yes, until {}", time_text(reply.expires_us())));
    if (reply.path().empty()) print_line("  it is the namespace itself");
    for (const api::Hop& hop : reply.path()) print_line("  " + hop_text(hop));
    return;
  }
  print_line("no: " + printable(reply.denial(), 1000));
  for (const api::NearMiss& miss : reply.misses()) {
    print_line("near miss: " + printable(miss.reason(), 1000));
    for (int i = 0; i < miss.hops_size(); ++i) {
      print_line(fmt::format("  {} {}", i == miss.link() ? "x" : " ", hop_text(miss.hops(i))));
    }
  }
  if (!reply.granters().empty()) {
    print_line("could grant what is missing:");
    for (const std::string& granter : reply.granters()) print_line("  " + granter);
  }
  if (reply.gave_up()) print_line("the search gave up at its bounds: the no is not certain");
}

// Exit code 3 for a no, so that scripts can ask.
Verb why_verb(CLI::App& command) {
  const auto question = std::make_shared<Question>();
  declare(command, *question, true);
  return [question](App& app) -> Result<void> {
    BW_TRY(client::Client * agent, app.connect());
    BW_TRY(const api::WhyReply reply, agent->why(request_of(*question)));
    if (app.json) {
      print_json(json_of(reply));
    } else {
      print_why(reply);
    }
    if (reply.allowed()) return {};
    return fail(ErrorCode::kDenied, "{} may not {} on {}", question->entity, question->permissions,
                question->uri);
  };
}

void say_more() {
  std::fputs("there are more: the search stopped at its bounds; ask about a narrower URI\n",
             stderr);
}

Verb who_can_verb(CLI::App& command) {
  const auto question = std::make_shared<Question>();
  declare(command, *question, false);
  return [question](App& app) -> Result<void> {
    BW_TRY(client::Client * agent, app.connect());
    BW_TRY(const api::HolderList list, agent->who_can(request_of(*question)));
    for (const api::Holder& holder : list.holders()) {
      if (app.json) {
        print_json({{"entity", holder.entity()}, {"path", to_json(holder.path())}});
        continue;
      }
      print_line(holder.entity());
      for (const api::Hop& hop : holder.path()) print_line("    " + hop_text(hop));
    }
    if (list.gave_up()) say_more();
    return {};
  };
}

Verb what_can_verb(CLI::App& command) {
  const auto entity = std::make_shared<std::string>();
  command.add_option("entity", *entity, "Who")->required();
  return [entity](App& app) -> Result<void> {
    BW_TRY(client::Client * agent, app.connect());
    BW_TRY(const api::CapabilityList list, agent->what_can(*entity));
    Table table({"NAMESPACE", "PATTERN", "RIGHTS", "TTL", "UNTIL"});
    for (const api::Capability& capability : list.capabilities()) {
      if (app.json) {
        print_json({{"namespace", capability.ns()},
                    {"pattern", capability.pattern()},
                    {"permissions", capability.permissions()},
                    {"ttl", capability.ttl()},
                    {"expires_us", capability.expires_us()},
                    {"path", to_json(capability.path())}});
      }
      table.row({capability.ns(), capability.pattern(), capability.permissions(),
                 std::to_string(capability.ttl()), time_text(capability.expires_us())});
    }
    if (!app.json) table.print();
    if (list.gave_up()) say_more();
    return {};
  };
}

// A Graphviz string of several lines.
std::string dot_string(std::initializer_list<std::string> lines) {
  std::string out;
  for (const std::string& line : lines) {
    if (!out.empty()) out += "\\n";
    for (const char c : printable(line, 200)) {
      if (c == '"' || c == '\\') out.push_back('\\');
      out.push_back(c);
    }
  }
  return "\"" + out + "\"";
}

// Graphviz: bw graph alice | dot -Tsvg > alice.svg
Verb graph_verb(CLI::App& command) {
  const auto around = std::make_shared<std::string>();
  const auto depth = std::make_shared<std::uint32_t>(2);
  const auto most = std::make_shared<std::uint32_t>(500);
  command.add_option("around", *around, "An entity, or NAMESPACE/pattern")->required();
  command.add_option("--depth", *depth, "How many steps from it (default 2)");
  command.add_option("--most", *most, "At most so many grants (default 500)");
  return [=](App& app) -> Result<void> {
    BW_TRY(client::Client * agent, app.connect());
    api::GraphRequest request;
    request.set_around(*around);
    request.set_depth(*depth);
    request.set_most(*most);
    BW_TRY(const api::GraphReply graph, agent->graph(request));
    if (!app.json)
      print_line("digraph grants {\n  rankdir=LR; node [shape=box, fontname=\"sans-serif\"];");
    for (const api::GraphEdge& edge : graph.edges()) {
      const api::Hop& hop = edge.hop();
      if (app.json) {
        print_json({{"dot", hop.dot()},
                    {"granter", hop.granter()},
                    {"grantee", hop.grantee()},
                    {"namespace", edge.ns()},
                    {"permissions", hop.permissions()},
                    {"pattern", hop.pattern()},
                    {"ttl", hop.ttl()},
                    {"expires_us", hop.expires_us()},
                    {"state", edge.state()}});
        continue;
      }
      const std::string label =
          dot_string({hop.permissions(), edge.ns().substr(0, 8) + "/" + hop.pattern(),
                      "ttl " + std::to_string(hop.ttl())});
      print_line(fmt::format("  {} -> {} [label={}{}];", dot_string({hop.granter().substr(0, 8)}),
                             dot_string({hop.grantee().substr(0, 8)}), label,
                             edge.state() == "live" ? "" : ", style=dashed"));
    }
    if (!app.json) print_line("}");
    if (graph.truncated())
      std::fprintf(stderr, "bw: cut at %u grants; ask for more with --most\n", *most);
    return {};
  };
}

}  // namespace

void add_lookup_verbs(Verbs& verbs) {
  verbs.add("why", "Why somebody may, or may not, do something", why_verb);
  verbs.add("who-can", "Everybody who may do something", who_can_verb);
  verbs.add("what-can", "Everything somebody may do", what_can_verb);
  verbs.add("graph", "Grants around a thing, for Graphviz", graph_verb);
}

}  // namespace bw::cli
