// SPDX-License-Identifier: Apache-2.0
#include "net/resolve.hpp"

#include <memory>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace bw::net {
namespace {

using asio::ip::tcp;
using boost::system::error_code;

// The system's resolver cannot be interrupted, so its answer may come after everybody has left.
struct Lookup {
  explicit Lookup(const asio::any_io_executor& executor) : resolver(executor), done(executor) {}

  tcp::resolver resolver;
  asio::steady_timer done;
  bool answered = false;
  error_code error;
  std::vector<tcp::endpoint> found;
};

}  // namespace

Task<Result<std::vector<tcp::endpoint>>> resolve(HostPort where,
                                                 std::chrono::steady_clock::time_point until) {
  error_code not_numeric;
  const auto numeric = asio::ip::make_address(where.host, not_numeric);
  if (!not_numeric) co_return std::vector{tcp::endpoint(numeric, where.port)};

  const auto lookup = std::make_shared<Lookup>(co_await asio::this_coro::executor);
  lookup->done.expires_at(until);
  const auto on_answer = [lookup](const error_code& error, const tcp::resolver::results_type& all) {
    lookup->answered = true;
    lookup->error = error;
    for (const auto& entry : all) lookup->found.push_back(entry.endpoint());
    lookup->done.cancel();
  };
  lookup->resolver.async_resolve(where.host, std::to_string(where.port), on_answer);
  co_await lookup->done.async_wait(asio::as_tuple(asio::use_awaitable));
  if (!lookup->answered)
    co_return fail(ErrorCode::kUnavailable, "the name was not resolved in time");
  if (lookup->error) {
    co_return fail(ErrorCode::kUnavailable, "{}; check the name", to_text(lookup->error));
  }
  co_return std::move(lookup->found);
}

}  // namespace bw::net
