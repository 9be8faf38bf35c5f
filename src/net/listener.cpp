// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <optional>
#include <unordered_map>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/check.hpp"
#include "base/crowd.hpp"
#include "net/address.hpp"
#include "net/cancellation.hpp"
#include "net/channel.hpp"
#include "net/origin_allowances.hpp"
#include "net/task_group.hpp"
#include "net/tls_channel.hpp"

namespace bw::net {
namespace {

using asio::ip::tcp;
using boost::system::error_code;

constexpr Duration kFirstAcceptPause = 10ms;
constexpr Duration kLongestAcceptPause = 1s;

// Who is connected. Outlives the listener as long as one of its channels is open. Of one thread,
// but for what it counts.
class Census : public std::enable_shared_from_this<Census> {
 public:
  using Strangers = Crowd<std::weak_ptr<Channel>>;

  explicit Census(const ListenerLimits& limits)
      : limits_(limits), arrivals_(limits.arrivals_per_second, limits.arrivals_burst) {}

  // What stands for one connection. Counted among the strangers until told otherwise.
  class Entry final : public Lease {
   public:
    Entry(std::shared_ptr<Census> census, std::uint64_t origin)
        : census_(std::move(census)), origin_(origin) {
      ++census_->total_;
      ++census_->by_origin_[origin_];
      stranger_ = census_->strangers_.enter(origin_, {});
    }
    ~Entry() override {
      Entry::peer_is_trusted();
      --census_->total_;
      const auto found = census_->by_origin_.find(origin_);
      if (--found->second == 0) census_->by_origin_.erase(found);
    }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    void belongs_to(const ChannelPtr& channel) { (*stranger_)->value = channel; }
    void peer_is_trusted() override {
      if (const auto place = std::exchange(stranger_, std::nullopt)) {
        census_->strangers_.leave(*place);
      }
    }

   private:
    std::shared_ptr<Census> census_;
    std::uint64_t origin_;
    std::optional<Strangers::Place> stranger_;
  };

  // Null when the limits leave no room.
  std::unique_ptr<Entry> admit(std::uint64_t origin) {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    if (!arrivals_.take(origin, 1, Time{std::chrono::duration_cast<Duration>(now)}) ||
        !make_room(origin)) {
      ++refused_;
      return nullptr;
    }
    ++accepted_;
    return std::make_unique<Entry>(shared_from_this(), origin);
  }

  std::size_t total() const { return total_; }
  Listener::Stats stats() const {
    return {.accepted = accepted_, .refused = refused_, .displaced = displaced_};
  }

 private:
  bool make_room(std::uint64_t origin) {
    const auto there = by_origin_.find(origin);
    if (there != by_origin_.end() && there->second >= limits_.per_address) {
      return displace(strangers_.oldest_from(origin));
    }
    if (total_ >= limits_.connections) return displace(strangers_.oldest_of_greediest());
    if (strangers_.from(origin) >= limits_.strangers_per_address) {
      return displace(strangers_.oldest_from(origin));
    }
    if (strangers_.size() >= limits_.strangers) return displace(strangers_.oldest_of_greediest());
    return true;
  }

  bool displace(std::weak_ptr<Channel>* stranger) {
    if (stranger == nullptr) return false;
    if (const ChannelPtr channel = stranger->lock()) channel->abort();
    ++displaced_;
    return true;
  }

  ListenerLimits limits_;
  OriginAllowances arrivals_;
  std::atomic<std::size_t> total_ = 0;
  std::unordered_map<std::uint64_t, std::size_t> by_origin_;
  Strangers strangers_;
  std::atomic<std::uint64_t> accepted_ = 0;
  std::atomic<std::uint64_t> refused_ = 0;
  std::atomic<std::uint64_t> displaced_ = 0;
};

class TcpListener final : public Listener {
 public:
  TcpListener(tcp::acceptor acceptor, ListenerLimits limits)
      : acceptor_(std::move(acceptor)),
        deadline_(limits.handshake_deadline),
        census_(std::make_shared<Census>(limits)),
        pause_(acceptor_.get_executor()),
        handshakes_(acceptor_.get_executor()) {
    error_code ignored;
    address_ = to_text(acceptor_.local_endpoint(ignored));
  }
  ~TcpListener() override { BW_ASSERT(!running_); }

  std::string address() const override { return address_; }
  std::size_t open_connections() const override { return census_->total(); }
  Stats stats() const override { return census_->stats(); }

  Task<void> run(std::function<void(ChannelPtr)> on_channel) override {
    BW_ASSERT(!running_);
    co_await asio::this_coro::throw_if_cancelled(false);  // handshakes are joined in any case
    running_ = true;
    on_channel_ = std::move(on_channel);
    Backoff backoff(kFirstAcceptPause, kLongestAcceptPause, 0);
    while (acceptor_.is_open() && !co_await is_cancelled()) {
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
  // Until `duration` is over, or stop().
  Task<void> wait(Duration duration) {
    pause_.expires_after(duration);
    co_await pause_.async_wait(asio::as_tuple(asio::use_awaitable));
  }

  void admit(tcp::socket socket) {
    error_code error;
    const auto peer = socket.remote_endpoint(error);
    if (error) return;
    auto lease = census_->admit(origin_of(peer.address()));
    if (!lease) {
      // A reset: who floods us is owed no orderly end, which would cost memory for a minute.
      socket.set_option(asio::socket_base::linger(true, 0), error);
      return;
    }
    Census::Entry& entry = *lease;
    auto channel = TlsChannel::make(std::move(socket), TlsSide::kServer, std::move(lease));
    if (!channel) return;
    entry.belongs_to(*channel);
    handshakes_.spawn(welcome(*std::move(channel)));
  }

  // Refers to this: run() waits for it.
  Task<void> welcome(std::shared_ptr<TlsChannel> channel) {
    const auto until = std::chrono::steady_clock::now() + deadline_;
    const auto shaken = co_await channel->shake_hands(until);
    if (shaken && acceptor_.is_open()) on_channel_(std::move(channel));
  }

  tcp::acceptor acceptor_;
  Duration deadline_;
  std::string address_;
  std::shared_ptr<Census> census_;
  std::function<void(ChannelPtr)> on_channel_;
  bool running_ = false;
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
