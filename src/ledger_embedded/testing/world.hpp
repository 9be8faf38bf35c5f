// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ledger/testing/objects.hpp"
#include "ledger_embedded/client.hpp"
#include "ledger_embedded/server.hpp"
#include "net/loopback_testing.hpp"
#include "store/testing/authority_probe.hpp"

// An embedded ledger and its followers on one event loop, over real sockets and files.
namespace bw::ledger_embedded::testing {

namespace lt = ledger::testing;

class ManualClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override { return now_; }
  void advance(Duration by) { now_ = now_.load() + by; }

 private:
  std::atomic<Time> now_ = lt::kNow;
};

// The least that a follower can be: keeps what it hears.
class StoreSink final : public ledger::EntrySink {
 public:
  explicit StoreSink(store::AuthorityStore& store) : store_(&store) {}
  void use(store::AuthorityStore& store) { store_ = &store; }

  [[nodiscard]] std::uint64_t size() const override { return store_->log().size(); }
  Result<void> append(const std::vector<Bytes>& entries) override {
    ++appends;
    std::vector<wave::Object> objects;
    for (const Bytes& entry : entries) {
      BW_TRY(auto object, wave::parse_object(entry));
      objects.push_back(std::move(object));
    }
    BW_TRY(const auto effects, store_->append(objects));
    return {};
  }
  void heard(Time at) override {
    heard_at = at;
    ++heard_times;
  }

  std::size_t appends = 0;
  std::size_t heard_times = 0;
  Time heard_at;

 private:
  store::AuthorityStore* store_;
};

inline std::vector<Bytes> entries_of(const store::AuthorityStore& store) {
  auto read = store.log().read(0, 1'000'000, std::size_t{1} << 30U);
  return read ? *std::move(read) : std::vector<Bytes>{};
}

// A ledger in a directory of its own; stop() before it goes.
struct ServerNode {
  ServerNode(net::testing::Loop& turned, const Clock& clock, ServerOptions options = {},
             std::string_view key_name = "ledger")
      : loop(turned), store(store::testing::opened_store(directory.path())) {
    options.listen = "127.0.0.1:0";
    server = std::make_unique<Server>(loop.context, *store, lt::key(key_name), clock, options,
                                      [this](const ledger::Effects&) { ++news; });
    const auto started = server->start();
    EXPECT_TRUE(started.has_value()) << started.error().message;
  }
  ~ServerNode() { stop(); }
  void stop() {
    if (server) loop.run(server->stop());
    server.reset();
  }
  // As a submission of the ledger's own process.
  Result<std::vector<ledger::Submitted>> put(const std::vector<wave::Object>& objects) {
    std::optional<Result<std::vector<ledger::Submitted>>> answer;
    server->submit(lt::all_bytes(objects), [&](auto outcomes) { answer = std::move(outcomes); });
    if (!loop.turn_until([&] { return answer.has_value(); })) {
      return fail(ErrorCode::kInternal, "no answer");
    }
    return *answer;
  }

  net::testing::Loop& loop;
  store::testing::TempDirectory directory;
  std::unique_ptr<store::AuthorityStore> store;
  std::unique_ptr<Server> server;
  int news = 0;
};

// A follower in a directory of its own that can be stopped and started again.
struct FollowerNode {
  FollowerNode(net::testing::Loop& turned, const Clock& wall_clock)
      : loop(turned), clock(wall_clock), store(store::testing::opened_store(directory / "store")) {}
  ~FollowerNode() { stop(); }

  Result<void> start(const std::string& address, std::string_view key_name = "ledger") {
    client = std::make_unique<Client>(loop.context, sink, store->log(), clock, log,
                                      ClientOptions{.address = address,
                                                    .key = lt::id(key_name),
                                                    .heads = heads(),
                                                    .retry_first = 1ms,
                                                    .retry_most = 20ms});
    return client->start();
  }
  void stop() {
    if (client) loop.run(client->stop());
    client.reset();
  }
  // Loses the entries, but not the head; while stopped.
  void lose_entries() {
    store.reset();
    std::filesystem::remove_all(directory / "store");
    store = store::testing::opened_store(directory / "store");
    sink.use(*store);
  }
  [[nodiscard]] std::filesystem::path heads() const { return directory / "heads"; }
  [[nodiscard]] std::filesystem::path evidence() const { return directory / "heads.fork"; }
  [[nodiscard]] bool has(std::uint64_t entries) {
    return loop.turn_until([&] { return sink.size() >= entries; });
  }
  [[nodiscard]] bool troubled(ErrorCode code) {
    return loop.turn_until([&] {
      const auto trouble = client->status().trouble;
      return trouble && trouble->code == code;
    });
  }

  net::testing::Loop& loop;
  const Clock& clock;
  store::testing::TempDirectory directory;
  std::unique_ptr<store::AuthorityStore> store;
  StoreSink sink{*store};
  telemetry::Log log{{.level = telemetry::Level::kError, .limited_per_second = 0.001}};
  std::unique_ptr<Client> client;
};

}  // namespace bw::ledger_embedded::testing
