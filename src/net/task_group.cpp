// SPDX-License-Identifier: Apache-2.0
#include "net/task_group.hpp"

#include <list>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "base/check.hpp"
#include "net/cancellation.hpp"

namespace bw::net {
namespace {

// How often join() cancels again what a task began to wait for after it was cancelled.
constexpr Duration kCancelAgain = 100ms;

// Without the switch, every await after a cancellation throws, so that a cancelled task could not
// even join its own group.
Task<void> guarded(Task<void> task) {
  co_await asio::this_coro::throw_if_cancelled(false);
  if (co_await is_cancelled()) co_return;
  co_await std::move(task);
}

bool is_cancellation(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const boost::system::system_error& failure) {
    return failure.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

}  // namespace

struct TaskGroup::Impl {
  using Signals = std::list<asio::cancellation_signal>;

  explicit Impl(asio::any_io_executor where) : executor(std::move(where)), ended(executor) {}

  void finish(Signals::iterator signal, const std::exception_ptr& error) {
    // The coroutine that calls this still refers to its signal until the stack has unwound.
    Signals dead;
    dead.splice(dead.end(), signals, signal);
    asio::post(executor, [dead = std::move(dead)] {});
    if (error && on_failure && !is_cancellation(error)) on_failure(error);
    if (signals.empty()) ended.cancel();
  }

  asio::any_io_executor executor;
  asio::steady_timer ended;  // wakes join()
  Signals signals;           // one for each running task
  std::function<void(std::exception_ptr)> on_failure;
  bool joining = false;
};

TaskGroup::TaskGroup(asio::any_io_executor executor)
    : impl_(std::make_shared<Impl>(std::move(executor))) {}

TaskGroup::~TaskGroup() {
  BW_ASSERT(impl_->signals.empty());
}

void TaskGroup::spawn(Task<void> task) {
  if (impl_->joining) return;
  const auto signal = impl_->signals.emplace(impl_->signals.end());
  auto on_end = [impl = impl_, signal](const std::exception_ptr& error) {
    impl->finish(signal, error);
  };
  asio::co_spawn(impl_->executor, guarded(std::move(task)),
                 asio::bind_cancellation_slot(signal->slot(), std::move(on_end)));
}

void TaskGroup::on_failure(std::function<void(std::exception_ptr)> handler) {
  impl_->on_failure = std::move(handler);
}

std::size_t TaskGroup::size() const {
  return impl_->signals.size();
}

void TaskGroup::cancel() {
  // A task may end, and so leave the list, while it is told; its signal lives until a later turn.
  std::vector<asio::cancellation_signal*> signals;
  for (auto& signal : impl_->signals) signals.push_back(&signal);
  for (auto* signal : signals) signal->emit(asio::cancellation_type::terminal);
}

Task<void> TaskGroup::join() {
  BW_ASSERT(!impl_->joining);
  const auto impl = impl_;
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  impl->joining = true;
  while (!impl->signals.empty()) {
    cancel();
    impl->ended.expires_after(kCancelAgain);
    co_await impl->ended.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  impl->joining = false;
  co_await asio::this_coro::throw_if_cancelled(throws);
}

Task<bool> sleep_for(Duration duration) {
  if (co_await is_cancelled()) co_return false;
  asio::steady_timer timer(co_await asio::this_coro::executor, duration);
  const auto [error] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  co_return !error;
}

}  // namespace bw::net
