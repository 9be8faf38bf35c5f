// SPDX-License-Identifier: Apache-2.0
#include "programs/embedded_agent.hpp"

#include <stdexcept>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include "net/thread_priority.hpp"

namespace bw::bench {
namespace {

constexpr auto kPatience = std::chrono::seconds(20);

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

}  // namespace

EmbeddedAgents::EmbeddedAgents(AgentOptions options)
    : options_(std::move(options)), log_({.level = telemetry::Level::kWarning}) {}

void EmbeddedAgents::start() {
  follow_ledger();
  const auto keys = must(agent::Keystore::open(options_.keystore));
  for (const std::string& name : options_.names) add(must(keys->find(name)));
  net::set_thread_priority(net::ThreadPriority::kPrompt);  // as a node's thread does
}

void EmbeddedAgents::follow_ledger() {
  std::filesystem::create_directories(options_.directory);
  store_ = must(store::AuthorityStore::open(options_.directory / "authority"));
  replica_ = std::make_unique<replica::Replica>(*store_, clock_, false);
  const EntityKey key = must(EntityKey::parse(options_.ledger_key));
  ledger_ = std::make_unique<ledger_embedded::Client>(
      ledger_thread_.context(), *replica_, store_->log(), clock_, log_,
      ledger_embedded::ClientOptions{
          .address = options_.ledger, .key = key, .heads = options_.directory / "heads"});
  must(ledger_->start());
  ledger_thread_.start();
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (replica_->size() < options_.entries || !ledger_->status().connected) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (std::chrono::steady_clock::now() > give_up) throw std::runtime_error("no ledger");
  }
}

void EmbeddedAgents::add(const agent::KeyPtr& key) {
  agent::HeadExchange heads{[this] { return ledger_->latest_head(); },
                            [this](ByteView head) { return ledger_->compare(head); }};
  auto made =
      std::make_unique<agent::Agent>(context_, *replica_, key, clock_, log_, std::move(heads));
  made->start();
  agents_.push_back({key, std::move(made)});
}

EmbeddedAgents::~EmbeddedAgents() {
  context_.restart();
  auto stopped = net::asio::co_spawn(context_, stop(), net::asio::use_future);
  while (stopped.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    context_.run_one_for(std::chrono::milliseconds(10));
  }
  if (ledger_) ledger_thread_.run(ledger_->stop());
  ledger_thread_.join();
}

net::Task<void> EmbeddedAgents::stop() {
  for (const Held& held : agents_) co_await held.agent->stop();
}

EntityKey EmbeddedAgents::resolve(const std::string& name) const {
  return must(replica_->resolve(name));
}

}  // namespace bw::bench
