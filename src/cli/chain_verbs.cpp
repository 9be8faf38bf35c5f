// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "cli/app.hpp"
#include "cli/output.hpp"
#include "cli/show.hpp"
#include "crypto/ecdsa.hpp"
#include "evm/address.hpp"
#include "ledger_ethereum/deploy.hpp"
#include "ledger_ethereum/fee_policy.hpp"
#include "ledger_ethereum/funding_key.hpp"
#include "ledger_ethereum/json_values.hpp"
#include "net/io_thread.hpp"
#include "node/chain_ledger.hpp"

namespace bw::cli {
namespace {

namespace eth = ledger_ethereum;

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  }
};

struct ChainArguments {
  std::vector<std::string> endpoints;
  std::string key;
  std::string passphrase_file;
  double max_fee_gwei = 200;
  std::uint64_t confirmations = 1;
};

void declare(CLI::App& command, ChainArguments& arguments) {
  command.add_option("--endpoint", arguments.endpoints,
                     "URL of a server of the chain; several, best first");
  command.add_option("--passphrase-file", arguments.passphrase_file,
                     "Passphrase of the key that pays, in the first line of this file");
  command.add_option("--max-fee-gwei", arguments.max_fee_gwei, "For one unit of gas, at most")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command
      .add_option("--confirmations", arguments.confirmations,
                  "Blocks, the transaction's own among them, until it counts")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
}

// A chain's endpoints, without a node.
class ChainAccess {
 public:
  static Result<std::unique_ptr<ChainAccess>> open(const std::vector<std::string>& urls) {
    if (urls.empty()) {
      return fail(ErrorCode::kInvalidArgument,
                  "which chain? name one of its servers with --endpoint URL");
    }
    std::vector<std::unique_ptr<eth::Endpoint>> endpoints;
    for (const std::string& url : urls) {
      BW_TRY(auto rpc, eth::make_rpc({.url = url}));
      endpoints.push_back(std::make_unique<eth::Endpoint>(std::move(rpc)));
    }
    return std::unique_ptr<ChainAccess>(new ChainAccess(std::move(endpoints)));
  }
  ~ChainAccess() { thread_.join(); }

  template <class T>
  Result<T> run(net::Task<Result<T>> task) {
    return thread_.run(std::move(task));
  }
  [[nodiscard]] eth::Chain& chain() { return endpoints_; }

 private:
  explicit ChainAccess(std::vector<std::unique_ptr<eth::Endpoint>> endpoints)
      : endpoints_(std::move(endpoints), log_, clock_) {}

  telemetry::Log log_{{.level = telemetry::Level::kError}};
  SystemClock clock_;
  net::IoThread thread_;  // outlives the connections, which live on it
  eth::Endpoints endpoints_;
};

Result<std::optional<crypto::Passphrase>> passphrase_of(const ChainArguments& arguments) {
  if (arguments.passphrase_file.empty()) return std::nullopt;
  BW_TRY(crypto::Passphrase passphrase, node::read_passphrase(arguments.passphrase_file));
  return passphrase;
}

Result<crypto::SigningKey> paying_key(const std::string& file, const ChainArguments& arguments) {
  BW_TRY(const auto passphrase, passphrase_of(arguments));
  return eth::read_funding_key(file, passphrase ? &*passphrase : nullptr);
}

eth::PayOptions pay_options(const App& app, const ChainArguments& arguments) {
  return {.max_fee = node::from_gwei(arguments.max_fee_gwei),
          .confirmations = arguments.confirmations,
          .tell = [quiet = app.json](const std::string& text) {
            if (!quiet) print_line(text);
          }};
}

struct DeployArguments : ChainArguments {
  std::string name = "bosswave";
  std::string out = "network.json";
};

Result<void> deploy(App& app, const DeployArguments& arguments) {
  const std::string& out = arguments.out;
  if (std::filesystem::exists(out)) {
    return fail(ErrorCode::kConflict,
                "{} exists: that network is deployed; choose another --out for a new one", out);
  }
  BW_TRY(crypto::SigningKey key, paying_key(arguments.key, arguments));
  BW_TRY(const auto access, ChainAccess::open(arguments.endpoints));
  BW_TRY(const eth::Network network,
         access->run(eth::deploy(access->chain(), std::move(key), arguments.name,
                                 pay_options(app, arguments))));
  BW_CHECK(eth::write_network(out, network));
  const Json fields{{"file", out},
                    {"chain_id", network.chain_id},
                    {"registry", evm::to_text(network.registry)},
                    {"deployment_block", network.deployment_block},
                    {"next", "name this file as ethereum.network in each node's bosswave.toml"}};
  app.json ? print_json(fields) : print_fields(fields);
  return {};
}

Verb deploy_verb(CLI::App& command) {
  const auto arguments = std::make_shared<DeployArguments>();
  declare(command, *arguments);
  command.add_option("--key", arguments->key, "File of the key that pays ('bw ledger fund')")
      ->required();
  command.add_option("--name", arguments->name, "Of the network, for people")
      ->capture_default_str();
  command.add_option("--out", arguments->out, "Network file to write")->capture_default_str();
  return [arguments](App& app) { return deploy(app, *arguments); };
}

struct FundArguments : ChainArguments {
  std::string from;
  double amount = 0;
};

Result<crypto::SigningKey> own_or_new(const std::string& file, const FundArguments& arguments) {
  BW_TRY(const auto passphrase, passphrase_of(arguments));
  const crypto::Passphrase* words = passphrase ? &*passphrase : nullptr;
  if (!std::filesystem::exists(file)) {
    return eth::make_funding_key(file, words, crypto::system_random());
  }
  return eth::read_funding_key(file, words);
}

// Whole coins as wei; doubles hold six digits behind the point exactly enough.
eth::Wei coins(double amount) {
  constexpr eth::Wei kWeiInMicro = 1'000'000'000'000;
  return static_cast<eth::Wei>(std::llround(amount * 1e6)) * kWeiInMicro;
}

Result<void> fund(App& app, FundArguments arguments) {
  BW_TRY(const node::Config config,
         node::load_config(app.path(), app.path() / "bosswave.toml", false));
  const std::string file =
      arguments.key.empty() ? node::funding_key_file(config).string() : arguments.key;
  if (arguments.endpoints.empty()) arguments.endpoints = config.ethereum.endpoints;
  BW_TRY(const crypto::SigningKey key, own_or_new(file, arguments));
  const eth::Address account = crypto::account_of(key);
  Json fields{{"account", evm::to_text(account)}, {"key", file}};
  if (!arguments.from.empty()) {
    BW_TRY(crypto::SigningKey payer, paying_key(arguments.from, {}));
    BW_TRY(const auto access, ChainAccess::open(arguments.endpoints));
    BW_TRY(const Hash sent,
           access->run(eth::pay(access->chain(), std::move(payer), account, coins(arguments.amount),
                                pay_options(app, arguments))));
    fields["transaction"] = eth::to_data(sent.bytes);
  }
  if (!arguments.endpoints.empty()) {
    BW_TRY(const auto access, ChainAccess::open(arguments.endpoints));
    BW_TRY(const eth::Wei balance, access->run(access->chain().balance(account)));
    fields["balance"] = eth::in_coins(balance);
  }
  app.json ? print_json(fields) : print_fields(fields);
  return {};
}

Verb fund_verb(CLI::App& command) {
  const auto arguments = std::make_shared<FundArguments>();
  declare(command, *arguments);
  command.add_option("--key", arguments->key,
                     "File of the key that pays for entries, made when missing (default: "
                     "ethereum.funding_key)");
  CLI::Option* from =
      command.add_option("--from", arguments->from, "File of a key whose money is sent there");
  command.add_option("--amount", arguments->amount, "So many coins of the chain")
      ->check(CLI::PositiveNumber)
      ->needs(from);
  return [arguments](App& app) { return fund(app, *arguments); };
}

}  // namespace

void add_chain_verbs(Verbs& verbs, CLI::App* ledger) {
  verbs.add(ledger, "deploy", "Put the ledger's contracts on a chain and write a network file",
            deploy_verb);
  verbs.add(ledger, "fund",
            "The account that pays for entries on a chain: make it, fill it, show it", fund_verb);
}

}  // namespace bw::cli
