// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace bw::ledger_embedded {

// A few threads that do pieces of work in the order in which they came.
class Workers {
 public:
  // `threads`: 0 for one a core.
  explicit Workers(std::size_t threads);
  ~Workers();  // what was not begun is dropped
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // From any thread. Who does the work must not wait for other work.
  void add(std::function<void()> work);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable some_;
  std::deque<std::function<void()>> work_;
  bool stopped_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace bw::ledger_embedded
