// SPDX-License-Identifier: Apache-2.0
#include "cli/app.hpp"
#include "cli/output.hpp"
#include "node/node.hpp"

namespace bw::cli {
namespace {

std::function<Verb(CLI::App&)> daemon(node::Roles roles) {
  return [roles](CLI::App& command) -> Verb {
    const auto file = std::make_shared<std::string>();
    const auto json_logs = std::make_shared<bool>(false);
    command.add_option("--config", *file,
                       "Configuration file (default: bosswave.toml in the directory)");
    command.add_flag("--json-log", *json_logs, "Log lines as JSON (the same as --json here)");
    return [roles, file, json_logs](App& app) -> Result<void> {
      const auto path = file->empty() ? app.path() / "bosswave.toml" : std::filesystem::path(*file);
      BW_TRY(node::Config config, node::load_config(app.path(), path, !file->empty()));
      config.log.json = config.log.json || app.json || *json_logs;
      return node::run_until_signal(std::move(config), roles);
    };
  };
}

}  // namespace

void add_daemon_verbs(Verbs& verbs, CLI::App* ledger, CLI::App* router) {
  verbs.add("up", "Run ledger, router and agent in one process",
            daemon({.ledger = true, .router = true}));
  CLI::App* agent = verbs.group("agent", "The agent: run one");
  verbs.add(agent, "run", "Run an agent that follows a ledger elsewhere", daemon({}));
  verbs.add(router, "run", "Run a router (and an agent) that follow a ledger elsewhere",
            daemon({.router = true}));
  verbs.add(ledger, "run", "Run a ledger (and an agent)", daemon({.ledger = true}));
  verbs.add("config", "Print the configuration in force, with every default",
            [](CLI::App& command) -> Verb {
              const auto file = std::make_shared<std::string>();
              command.add_option("--config", *file, "Configuration file");
              return [file](App& app) -> Result<void> {
                const auto path =
                    file->empty() ? app.path() / "bosswave.toml" : std::filesystem::path(*file);
                BW_TRY(const node::Config config,
                       node::load_config(app.path(), path, !file->empty()));
                print_line(node::to_toml(config));
                return {};
              };
            });
  verbs.add("info", "What the agent's process is and which routers it talks to",
            [](CLI::App&) -> Verb {
              return [](App& app) -> Result<void> {
                BW_TRY(client::Client * agent_client, app.connect());
                BW_TRY(const api::InfoReply info, agent_client->info());
                Json out{{"version", info.version()},
                         {"directory", info.directory()},
                         {"roles", Json::array()}};
                for (const std::string& role : info.roles()) out["roles"].push_back(role);
                for (const auto& [name, value] : {std::pair{"ledger_key", info.ledger_key()},
                                                  {"ledger_address", info.ledger_address()},
                                                  {"router_key", info.router_key()},
                                                  {"router_address", info.router_address()},
                                                  {"default_entity", info.default_entity()}}) {
                  if (!value.empty()) out[name] = value;
                }
                Json sessions = Json::array();
                for (const api::RouterSession& session : info.sessions()) {
                  sessions.push_back({{"router", session.router()},
                                      {"address", session.address()},
                                      {"connected", session.connected()},
                                      {"trouble", session.trouble()},
                                      {"subscriptions", session.subscriptions()}});
                }
                out["sessions"] = sessions;
                print_line(app.json ? out.dump() : out.dump(2));
                return {};
              };
            });
}

}  // namespace bw::cli
