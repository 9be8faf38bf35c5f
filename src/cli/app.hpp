// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "base/result.hpp"
#include "client/client.hpp"

namespace bw::cli {

namespace api = client::api;

// What every verb can use: the global options and a lazy connection to the agent.
class App {
 public:
  std::string directory;  // --dir
  std::string agent;      // --agent
  std::string token;      // --token
  std::string as;         // --as
  bool json = false;      // --json

  [[nodiscard]] std::filesystem::path path() const;
  // Connects on first use.
  Result<client::Client*> connect();
  // Ends the calls under way when SIGINT or SIGTERM comes.
  void stop_on_signals();

 private:
  std::unique_ptr<client::Client> client_;
};

// A verb's work. What it returns becomes the exit code (docs/operations.md, "Exit codes").
using Verb = std::function<Result<void>(App&)>;

// Collects the verbs as the command line is built; the one that was named runs.
class Verbs {
 public:
  Verbs(CLI::App& root, App& app) : root_(root), app_(app) {}

  CLI::App* group(const std::string& name, const std::string& help);
  // `options` declares the verb's own options on its CLI::App and returns its work.
  void add(CLI::App* parent, const std::string& name, const std::string& help,
           const std::function<Verb(CLI::App&)>& options);
  void add(const std::string& name, const std::string& help,
           const std::function<Verb(CLI::App&)>& options) {
    add(&root_, name, help, options);
  }
  [[nodiscard]] const Result<void>& outcome() const { return outcome_; }

 private:
  CLI::App& root_;
  App& app_;
  Result<void> outcome_;
};

int run(int argc, char** argv);

void add_daemon_verbs(Verbs& verbs, CLI::App* ledger, CLI::App* router);
void add_entity_verbs(Verbs& verbs);
void add_grant_verbs(Verbs& verbs);
void add_routing_verbs(Verbs& verbs, CLI::App* router);
void add_message_verbs(Verbs& verbs);
void add_seal_verbs(Verbs& verbs);
void add_lookup_verbs(Verbs& verbs);
void add_file_verbs(Verbs& verbs);
void add_ledger_verbs(Verbs& verbs, CLI::App* ledger);
void add_chain_verbs(Verbs& verbs, CLI::App* ledger);
void add_city_verbs(Verbs& verbs);
void add_completion_verb(Verbs& verbs, const CLI::App& root);

}  // namespace bw::cli
