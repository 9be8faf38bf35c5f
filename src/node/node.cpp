// SPDX-License-Identifier: Apache-2.0
#include "node/node.hpp"

#include "agent/api_server.hpp"
#include "http/server.hpp"
#include "ledger_embedded/client.hpp"
#include "ledger_embedded/server.hpp"
#include "net/io_thread.hpp"
#include "net/thread_priority.hpp"
#include "node/chain_ledger.hpp"
#include "node/open_files.hpp"
#include "node/own_entities.hpp"
#include "node/probes.hpp"
#include "router/router.hpp"
#include "store/message_store.hpp"

namespace bw::node {
namespace {

class SystemClock final : public Clock {
 public:
  Time now() const override {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  }
};

// Of the latest entries, that a reorganisation of a chain may withdraw; more than any block holds,
// many times.
constexpr std::uint64_t kUndoEntries = 100'000;

// check_network() knows, and not only cannot tell.
bool is_about_the_network(ErrorCode code) {
  return code == ErrorCode::kConflict || code == ErrorCode::kNotFound;
}

Result<void> make_directory(const std::filesystem::path& directory) {
  std::error_code error;
  const bool fresh = std::filesystem::create_directories(directory, error);
  // What routers store is for the owner's eyes. A directory that was there keeps the mode it has.
  if (fresh) {
    std::filesystem::permissions(directory, std::filesystem::perms::owner_all, error);
  }
  if (!error) return {};
  return fail(ErrorCode::kIo, "cannot make the directory {}: {}; choose another with --dir",
              directory.string(), error.message());
}

Result<agent::KeyPtr> key_for_role(agent::Keystore& keystore, const std::string& name) {
  auto held = keystore.find(name);
  if (held || held.error().code != ErrorCode::kNotFound) return held;
  return keystore.create(name, nullptr);
}

}  // namespace

// Members in the order in which they depend on each other; destroyed in the opposite one.
struct Node::Impl {
  Impl(Config chosen, Roles chosen_roles, telemetry::Log& logger)
      : config(std::move(chosen)), roles(chosen_roles), log(logger) {}

  Result<void> open() {
    BW_CHECK(make_directory(config.directory));
    BW_TRY(keystore, agent::Keystore::open(config.directory / "keys"));
    BW_TRY(agent_key, key_for_role(*keystore, "agent"));
    if (roles.router) {
      BW_TRY(router_key, key_for_role(*keystore, "router"));
    }
    if (on_chain()) return open_for_chain();
    if (roles.ledger) {
      BW_TRY(ledger_signing_key, key_for_role(*keystore, "ledger"));
      config.ledger.key = ledger_signing_key->public_key();
    }
    if (!config.ledger.key || (!roles.ledger && config.ledger.address.empty())) {
      return fail(ErrorCode::kInvalidArgument,
                  "no ledger to follow: set ledger.address and ledger.key (or ethereum.network) in "
                  "{}, or run 'bw up', which brings its own",
                  (config.directory / "bosswave.toml").string());
    }
    return open_store({}, roles.ledger);
  }

  [[nodiscard]] bool on_chain() const { return !config.ethereum.network.empty(); }

  Result<void> open_for_chain() {
    if (roles.ledger && !roles.router) {
      return fail(ErrorCode::kInvalidArgument,
                  "ethereum.network is set: the ledger is a chain, and there is none to run here");
    }
    roles.ledger = false;
    config.ledger.key.reset();
    return open_store({.undo_entries = kUndoEntries}, false);
  }

  Result<void> open_store(const store::AuthorityStoreOptions& options, bool local) {
    BW_TRY(authority, store::AuthorityStore::open(config.directory / "authority", options));
    report_recovery();
    replica = std::make_unique<replica::Replica>(*authority, clock, local);
    return {};
  }

  void report_recovery() {
    const auto& recovery = authority->recovery();
    if (recovery.log.cut_bytes == 0 && !recovery.index_remade) return;
    log.write(telemetry::Level::kWarning, "store", "mended what an earlier stop left behind",
              {{"cut_bytes", std::to_string(recovery.log.cut_bytes)},
               {"index_remade", recovery.index_remade ? "yes" : "no"},
               {"applied", std::to_string(recovery.applied_entries)}});
  }

  Result<void> start_ledger() {
    if (on_chain()) return follow_chain();
    if (roles.ledger) {
      ledger_embedded::ServerOptions options;
      options.listen = config.ledger.listen;
      options.entries_per_second = config.ledger.entries_per_second;
      options.burst = config.ledger.burst;
      options.threads = config.ledger.threads;
      options.limits = fitted(config.ledger.limits);
      server = std::make_unique<ledger_embedded::Server>(
          io, *authority, *ledger_signing_key, clock, options,
          [this](const ledger::Effects& effects) { replica->applied(effects); });
      ledger = server.get();
      return server->start();
    }
    follower = std::make_unique<ledger_embedded::Client>(
        ledger_thread.context(), *replica, authority->log(), clock, log,
        ledger_embedded::ClientOptions{.address = config.ledger.address,
                                       .key = *config.ledger.key,
                                       .heads = config.directory / "heads"});
    ledger = follower.get();
    return follower->start();
  }

  Result<void> follow_chain() {
    BW_TRY(auto options, chain_options(config));
    BW_TRY(chain, ledger_ethereum::Ethereum::make(ledger_thread.context(), *replica, *authority,
                                                  clock, log, std::move(options)));
    ledger = chain.get();
    const auto right = ledger_thread.run(chain->check());
    // A chain that cannot be judged now is followed once it can be; a wrong one never.
    if (!right && is_about_the_network(right.error().code)) return right;
    return ledger_thread.call([this]() -> Result<void> {
      chain->start();
      return {};
    });
  }

  Result<void> start_router() {
    if (!roles.router) return {};
    BW_TRY(messages, store::open_message_store(config.directory / "messages"));
    router = std::make_unique<router::Router>(io, *replica, *messages, *router_key, clock, log,
                                              router::HeadExchange{latest_head(), compare_head()},
                                              router_options());
    return router->start();
  }

  router::Options router_options() const {
    router::Options options;
    options.listen = config.router.listen;
    options.connections = fitted(config.router.limits);
    options.threads = config.router.threads;
    return options;
  }

  net::ListenerLimits fitted(const net::ListenerLimits& limits) const {
    return fit(limits, open_files, (roles.ledger ? 1U : 0U) + (roles.router ? 1U : 0U));
  }

  std::function<Bytes()> latest_head() {
    if (!follower) return nullptr;
    return [this] { return follower->latest_head(); };
  }
  std::function<Result<void>(ByteView)> compare_head() {
    if (!follower) return nullptr;
    return [this](ByteView head) { return follower->compare(head); };
  }

  Result<void> start_agent() {
    agent = std::make_unique<agent::Agent>(io, *replica, agent_key, clock, log,
                                           agent::HeadExchange{latest_head(), compare_head()},
                                           sealing_options());
    agent->start();
    agent::ApiOptions options{config.agent.socket, config.agent.api_tcp, config.agent.api_token,
                              config.agent.default_entity};
    if (options.socket.empty()) options.socket = (config.directory / "agent.sock").string();
    config.agent.socket = options.socket;
    BW_TRY(api, agent::ApiServer::start({io, *agent, *keystore, *replica, *ledger, clock, log,
                                         config.ledger.key, process_info()},
                                        std::move(options)));
    return {};
  }

  agent::SealingOptions sealing_options() {
    return {.directory = config.directory / "sealed", .key = [this](const EntityKey& entity) {
              return keystore->find(entity.text()).value_or(nullptr);
            }};
  }

  agent::ProcessInfo process_info() {
    agent::ProcessInfo info;
    info.roles = {"agent"};
    info.directory = config.directory.string();
    if (router) {
      info.roles.emplace_back("router");
      info.router_key = router->key();
      info.router_address = router->address();
      info.blacklist = [this] {
        std::vector<agent::ProcessInfo::Blacklisted> out;
        for (const auto& entry : router->blacklist())
          out.push_back({entry.entity, entry.until, entry.strikes});
        return out;
      };
    }
    if (server) {
      info.roles.emplace_back("ledger");
      info.ledger_address = server->address();
    }
    info.ledger_key = config.ledger.key;
    return info;
  }

  // The node's own entities and its router's address, put once the ledger can be reached.
  void register_own() {
    std::vector<OwnEntity> own{{agent_key, "agent"}};
    std::string address;
    if (router) {
      own.push_back({router_key, "router"});
      address = config.router.advertise.empty() ? router->address() : config.router.advertise;
    }
    registrar =
        std::make_unique<OwnEntities>(io, *ledger, *replica, clock, log, std::move(own), address);
  }

  Result<void> start_metrics() {
    if (config.metrics.listen.empty()) return {};
    BW_TRY(http, http::Server::bind(io, config.metrics.listen));
    add_probes(metrics, {clock, *replica, *ledger, *agent, router.get(), server.get()});
    http->get("/metrics", [this] {
      return http::Response{.content_type = "text/plain; version=0.0.4", .body = metrics.render()};
    });
    http->get("/healthz", [this] { return health(*ledger, *replica, clock); });
    http->start();
    return {};
  }

  Result<void> start() {
    BW_CHECK(open());
    BW_CHECK(start_ledger());
    BW_CHECK(start_router());
    // From here on every room is used from its own thread only.
    ledger_thread.start();
    thread.start();
    BW_CHECK(thread.call([this] { return start_agent(); }));
    return thread.call([this]() -> Result<void> {
      register_own();
      BW_CHECK(start_metrics());
      // Last, since threads that this one starts inherit it.
      net::set_thread_priority(net::ThreadPriority::kPrompt);
      return {};
    });
  }

  void stop() {
    if (api) api->stop();
    thread.run(stop_rooms());
    if (follower) ledger_thread.run(follower->stop());
    if (chain) ledger_thread.run(chain->stop());
    // The follower's last answers still reach those who wait for them.
    ledger_thread.join();
    thread.join();
  }

  net::Task<void> stop_rooms() {
    if (http) http->stop();
    if (registrar) registrar->stop();
    if (agent) co_await agent->stop();
    if (router) co_await router->stop();
    if (server) co_await server->stop();
  }

  Config config;
  Roles roles;
  telemetry::Log& log;
  SystemClock clock;
  std::uint64_t open_files = raise_open_files();
  net::IoThread thread;
  net::asio::io_context& io = thread.context();
  // What a ledger serves is verified and written to disk beside the messages, not between them.
  net::IoThread ledger_thread{net::ThreadPriority::kBehind};
  std::unique_ptr<agent::Keystore> keystore;
  agent::KeyPtr agent_key;
  agent::KeyPtr router_key;
  agent::KeyPtr ledger_signing_key;
  std::unique_ptr<store::AuthorityStore> authority;
  std::unique_ptr<replica::Replica> replica;
  std::unique_ptr<ledger_embedded::Server> server;
  std::unique_ptr<ledger_embedded::Client> follower;
  std::unique_ptr<ledger_ethereum::Ethereum> chain;
  ledger::Ledger* ledger = nullptr;
  std::unique_ptr<syndication::MessageStore> messages;
  std::unique_ptr<router::Router> router;
  std::unique_ptr<agent::Agent> agent;
  std::unique_ptr<agent::ApiServer> api;
  std::unique_ptr<OwnEntities> registrar;
  telemetry::Metrics metrics;
  std::unique_ptr<http::Server> http;
};

Result<std::unique_ptr<Node>> Node::start(Config config, Roles roles, telemetry::Log& log) {
  std::unique_ptr<Node> node(new Node(std::make_unique<Impl>(std::move(config), roles, log)));
  if (auto started = node->impl_->start(); !started) {
    node->impl_->stop();
    return fail(std::move(started).error());
  }
  return node;
}

Node::Node(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Node::~Node() = default;
void Node::stop() {
  impl_->stop();
}

Node::Addresses Node::addresses() const {
  Addresses out;
  out.socket = impl_->config.agent.socket;
  out.metrics = impl_->http ? impl_->http->address() : "";
  out.agent_key = impl_->agent_key->public_key();
  out.ledger_key = impl_->config.ledger.key;
  if (impl_->router) {
    out.router = impl_->router->address();
    out.router_key = impl_->router->key();
  }
  if (impl_->server) out.ledger = impl_->server->address();
  return out;
}

}  // namespace bw::node
