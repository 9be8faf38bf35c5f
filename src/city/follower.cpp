// SPDX-License-Identifier: Apache-2.0
#include "city/follower.hpp"

#include <algorithm>
#include <future>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

namespace bw::city {
namespace {

constexpr Duration kPatience = 60s;
constexpr Duration kLook = 20ms;

}  // namespace

Result<std::unique_ptr<Follower>> Follower::start(const std::filesystem::path& directory,
                                                  const Door& door) {
  std::error_code ignored;
  std::filesystem::create_directories(directory, ignored);
  BW_TRY(auto store, store::AuthorityStore::open(directory / "authority"));
  std::unique_ptr<Follower> out(new Follower(std::move(store), directory, door));
  BW_CHECK(out->client_.start());
  out->thread_ = std::jthread([follower = out.get()] { follower->io_.run(); });
  return out;
}

Follower::Follower(std::unique_ptr<store::AuthorityStore> store,
                   const std::filesystem::path& directory, const Door& door)
    : log_({.level = telemetry::Level::kError}),
      store_(std::move(store)),
      replica_(*store_, clock_, false),
      client_(io_, replica_, store_->log(), clock_, log_,
              {.address = door.address, .key = door.key, .heads = directory / "heads"}) {
  listener_ = replica_.listen([this](const ledger::Effects&) {
    const std::scoped_lock lock(mutex_);
    applied_.notify_all();
  });
}

Follower::~Follower() {
  if (thread_.joinable()) {
    net::asio::co_spawn(io_, client_.stop(), net::asio::use_future).get();
  }
  work_.reset();
  if (thread_.joinable()) thread_.join();
  replica_.forget(listener_);
}

Result<void> Follower::catch_up(const OnProgress& on_progress) {
  std::uint64_t held = replica_.size();
  auto moved_at = std::chrono::steady_clock::now();
  while (true) {
    const ledger::Status status = client_.status();
    if (status.connected && status.head > 0) {
      if (on_progress) on_progress(status.size, status.head);
      if (status.size >= status.head) return {};
    }
    if (status.size > held) {
      held = status.size;
      moved_at = std::chrono::steady_clock::now();
    }
    if (std::chrono::steady_clock::now() - moved_at > kPatience) {
      if (status.trouble) return fail(*status.trouble);
      return fail(ErrorCode::kUnavailable,
                  "the ledger at {} gave nothing new for {}; see that it runs", status.where,
                  to_text(kPatience));
    }
    std::this_thread::sleep_for(kLook);
  }
}

Result<void> Follower::put(const std::vector<Bytes>& objects) {
  std::uint64_t needed = 0;
  for (std::size_t i = 0; i < objects.size();) {
    std::vector<Bytes> some;
    std::size_t bytes = 0;
    while (i < objects.size() && some.size() < limits::kLedgerBatchEntries &&
           bytes + objects[i].size() <= limits::kSubmissionBytes) {
      bytes += objects[i].size();
      some.push_back(objects[i++]);
    }
    BW_TRY(const std::uint64_t end, submit(std::move(some)));
    needed = std::max(needed, end);
  }
  return await_size(needed);
}

// The size of the ledger that holds them.
Result<std::uint64_t> Follower::submit(std::vector<Bytes> objects) {
  const auto answer = std::make_shared<std::promise<Result<std::vector<ledger::Submitted>>>>();
  auto answered = answer->get_future();
  client_.submit(std::move(objects),
                 [answer](auto outcome) { answer->set_value(std::move(outcome)); });
  BW_TRY(const auto outcomes, answered.get());
  std::uint64_t end = 0;
  for (const ledger::Submitted& outcome : outcomes) {
    if (outcome.index) {
      end = std::max(end, *outcome.index + 1);
    } else if (outcome.refusal.code != ErrorCode::kConflict) {
      return fail(outcome.refusal);
    }
  }
  return end;
}

Result<void> Follower::await_size(std::uint64_t size) {
  std::unique_lock lock(mutex_);
  if (applied_.wait_for(lock, kPatience, [&] { return replica_.size() >= size; })) return {};
  return fail(ErrorCode::kUnavailable,
              "the ledger took entry {} and did not show it within {}; see that it runs", size - 1,
              to_text(kPatience));
}

}  // namespace bw::city
