// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/ethereum.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include <boost/asio/post.hpp>

#include "evm/address.hpp"
#include "ledger_ethereum/fee_policy.hpp"
#include "ledger_ethereum/follower.hpp"
#include "ledger_ethereum/head_news.hpp"
#include "ledger_ethereum/submitter.hpp"

namespace bw::ledger_ethereum {
namespace {

constexpr Duration kPoll = 1s;
constexpr Duration kRetryFirst = 1s;
constexpr Duration kRetryMost = 30s;
// Without a block for so long, chains count as halted.
constexpr Duration kHaltedAfter = 120s;
// How long a refusal waits for what it is about to be followed.
constexpr Duration kFollowPatience = 20s;
constexpr Duration kFollowTick = 50ms;
constexpr double kWeiInCoin = 1e18;

Error shutting_down() {
  return {ErrorCode::kUnavailable, "this node is shutting down"};
}

// What evidence is made from.
class KnownInStore final : public KnownObjects {
 public:
  explicit KnownInStore(const store::AuthorityStore& store) : store_(store) {}

  bool holds(const ObjectId& id) override {
    const auto held = store_.object(id);
    return held && *held;
  }
  std::optional<Bytes> dot(const ObjectId& id) override {
    const auto record = store_.dot_record(id);
    if (!record || !*record) return std::nullopt;
    return (*record)->object.bytes;
  }
  std::optional<Bytes> entity(const EntityKey& key) override {
    const auto record = store_.entity_record(key);
    if (!record || !*record) return std::nullopt;
    return (*record)->object.bytes;
  }

 private:
  const store::AuthorityStore& store_;
};

// Answered once, at the latest when it goes.
class Unanswered {
 public:
  Unanswered(Result<std::vector<ledger::Submitted>> outcomes, ledger::Ledger::SubmitDone done)
      : outcomes_(std::move(outcomes)), done_(std::move(done)) {}
  ~Unanswered() { answer(); }
  Unanswered(const Unanswered&) = delete;
  Unanswered& operator=(const Unanswered&) = delete;

  void answer() {
    if (auto done = std::exchange(done_, nullptr)) done(std::move(outcomes_));
  }

 private:
  Result<std::vector<ledger::Submitted>> outcomes_;
  ledger::Ledger::SubmitDone done_;
};

ledger::ChainStatus::Endpoint shown(const EndpointStatus& endpoint) {
  return {.name = endpoint.name,
          .answers = endpoint.answers,
          .avoided = endpoint.avoided,
          .head = endpoint.head,
          .trouble = endpoint.trouble ? endpoint.trouble->message : "",
          .lie = endpoint.lie ? endpoint.lie->message : "",
          .disagrees = endpoint.disagrees.value_or("")};
}

}  // namespace

struct Ethereum::Impl : std::enable_shared_from_this<Ethereum::Impl> {
  Impl(net::asio::io_context& io, ledger::RewindableSink& entries,
       const store::AuthorityStore& store, const Clock& wall_clock, telemetry::Log& logger,
       std::vector<std::unique_ptr<Endpoint>> servers, EthereumOptions chosen)
      : context(io),
        clock(wall_clock),
        log(logger),
        network(chosen.network),
        confirmations(chosen.confirmations),
        finality(chosen.finalized ? "when the chain calls their block final"
                                  : fmt::format("under {} blocks", chosen.confirmations)),
        known(store),
        endpoints(std::move(servers), logger, wall_clock),
        heads(endpoints, wall_clock, chosen.trust),
        follower(endpoints, heads, entries, wall_clock, logger,
                 {.registry = network.registry,
                  .registry_code = network.code.registry,
                  .deployment_block = network.deployment_block,
                  .confirmations = chosen.confirmations,
                  .finalized = chosen.finalized,
                  .marks = chosen.marks,
                  .poll = kPoll}),
        tasks(io.get_executor()) {
    for (const std::string& url : chosen.endpoints) {
      if (url.starts_with("ws")) news_servers.push_back({.url = url});
    }
    if (!chosen.funding) return;
    SubmitterOptions submitting;
    submitting.registry = network.registry;
    submitting.chain_id = network.chain_id;
    // Those above the block that the call is in, and that block.
    submitting.confirmations = chosen.confirmations + 1;
    submitting.max_fee = chosen.max_fee;
    submitting.poll = kPoll;
    submitter.emplace(endpoints, known, *std::move(chosen.funding), wall_clock, logger, submitting);
  }

  net::Task<void> run() {
    net::Backoff backoff(kRetryFirst, kRetryMost, crypto::system_random().u64());
    while (true) {
      auto good = co_await check_network(endpoints, heads, network);
      set_trouble(good ? std::nullopt : std::optional(good.error()));
      if (good) break;
      log.limited(telemetry::Level::kWarning, "ledger", good.error().message);
      if (!co_await net::sleep_for(backoff.next())) co_return;
    }
    if (submitter) tasks.spawn(submitter->run());
    for (const http::WebSocketOptions& server : news_servers) {
      tasks.spawn(tell_head_news({.server = server}, log, [this] { wake(); }));
    }
    co_await follower.run();
  }

  void wake() {
    follower.wake();
    if (submitter) submitter->wake();
  }

  void set_trouble(std::optional<Error> why) {
    const std::scoped_lock lock(mutex);
    unchecked = std::move(why);
  }

  void submit(std::vector<Bytes> objects, SubmitDone done) {
    if (stopping) return done(fail(shutting_down()));
    if (objects.empty()) return done({});
    if (auto good = ledger::check_submission(objects); !good) {
      return done(fail(std::move(good).error()));
    }
    if (!submitter) {
      return done(fail(ErrorCode::kUnavailable,
                       "nobody pays for entries here: make a key with 'bw ledger fund', send money "
                       "to its account and set ethereum.funding_key"));
    }
    submitter->submit(std::move(objects), [this, done = std::move(done)](auto outcomes) mutable {
      answer(std::move(outcomes), std::move(done));
    });
  }

  // What conflicts with an entry is told once this node holds that entry, so that whoever asks can
  // look it up.
  void answer(Result<std::vector<ledger::Submitted>> outcomes, SubmitDone done) {
    const bool conflicts =
        outcomes && std::ranges::any_of(*outcomes, [](const ledger::Submitted& one) {
          return !one.index && one.refusal.code == ErrorCode::kConflict;
        });
    if (!conflicts || stopping) return done(std::move(outcomes));
    const std::uint64_t head = submitter->status().head;
    const std::uint64_t settled = head - std::min(head, confirmations);
    const auto waiting = std::make_shared<Unanswered>(std::move(outcomes), std::move(done));
    tasks.spawn(answer_when_followed(settled, waiting));
  }
  net::Task<void> answer_when_followed(std::uint64_t block, std::shared_ptr<Unanswered> waiting) {
    for (Duration waited{}; waited < kFollowPatience; waited += kFollowTick) {
      if (follower.status().confirmed_block >= block) break;
      if (!co_await net::sleep_for(kFollowTick)) break;
    }
    waiting->answer();
  }

  net::asio::io_context& context;
  const Clock& clock;
  telemetry::Log& log;
  const Network network;
  const std::uint64_t confirmations;
  const std::string finality;
  KnownInStore known;
  Endpoints endpoints;
  HeadSource heads;
  Follower follower;
  std::optional<Submitter> submitter;
  std::vector<http::WebSocketOptions> news_servers;
  bool stopping = false;
  net::TaskGroup tasks;

  mutable std::mutex mutex;  // guards what follows
  std::optional<Error> unchecked{
      {ErrorCode::kUnavailable, "the chain's endpoints have not answered yet"}};
};

Result<std::unique_ptr<Ethereum>> Ethereum::make(net::asio::io_context& context,
                                                 ledger::RewindableSink& sink,
                                                 const store::AuthorityStore& store,
                                                 const Clock& clock, telemetry::Log& log,
                                                 EthereumOptions options) {
  std::vector<std::unique_ptr<Endpoint>> endpoints;
  for (const std::string& url : options.endpoints) {
    BW_TRY(auto rpc, make_rpc({.url = url}));
    endpoints.push_back(std::make_unique<Endpoint>(std::move(rpc)));
  }
  return std::unique_ptr<Ethereum>(new Ethereum(std::make_shared<Impl>(
      context, sink, store, clock, log, std::move(endpoints), std::move(options))));
}

Ethereum::Ethereum(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Ethereum::~Ethereum() = default;

net::Task<Result<void>> Ethereum::check() {
  co_return co_await check_network(impl_->endpoints, impl_->heads, impl_->network);
}

void Ethereum::start() {
  impl_->tasks.spawn(impl_->run());
}

net::Task<void> Ethereum::stop() {
  impl_->stopping = true;
  co_await impl_->tasks.join();
}

void Ethereum::submit(std::vector<Bytes> objects, SubmitDone done) {
  net::asio::post(impl_->context, [weak = std::weak_ptr(impl_), objects = std::move(objects),
                                   done = std::move(done)]() mutable {
    const auto impl = weak.lock();
    if (!impl) return done(fail(shutting_down()));
    impl->submit(std::move(objects), std::move(done));
  });
}

ledger::Status Ethereum::status() const {
  const FollowerStatus follower = impl_->follower.status();
  ledger::Status status;
  status.kind = "ethereum";
  status.where =
      fmt::format("{} on chain {}", evm::to_text(impl_->network.registry), impl_->network.chain_id);
  status.size = follower.size;
  status.head = std::max(follower.size, follower.head);
  status.root = follower.root;
  status.heard_at = follower.heard_at;
  status.trouble = follower.trouble;
  ledger::ChainStatus& chain = status.chain.emplace();
  chain.chain_id = impl_->network.chain_id;
  chain.block = follower.latest_block;
  chain.confirmed_block = follower.confirmed_block;
  chain.finality = impl_->finality;
  for (const EndpointStatus& endpoint : impl_->endpoints.status()) {
    chain.endpoints.push_back(shown(endpoint));
  }
  if (impl_->submitter) {
    const SubmitterStatus submitter = impl_->submitter->status();
    chain.account = evm::to_text(submitter.account);
    chain.balance = in_coins(submitter.balance);
    chain.coins = static_cast<double>(submitter.balance) / kWeiInCoin;
    chain.waiting = submitter.waiting_entries;
    if (!status.trouble) status.trouble = submitter.trouble;
  }
  if (!status.trouble && follower.heard_at != Time{} && follower.lag > kHaltedAfter) {
    status.trouble = Error{ErrorCode::kStale,
                           fmt::format("chain: no block after {} for {}; or is a clock wrong?",
                                       follower.latest_block, to_text(follower.lag))};
  }
  const std::scoped_lock lock(impl_->mutex);
  if (impl_->unchecked) status.trouble = impl_->unchecked;
  status.connected = !follower.trouble && !impl_->unchecked && follower.heard_at != Time{};
  return status;
}

}  // namespace bw::ledger_ethereum
