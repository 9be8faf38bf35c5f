// SPDX-License-Identifier: Apache-2.0
#include "ledger_embedded/workers.hpp"

#include <algorithm>

namespace bw::ledger_embedded {

Workers::Workers(std::size_t threads) {
  if (threads == 0) threads = std::max(1U, std::thread::hardware_concurrency());
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

Workers::~Workers() {
  {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
  }
  some_.notify_all();
  threads_.clear();
}

void Workers::add(std::function<void()> work) {
  {
    const std::scoped_lock lock(mutex_);
    work_.push_back(std::move(work));
  }
  some_.notify_one();
}

void Workers::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    some_.wait(lock, [this] { return stopped_ || !work_.empty(); });
    if (stopped_) return;
    const auto work = std::move(work_.front());
    work_.pop_front();
    lock.unlock();
    work();
    lock.lock();
  }
}

}  // namespace bw::ledger_embedded
