// SPDX-License-Identifier: Apache-2.0
#include "city/follower.hpp"

#include <algorithm>
#include <future>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

namespace bw::city {
namespace {

constexpr Duration kPatience = 60s;
constexpr Duration kQuiet = 5s;  // a ledger with more to tell does not pause for so long
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

// The heads that a ledger shows on the way are those of the next few entries, not of all.
Result<void> Follower::catch_up(ByteView object, std::uint64_t of, const OnProgress& on_progress) {
  std::uint64_t held = 0;
  auto moved_at = std::chrono::steady_clock::now();
  while (true) {
    BW_TRY(const bool there, acts_on(object));
    if (there) return {};
    const ledger::Status status = client_.status();
    if (status.trouble && status.trouble->code == ErrorCode::kFork) return fail(*status.trouble);
    const auto now = std::chrono::steady_clock::now();
    if (status.size > held) {
      held = status.size;
      moved_at = now;
    }
    if (on_progress) on_progress(held, std::max(of, held));
    if (status.connected && now - moved_at > kQuiet) {
      return fail(ErrorCode::kNotFound, "not among the {} entries of the ledger at {}", held,
                  status.where);
    }
    if (now - moved_at > kPatience) {
      return fail(ErrorCode::kUnavailable, "the ledger at {} gave nothing for {}; see that it runs",
                  status.where, to_text(kPatience));
    }
    std::this_thread::sleep_for(kLook);
  }
}

Result<void> Follower::put(const std::vector<Bytes>& objects) {
  for (std::size_t i = 0; i < objects.size();) {
    std::vector<Bytes> some;
    std::size_t bytes = 0;
    while (i < objects.size() && some.size() < limits::kLedgerBatchEntries &&
           bytes + objects[i].size() <= limits::kSubmissionBytes) {
      bytes += objects[i].size();
      some.push_back(objects[i++]);
    }
    BW_CHECK(submit(std::move(some)));
  }
  // The ledger keeps the order, so the last shows them all.
  return objects.empty() ? Result<void>{} : await(objects.back());
}

Result<void> Follower::submit(std::vector<Bytes> objects) {
  const auto answer = std::make_shared<std::promise<Result<std::vector<ledger::Submitted>>>>();
  auto answered = answer->get_future();
  client_.submit(std::move(objects),
                 [answer](auto outcome) { answer->set_value(std::move(outcome)); });
  BW_TRY(const auto outcomes, answered.get());
  for (const ledger::Submitted& outcome : outcomes) {
    if (!outcome.index && outcome.refusal.code != ErrorCode::kConflict) {
      return fail(outcome.refusal);
    }
  }
  return {};
}

Result<bool> Follower::acts_on(ByteView object) const {
  BW_TRY(const wave::Object parsed, wave::parse_object(object));
  if (const auto* entity = std::get_if<wave::Signed<wave::Entity>>(&parsed)) {
    BW_TRY(const auto status, replica_.entity(entity->value.key));
    return status.has_value();
  }
  const auto* revocation = std::get_if<wave::Signed<wave::Revocation>>(&parsed);
  BW_TRY(const auto status,
         replica_.dot(revocation != nullptr ? revocation->value.dot() : wave::id_of(parsed)));
  return status && (revocation == nullptr || status->revoked);
}

Result<void> Follower::await(ByteView object) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  std::unique_lock lock(mutex_);
  while (true) {
    BW_TRY(const bool there, acts_on(object));
    if (there) return {};
    if (applied_.wait_until(lock, end) == std::cv_status::timeout) break;
  }
  return fail(ErrorCode::kUnavailable,
              "the ledger took entries and did not show them within {}; see that it runs",
              to_text(kPatience));
}

}  // namespace bw::city
