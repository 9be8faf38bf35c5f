// SPDX-License-Identifier: Apache-2.0
#include "net/channel.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "net/address.hpp"
#include "net/cancellation.hpp"
#include "net/tls_channel.hpp"

namespace bw::net {
namespace {

using asio::ip::tcp;
using boost::system::error_code;
using SteadyClock = std::chrono::steady_clock;

// The system's resolver cannot be interrupted, so its answer may come after everybody has left.
struct Lookup {
  explicit Lookup(const asio::any_io_executor& executor) : resolver(executor), done(executor) {}

  tcp::resolver resolver;
  asio::steady_timer done;
  bool answered = false;
  error_code error;
  std::vector<tcp::endpoint> found;
};

Task<Result<std::vector<tcp::endpoint>>> resolve(HostPort where, SteadyTime until) {
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

Error cannot_reach(const std::string& address, const Error& why) {
  const bool refused = why.message == to_text(error_code(asio::error::connection_refused));
  return Error{why.code, fmt::format("cannot reach {}: {}{}", address, why.message,
                                     refused ? "; is it running?" : "")};
}

}  // namespace

Task<Result<ChannelPtr>> connect(std::string address, Duration deadline) {
  const auto until = SteadyClock::now() + deadline;
  auto where = parse_host_port(address);
  if (!where) co_return tl::unexpected(where.error());
  const auto endpoints = co_await resolve(*std::move(where), until);
  if (!endpoints) co_return tl::unexpected(cannot_reach(address, endpoints.error()));

  Error last{ErrorCode::kUnavailable, "cancelled"};
  for (std::size_t i = 0; i < endpoints->size() && !co_await is_cancelled(); ++i) {
    const auto& endpoint = (*endpoints)[i];
    // An address that swallows packets must leave time for the others.
    const auto left = std::max(until - SteadyClock::now(), SteadyClock::duration::zero());
    const auto share = left / static_cast<int>(endpoints->size() - i);
    auto channel =
        TlsChannel::make(tcp::socket(co_await asio::this_coro::executor), TlsSide::kClient);
    if (!channel) co_return tl::unexpected(channel.error());
    const auto opened = co_await (*channel)->open(endpoint, SteadyClock::now() + share);
    if (opened) co_return ChannelPtr(*std::move(channel));
    const auto name = to_text(endpoint);
    last = cannot_reach(name == address ? name : fmt::format("{} ({})", address, name),
                        opened.error());
  }
  co_return tl::unexpected(last);
}

}  // namespace bw::net
