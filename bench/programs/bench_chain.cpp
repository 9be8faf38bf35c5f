// SPDX-License-Identifier: Apache-2.0
// Puts grants by many granters on a ledger through the API of a node; bench/chain.py drives it.
//   bench_chain rate    many at a time, as fast as the node takes them
//   bench_chain effect  a few at even distances, and watches until other nodes act on them
// Both register the granters and sign everything first, say "ready", begin with a line of standard
// input, and print what they saw as one JSON object.
#include <algorithm>
#include <atomic>
#include <exception>
#include <iostream>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/ranges.h>

#include "client/client.hpp"
#include "programs/load.hpp"
#include "wave/object.hpp"

namespace bw::bench {
namespace {

namespace api = client::api;

constexpr double kNanosInMilli = 1e6;
constexpr double kNanosInSecond = 1e9;
// How exactly it is known when a node acts.
constexpr std::chrono::milliseconds kLook{5};
constexpr Nanos kPatience = 60'000'000'000;

struct ChainOptions {
  std::string agent;               // "unix:/path/agent.sock" of the node that pays
  std::vector<std::string> watch;  // of nodes that follow
  std::size_t granters = 64;
  std::size_t entries = 0;
  std::size_t batch = 0;     // entries in one submission
  std::size_t at_once = 64;  // submissions that are not answered yet
  double every = 0;          // seconds from one submission to the next
};

std::unique_ptr<client::Client> connect(const std::string& target) {
  auto made = client::Client::connect({target, ""}, 10s);
  if (!made) throw std::runtime_error(made.error().message);
  return *std::move(made);
}

// How many entries the ledger had behind the last of these.
std::uint64_t submit(client::Client& to, const api::SubmitRequest& request) {
  const auto reply = to.submit(request);
  if (!reply) throw std::runtime_error(reply.error().message);
  std::uint64_t size = 0;
  for (const api::SubmitOutcome& outcome : reply->outcomes()) {
    if (!outcome.accepted()) throw std::runtime_error(outcome.message());
    size = std::max<std::uint64_t>(size, outcome.position() + 1);
  }
  return size;
}

// Grants on patterns of 30 characters, by the granters in turn, each in his own namespace.
class Grants {
 public:
  Grants(client::Client& to, const ChainOptions& options) {
    api::SubmitRequest entities;
    for (std::size_t i = 0; i < options.granters; ++i) {
      granters_.push_back(crypto::SigningKey::generate(crypto::system_random()));
      const EntityKey& key = granters_.back().public_key();
      add(entities, wave::sign(wave::Entity{.key = key,
                                            .created = now_,
                                            .expires = kNever,
                                            .revokers = {},
                                            .contact = {},
                                            .comment = {}},
                               granters_.back()));
    }
    submit(to, entities);
    for (std::size_t made = 0; made < options.entries;) {
      api::SubmitRequest& batch = batches_.emplace_back();
      for (std::size_t i = 0; i < options.batch && made < options.entries; ++i)
        grant(batch, made++);
    }
  }

  [[nodiscard]] const std::vector<api::SubmitRequest>& batches() const { return batches_; }

 private:
  template <class T>
  static void add(api::SubmitRequest& to, const Result<wave::Signed<T>>& object) {
    to.add_objects(std::string(as_text(object.value().bytes)));
  }

  void grant(api::SubmitRequest& to, std::size_t number) {
    const crypto::SigningKey& granter = granters_[number % granters_.size()];
    const std::string pattern = fmt::format("building/f{:06}/room/sensor/+", number);
    add(to, wave::sign(wave::Dot{.granter = granter.public_key(),
                                 .grantee = granters_[(number + 1) % granters_.size()].public_key(),
                                 .ns = granter.public_key(),
                                 .permissions = wave::Permissions::of(wave::Permissions::kConsume),
                                 .created = now_,
                                 .not_before = now_,
                                 .expires = kNever,
                                 .revokers = {},
                                 .pattern = wave::Pattern::parse(pattern).value(),
                                 .comment = {},
                                 .conditions = {}},
                       granter));
  }

  const Time now_ = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  std::vector<crypto::SigningKey> granters_;
  std::vector<api::SubmitRequest> batches_;
};

void wait_for_start() {
  std::cout << "ready" << std::endl;
  std::string line;
  if (!std::getline(std::cin, line)) throw std::runtime_error("nobody said when to begin");
}

// Runs them in threads; the first exception in any is thrown here.
void at_once(std::size_t count, const std::function<void(std::size_t)>& action) {
  std::mutex mutex;
  std::exception_ptr failed;
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < count; ++i) {
      threads.emplace_back([&, i] {
        try {
          action(i);
        } catch (...) {
          const std::scoped_lock lock(mutex);
          if (!failed) failed = std::current_exception();
        }
      });
    }
  }
  if (failed) std::rethrow_exception(failed);
}

void rate(const ChainOptions& options) {
  const auto to = connect(options.agent);
  const Grants grants(*to, options);
  wait_for_start();
  std::atomic<std::size_t> next = 0;
  const Nanos began = now_ns();
  at_once(options.at_once, [&](std::size_t) {
    for (std::size_t i = next++; i < grants.batches().size(); i = next++) {
      submit(*to, grants.batches()[i]);
    }
  });
  const double seconds = static_cast<double>(now_ns() - began) / kNanosInSecond;
  std::cout << fmt::format(R"({{"entries":{},"seconds":{:.3f}}})", options.entries, seconds)
            << std::endl;
}

// What a node that follows holds, and since when.
class Watcher {
 public:
  explicit Watcher(const std::string& target)
      : node_(connect(target)), thread_([this](const std::stop_token& stop) { watch(stop); }) {}

  // When it held so many entries.
  [[nodiscard]] Nanos held_at(std::uint64_t size) {
    for (const Nanos end = now_ns() + kPatience; now_ns() < end;
         std::this_thread::sleep_for(kLook)) {
      const std::scoped_lock lock(mutex_);
      const auto found = std::ranges::lower_bound(seen_, size, {}, &Seen::size);
      if (found != seen_.end()) return found->at;
    }
    throw std::runtime_error(fmt::format("a node does not get to {} entries", size));
  }

 private:
  struct Seen {
    std::uint64_t size;
    Nanos at;
  };

  void watch(const std::stop_token& stop) {
    for (; !stop.stop_requested(); std::this_thread::sleep_for(kLook)) {
      const auto status = node_->ledger_status();
      if (!status) continue;
      const std::scoped_lock lock(mutex_);
      if (seen_.empty() || status->size() > seen_.back().size) {
        seen_.push_back({status->size(), now_ns()});
      }
    }
  }

  std::unique_ptr<client::Client> node_;
  std::mutex mutex_;
  std::vector<Seen> seen_;
  std::jthread thread_;
};

void effect(const ChainOptions& options) {
  const auto to = connect(options.agent);
  const Grants grants(*to, options);
  std::vector<std::unique_ptr<Watcher>> watchers;
  for (const std::string& target : options.watch) {
    watchers.push_back(std::make_unique<Watcher>(target));
  }
  wait_for_start();
  const std::size_t count = grants.batches().size();
  std::vector<double> answered(count);
  std::vector<double> effective(count);
  const auto began = std::chrono::steady_clock::now();
  at_once(count, [&](std::size_t i) {
    std::this_thread::sleep_until(
        began + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                    std::chrono::duration<double>(options.every * static_cast<double>(i))));
    const Nanos sent = now_ns();
    const std::uint64_t size = submit(*to, grants.batches()[i]);
    answered[i] = static_cast<double>(now_ns() - sent) / kNanosInMilli;
    for (const auto& watcher : watchers) {
      const double took = static_cast<double>(watcher->held_at(size) - sent) / kNanosInMilli;
      effective[i] = std::max(effective[i], took);
    }
  });
  std::cout << fmt::format(R"({{"answered_ms":[{:.1f}],"effect_ms":[{:.1f}]}})",
                           fmt::join(answered, ","), fmt::join(effective, ","))
            << std::endl;
}

}  // namespace
}  // namespace bw::bench

int main(int argc, char** argv) try {
  using namespace bw::bench;
  ChainOptions options;
  CLI::App app("Puts grants on a ledger through the API of a node");
  app.require_subcommand(1);
  app.fallthrough();
  const auto* rate_verb = app.add_subcommand("rate");
  app.add_subcommand("effect");
  app.add_option("--agent", options.agent)->required();
  app.add_option("--watch", options.watch);
  app.add_option("--granters", options.granters);
  app.add_option("--entries", options.entries)->required();
  app.add_option("--batch", options.batch)->required();
  app.add_option("--at-once", options.at_once);
  app.add_option("--every", options.every);
  CLI11_PARSE(app, argc, argv);
  rate_verb->parsed() ? rate(options) : effect(options);
  return 0;
} catch (const std::exception& error) {
  std::cerr << "bench_chain: " << error.what() << std::endl;
  return 1;
}
