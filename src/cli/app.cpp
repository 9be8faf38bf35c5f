// SPDX-License-Identifier: Apache-2.0
#include "cli/app.hpp"

#include <algorithm>
#include <csignal>
#include <thread>

#include "base/id.hpp"
#include "cli/output.hpp"
#include "node/config.hpp"

namespace bw::cli {
namespace {

constexpr Duration kConnectPatience = 3s;

// One key or id in 64 begins with '-' and would pass for an option. Such arguments go through the
// parser with this in place of their first character.
constexpr char kDashOfKey = '\x02';

bool begins_with_key(std::string_view argument) {
  constexpr std::size_t kKeyText = 43;
  if (argument.size() < kKeyText || !EntityKey::parse(argument.substr(0, kKeyText))) return false;
  return argument.size() == kKeyText || argument[kKeyText] == '/';
}

std::vector<std::string> arguments_of(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  for (std::string& argument : arguments) {
    if (argument.starts_with('-') && begins_with_key(argument)) argument[0] = kDashOfKey;
  }
  // CLI11 takes them from the back.
  std::ranges::reverse(arguments);
  return arguments;
}

void restore_dashes(CLI::App& command) {
  for (CLI::Option* option : command.get_options()) {
    option->transform([](std::string value) {
      if (value.starts_with(kDashOfKey)) value[0] = '-';
      return value;
    });
  }
}

}  // namespace

std::filesystem::path App::path() const {
  return directory.empty() ? node::default_directory() : std::filesystem::path(directory);
}

Result<client::Client*> App::connect() {
  if (client_) return client_.get();
  client::Address address{agent, token};
  if (address.target.empty()) {
    // A relative path would be taken for a host name.
    address.target = "unix:" + std::filesystem::absolute(path() / "agent.sock").string();
  }
  BW_TRY(client_, client::Client::connect(address, kConnectPatience));
  return client_.get();
}

void App::stop_on_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGINT);
  ::sigaddset(&set, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // Lives as long as the process: a command that waits ends by this signal or by returning.
  std::thread([this, set] {
    int number = 0;
    while (::sigwait(&set, &number) != 0) {
    }
    if (client_) client_->cancel();
  }).detach();
}

CLI::App* Verbs::group(const std::string& name, const std::string& help) {
  CLI::App* group = root_.add_subcommand(name, help);
  group->require_subcommand(1);
  group->fallthrough();
  return group;
}

void Verbs::add(CLI::App* parent, const std::string& name, const std::string& help,
                const std::function<Verb(CLI::App&)>& options) {
  CLI::App* command = parent->add_subcommand(name, help);
  command->fallthrough();
  const Verb verb = options(*command);
  restore_dashes(*command);
  command->callback([this, verb] { outcome_ = verb(app_); });
}

int run(int argc, char** argv) {
  App app;
  CLI::App root{
      "Bosswave: delegate authority over things, narrowly, transitively, revocably; every message "
      "carries the proof"};
  root.set_version_flag("--version", std::string("bw ") + BW_VERSION);
  root.name("bw");
  root.require_subcommand(1);
  root.fallthrough();
  root.add_option("--dir", app.directory,
                  "Directory of the node (default: $BW_DIR, else ~/.bosswave)");
  root.add_option("--agent", app.agent, "Address of the agent's API: unix:/path or host:port");
  root.add_option("--token", app.token, "Token, for an agent reached over TCP")
      ->envname("BW_TOKEN");
  root.add_option("--as", app.as, "Which key signs: a name in the agent's keystore");
  root.add_flag("--json", app.json, "One JSON object a line, for programs");

  restore_dashes(root);

  Verbs verbs(root, app);
  CLI::App* ledger = verbs.group("ledger", "The ledger: run one, see how it stands, verify it");
  CLI::App* router = verbs.group("router", "Routers: run one, offer, accept, say where it listens");
  add_daemon_verbs(verbs, ledger, router);
  add_entity_verbs(verbs);
  add_grant_verbs(verbs);
  add_routing_verbs(verbs, router);
  add_message_verbs(verbs);
  add_seal_verbs(verbs);
  add_lookup_verbs(verbs);
  add_file_verbs(verbs);
  add_chain_verbs(verbs, ledger);
  add_ledger_verbs(verbs, ledger);
  add_city_verbs(verbs);
  add_completion_verb(verbs, root);

  try {
    root.parse(arguments_of(argc, argv));
  } catch (const CLI::ParseError& error) {
    const int code = root.exit(error);
    return code == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    // The system's failures, such as a path that is too long or memory that has run out.
    print_error(app, {ErrorCode::kIo, error.what()});
    return exit_code(ErrorCode::kIo);
  }
  if (verbs.outcome()) return 0;
  print_error(app, verbs.outcome().error());
  return exit_code(verbs.outcome().error().code);
}

}  // namespace bw::cli
