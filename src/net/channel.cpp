// SPDX-License-Identifier: Apache-2.0
#include "net/channel.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>

#include "net/address.hpp"
#include "net/cancellation.hpp"
#include "net/resolve.hpp"
#include "net/tls_channel.hpp"

namespace bw::net {
namespace {

using asio::ip::tcp;
using boost::system::error_code;
using SteadyClock = std::chrono::steady_clock;

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
