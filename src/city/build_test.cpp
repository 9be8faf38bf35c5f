// SPDX-License-Identifier: Apache-2.0
#include "city/build.hpp"

#include <future>
#include <map>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include "city/progress_file.hpp"
#include "ledger_embedded/server.hpp"
#include "store/testing/temp_directory.hpp"

namespace bw::city {
namespace {

constexpr double kScale = 0.0005;

class SystemClock final : public Clock {
 public:
  Time now() const override {
    return std::chrono::floor<Duration>(std::chrono::system_clock::now());
  }
};

// A ledger in this process, on its own thread, behind its public door.
class Ledger {
 public:
  explicit Ledger(double entries_per_second = 0, double burst = 1) {
    auto opened = store::AuthorityStore::open(directory_.path());
    EXPECT_TRUE(opened.has_value());
    store_ = *std::move(opened);
    ledger_embedded::ServerOptions options;
    options.listen = "127.0.0.1:0";
    options.entries_per_second = entries_per_second;
    options.burst = burst;
    server_ = std::make_unique<ledger_embedded::Server>(io_, *store_, key_, clock_, options,
                                                        [](const ledger::Effects&) {});
    EXPECT_TRUE(server_->start().has_value());
    thread_ = std::jthread([this] { io_.run(); });
  }
  ~Ledger() {
    net::asio::co_spawn(io_, server_->stop(), net::asio::use_future).get();
    work_.reset();
    thread_.join();
  }

  [[nodiscard]] Door door() const { return {server_->address(), key_.public_key()}; }
  [[nodiscard]] const store::AuthorityStore& store() const { return *store_; }
  [[nodiscard]] Hash root() const {
    return crypto::root_at(store_->log(), store_->log().size()).value_or(Hash{});
  }

 private:
  store::testing::TempDirectory directory_;
  SystemClock clock_;
  crypto::SigningKey key_ = key_of(0, {Kind::kUtility, 0});
  net::asio::io_context io_{1};
  net::asio::executor_work_guard<net::asio::io_context::executor_type> work_{io_.get_executor()};
  std::unique_ptr<store::AuthorityStore> store_;
  std::unique_ptr<ledger_embedded::Server> server_;
  std::jthread thread_;
};

class Building : public ::testing::Test {
 protected:
  Result<Built> build_on(const Ledger& ledger, std::size_t threads = 3) {
    return build(plan, model, {ledger.door(), directory.path() / "progress", threads, {}});
  }

  Model model = *Model::draw(11, kScale);
  Plan plan{model};
  store::testing::TempDirectory directory;
};

TEST_F(Building, PutsEveryEntityAndDot) {
  const Ledger ledger;
  const auto built = build_on(ledger);
  ASSERT_TRUE(built.has_value()) << built.error().message;
  EXPECT_EQ(plan.objects(), model.counts().all_entities() + model.counts().all_dots());
  EXPECT_EQ(built->objects, plan.objects());
  EXPECT_EQ(built->repeated, 0U);
  EXPECT_EQ(ledger.store().log().size(), plan.objects());
  const auto counts = ledger.store().counts();
  EXPECT_EQ(counts.entities, model.counts().all_entities());
  EXPECT_EQ(counts.dots, model.counts().all_dots());
  // Nothing is left to do.
  const auto again = build_on(ledger);
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_EQ(again->resumed, plan.objects());
  EXPECT_EQ(ledger.store().log().size(), plan.objects());
}

TEST_F(Building, IsTheSameWhateverTheThreads) {
  const Ledger one;
  const Ledger other;
  ASSERT_TRUE(build_on(one, 1).has_value());
  std::filesystem::remove(directory.path() / "progress");
  ASSERT_TRUE(build_on(other, 4).has_value());
  EXPECT_EQ(one.root(), other.root());
}

// As after a kill: the ledger has more than the progress file tells.
TEST_F(Building, ContinuesAfterAKillToTheSameRoot) {
  const Ledger whole;
  ASSERT_TRUE(build_on(whole).has_value());
  std::filesystem::remove(directory.path() / "progress");

  const Ledger ledger;
  ASSERT_TRUE(build_on(ledger).has_value());
  for (const std::uint64_t told : {std::uint64_t{0}, plan.objects() / 3, plan.objects() - 1}) {
    const ProgressFile file(directory.path() / "progress",
                            fmt::format("seed {} scale {} ledger {} objects", model.seed(),
                                        model.scale(), ledger.door().key.text()));
    ASSERT_TRUE(file.save(told).has_value());
    const auto resumed = build_on(ledger);
    ASSERT_TRUE(resumed.has_value()) << resumed.error().message;
    EXPECT_EQ(resumed->resumed, told);
    EXPECT_EQ(resumed->repeated, plan.objects() - told);
    EXPECT_EQ(ledger.root(), whole.root());
  }
}

TEST_F(Building, SendsAgainWhatTheLedgerLimits) {
  const Ledger ledger(8'000, 1'500);
  const auto built = build_on(ledger);
  ASSERT_TRUE(built.has_value()) << built.error().message;
  EXPECT_EQ(ledger.store().counts().entities, model.counts().all_entities());
  EXPECT_EQ(ledger.store().counts().dots, model.counts().all_dots());
}

TEST_F(Building, RefusesToMixCities) {
  const Ledger ledger;
  ASSERT_TRUE(build_on(ledger).has_value());
  const Model other = *Model::draw(12, kScale);
  const auto mixed =
      build(Plan(other), other, {ledger.door(), directory.path() / "progress", 1, {}});
  ASSERT_FALSE(mixed.has_value());
  EXPECT_EQ(mixed.error().code, ErrorCode::kConflict);
}

TEST_F(Building, SaysThatTheLedgerIsNotThere) {
  const auto nothing = build(
      plan, model,
      {{"127.0.0.1:1", key_of(0, {Kind::kMeter, 0}).public_key()}, directory.path() / "p", 1, {}});
  ASSERT_FALSE(nothing.has_value());
  EXPECT_EQ(nothing.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace bw::city
