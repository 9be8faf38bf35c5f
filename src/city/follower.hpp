// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>

#include "city/build.hpp"
#include "ledger_embedded/client.hpp"
#include "replica/replica.hpp"

namespace bw::city {

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override {
    return std::chrono::floor<Duration>(std::chrono::system_clock::now());
  }
};

// A node's view of a ledger that is elsewhere, with a thread of its own. For one caller's thread.
class Follower {
 public:
  static Result<std::unique_ptr<Follower>> start(const std::filesystem::path& directory,
                                                 const Door& door);
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  // Until it acts on `object`, about which `of` entries are on the ledger. kNotFound when the
  // ledger goes quiet before, kUnavailable when it cannot be reached for a minute.
  using OnProgress = std::function<void(std::uint64_t held, std::uint64_t of)>;
  Result<void> catch_up(ByteView object, std::uint64_t of, const OnProgress& on_progress);
  // Puts the objects, in order, and waits until this follower acts on them. What is there already
  // is well. Any other refusal is an error.
  Result<void> put(const std::vector<Bytes>& objects);

  // Puts what fits one submission; does not wait. `done` comes on this follower's thread.
  void submit(std::vector<Bytes> objects, ledger::Ledger::SubmitDone done) {
    client_.submit(std::move(objects), std::move(done));
  }

  [[nodiscard]] replica::Replica& replica() { return replica_; }
  [[nodiscard]] const Clock& clock() const { return clock_; }

 private:
  Follower(std::unique_ptr<store::AuthorityStore> store, const std::filesystem::path& directory,
           const Door& door);
  Result<void> submit(std::vector<Bytes> objects);
  [[nodiscard]] Result<bool> acts_on(ByteView object) const;
  Result<void> await(ByteView object);

  SystemClock clock_;
  telemetry::Log log_;
  std::unique_ptr<store::AuthorityStore> store_;
  replica::Replica replica_;
  net::asio::io_context io_{1};
  net::asio::executor_work_guard<net::asio::io_context::executor_type> work_{io_.get_executor()};
  ledger_embedded::Client client_;
  replica::Replica::ListenerId listener_ = 0;
  std::mutex mutex_;
  std::condition_variable applied_;
  std::jthread thread_;
};

}  // namespace bw::city
