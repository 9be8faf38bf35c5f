// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <unordered_map>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/check.hpp"
#include "net/address.hpp"
#include "net/cancellation.hpp"
#include "net/channel.hpp"
#include "net/task_group.hpp"
#include "net/tls_channel.hpp"

namespace bw::net {
namespace {

using asio::ip::tcp;
using boost::system::error_code;

constexpr Duration kFirstAcceptPause = 10ms;
constexpr Duration kLongestAcceptPause = 1s;

// Who counts as one address: an IPv4 address, or the /64 that an IPv6 user has to himself.
std::uint64_t origin_of(const asio::ip::address& address) {
  if (address.is_v4()) return address.to_v4().to_uint();
  const auto v6 = address.to_v6();
  if (v6.is_v4_mapped()) return asio::ip::make_address_v4(asio::ip::v4_mapped, v6).to_uint();
  const auto bytes = v6.to_bytes();
  std::uint64_t prefix = 0;
  std::memcpy(&prefix, bytes.data(), sizeof prefix);
  return prefix;
}

// Open connections. Outlives the listener as long as one of its channels is open.
class Census : public std::enable_shared_from_this<Census> {
 public:
  // Null when the limits leave no room. What is returned stands for the connection.
  std::shared_ptr<void> admit(const asio::ip::address& address, const ListenerLimits& limits) {
    const std::uint64_t origin = origin_of(address);
    std::size_t& from_there = by_origin_[origin];
    if (total_ >= limits.connections || from_there >= limits.per_address) {
      if (from_there == 0) by_origin_.erase(origin);
      return nullptr;
    }
    ++total_;
    ++from_there;
    return {this, [self = shared_from_this(), origin](void*) { self->leave(origin); }};
  }

  std::size_t total() const { return total_; }

 private:
  void leave(std::uint64_t origin) {
    --total_;
    const auto found = by_origin_.find(origin);
    if (--found->second == 0) by_origin_.erase(found);
  }

  std::size_t total_ = 0;
  std::unordered_map<std::uint64_t, std::size_t> by_origin_;
};

class TcpListener final : public Listener {
 public:
  TcpListener(tcp::acceptor acceptor, ListenerLimits limits)
      : acceptor_(std::move(acceptor)),
        limits_(limits),
        pause_(acceptor_.get_executor()),
        handshakes_(acceptor_.get_executor()) {
    error_code ignored;
    address_ = to_text(acceptor_.local_endpoint(ignored));
  }
  ~TcpListener() override { BW_ASSERT(!running_); }

  std::string address() const override { return address_; }
  std::size_t open_connections() const override { return census_->total(); }

  Task<void> run(std::function<void(ChannelPtr)> on_channel) override {
    BW_ASSERT(!running_);
    co_await asio::this_coro::throw_if_cancelled(false);  // handshakes are joined in any case
    running_ = true;
    on_channel_ = std::move(on_channel);
    Backoff backoff(kFirstAcceptPause, kLongestAcceptPause, 0);
    while (acceptor_.is_open() && !co_await is_cancelled()) {
      if (shaking_ >= limits_.handshakes) {
        co_await wait(limits_.handshake_deadline);
        continue;
      }
      auto [error, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
      if (!error) {
        backoff.reset();
        admit(std::move(socket));
      } else if (error != asio::error::operation_aborted) {
        // Out of file handles or memory: the client waits in the backlog until some are free.
        co_await wait(backoff.next());
      }
    }
    co_await handshakes_.join();
    running_ = false;
  }

  void stop() override {
    error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
  }

 private:
  // Until `duration` is over, a handshake ends, or stop().
  Task<void> wait(Duration duration) {
    pause_.expires_after(duration);
    co_await pause_.async_wait(asio::as_tuple(asio::use_awaitable));
  }

  void admit(tcp::socket socket) {
    error_code error;
    const auto peer = socket.remote_endpoint(error);
    if (error) return;
    auto lease = census_->admit(peer.address(), limits_);
    if (!lease) return;
    auto channel = TlsChannel::make(std::move(socket), TlsSide::kServer, std::move(lease));
    if (channel) handshakes_.spawn(welcome(*std::move(channel)));
  }

  // Counts handshakes under way; the end of one lets run() look again.
  struct Shaking {
    explicit Shaking(TcpListener& listener) : of(listener) { ++of.shaking_; }
    ~Shaking() {
      --of.shaking_;
      of.pause_.cancel();
    }
    Shaking(const Shaking&) = delete;
    Shaking& operator=(const Shaking&) = delete;
    TcpListener& of;
  };

  // Refers to this: run() waits for it.
  Task<void> welcome(std::shared_ptr<TlsChannel> channel) {
    const Shaking shaking(*this);
    const auto until = std::chrono::steady_clock::now() + limits_.handshake_deadline;
    const auto shaken = co_await channel->shake_hands(until);
    if (shaken && acceptor_.is_open()) on_channel_(std::move(channel));
  }

  tcp::acceptor acceptor_;
  ListenerLimits limits_;
  std::string address_;
  std::shared_ptr<Census> census_ = std::make_shared<Census>();
  std::function<void(ChannelPtr)> on_channel_;
  bool running_ = false;
  std::size_t shaking_ = 0;
  asio::steady_timer pause_;
  TaskGroup handshakes_;
};

Result<tcp::endpoint> endpoint_of(asio::io_context& context, const HostPort& where) {
  error_code error;
  const auto numeric = asio::ip::make_address(where.host, error);
  if (!error) return tcp::endpoint(numeric, where.port);
  tcp::resolver resolver(context);
  const auto found = resolver.resolve(where.host, std::to_string(where.port), error);
  if (error || found.empty()) {
    return fail(ErrorCode::kIo, "cannot listen on {}: {}; check the name", where.host,
                to_text(error));
  }
  return found.begin()->endpoint();
}

std::string_view way_out(const error_code& error) {
  if (error == asio::error::address_in_use) return "; is another one running, or take another port";
  if (error == asio::error::access_denied) return "; take a port above 1023";
  if (error == boost::system::errc::address_not_available)
    return "; this machine has no such address";
  return "";
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::bind(asio::io_context& context,
                                                 const std::string& address,
                                                 ListenerLimits limits) {
  BW_TRY(const auto where, parse_host_port(address));
  BW_TRY(const auto endpoint, endpoint_of(context, where));
  BW_TRY([[maybe_unused]] const auto* tls, tls_context(TlsSide::kServer));
  tcp::acceptor acceptor(context);
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return fail(ErrorCode::kIo, "cannot listen on {}: {}{}", address, to_text(error),
                way_out(error));
  }
  return std::make_unique<TcpListener>(std::move(acceptor), limits);
}

}  // namespace bw::net
