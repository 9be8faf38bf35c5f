// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/id.hpp"
#include "base/result.hpp"
#include "net/channel.hpp"
#include "telemetry/log.hpp"

namespace bw::node {

// What a node does besides being an agent, which every node is.
struct Roles {
  bool ledger = false;
  bool router = false;
};

// The configuration of one node: defaults, then the file, then command-line options.
// docs/operations.md says what each is for.
struct Config {
  std::filesystem::path directory;

  struct LogPart {
    telemetry::Level level = telemetry::Level::kInfo;
    bool json = false;
  } log;
  struct MetricsPart {
    std::string listen = "127.0.0.1:4517";  // empty: not served
  } metrics;
  struct LedgerPart {
    std::string address;           // of the ledger to follow; unused by a node that is the ledger
    std::optional<EntityKey> key;  // of that ledger
    std::string listen = "127.0.0.1:4516";
    double entries_per_second = 200;
    double burst = 2000;
    std::size_t threads = 0;
    net::ListenerLimits limits;
  } ledger;
  // The ledger on a chain; in force when `network` is named, and [ledger] is unused then.
  struct EthereumPart {
    std::string network;                 // file that `bw ledger deploy` wrote
    std::vector<std::string> endpoints;  // URLs: http, https, ws, wss
    std::size_t agree = 1;               // endpoints that must name the same block
    std::string checkpoint;              // "NUMBER:0xHASH" of a block that the operator vouches for
    std::size_t confirmations = 12;      // blocks above one until grants in it act
    bool finalized = false;              // until the chain calls it final, instead
    std::string funding_key;             // file; empty: funding.key in the directory, if there
    std::string funding_passphrase_file;  // when that is sealed
    double max_fee_gwei = 200;            // for one unit of gas, at most
  } ethereum;
  struct RouterPart {
    std::string listen = "127.0.0.1:4514";
    std::string advertise;  // what the ledger says; empty: the address it listens on
    net::ListenerLimits limits;
    std::size_t threads = 1;
  } router;
  struct AgentPart {
    std::string socket;  // empty: agent.sock in the directory
    std::string api_tcp;
    std::string api_token;
    std::string default_entity;
  } agent;
};

// Where a node lives when nobody says: $BW_DIR, else ~/.bosswave.
std::filesystem::path default_directory();

// Reads `file` over the defaults. Unknown keys, wrong types and bad values are errors that name
// file, line and what would be right. A missing file is an error only when `required`.
Result<Config> load_config(const std::filesystem::path& directory,
                           const std::filesystem::path& file, bool required);

// The configuration as TOML, with every default written out.
std::string to_toml(const Config& config);

}  // namespace bw::node
