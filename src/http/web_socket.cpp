// SPDX-License-Identifier: Apache-2.0
#include "http/web_socket.hpp"

#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include "http/stream.hpp"
#include "net/cancellation.hpp"

namespace bw::http {
namespace {

namespace websocket = beast::websocket;
using std::chrono::steady_clock;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

// Closes a connection unless it is dropped before.
class Alarm {
 public:
  Alarm(asio::any_io_executor executor, Duration after, std::function<void()> ring)
      : timer_(std::move(executor), after) {
    timer_.async_wait([set = std::weak_ptr(set_), ring = std::move(ring)](const auto& error) {
      if (const auto still = set.lock(); still && !error) ring();
    });
  }

 private:
  asio::steady_timer timer_;
  std::shared_ptr<bool> set_ = std::make_shared<bool>(true);
};

template <class Stream>
class BeastSocket final : public WebSocket {
 public:
  BeastSocket(Stream stream, Url url, const WebSocketOptions& options)
      : url_(std::move(url)), options_(options), stream_(std::move(stream)) {
    // The WebSocket has timeouts of its own.
    beast::get_lowest_layer(stream_).expires_never();
    stream_.set_option(websocket::stream_base::timeout{
        .handshake_timeout = options.deadline,
        .idle_timeout = options.silence,
        .keep_alive_pings = true,
    });
    stream_.read_message_max(options.message_bytes);
  }

  net::Task<Result<void>> shake_hands() {
    stream_.set_option(websocket::stream_base::decorator([](websocket::request_type& request) {
      request.set(beast::http::field::user_agent, "bosswave");
    }));
    const auto [error] = co_await stream_.async_handshake(url_.authority(), url_.target, kAwait);
    if (error) co_return fail(trouble(error));
    stream_.text(true);
    co_return Result<void>{};
  }

  net::Task<Result<std::string>> read(Duration deadline) override {
    if (co_await net::is_cancelled()) co_return fail(cancelled());
    beast::flat_buffer buffer;
    bool late = false;
    const Alarm alarm(stream_.get_executor(), deadline, [this, &late] {
      late = true;
      abort();
    });
    const auto [error, size] = co_await stream_.async_read(buffer, kAwait);
    if (late) co_return fail(trouble(beast::error::timeout));
    if (error) co_return fail(trouble(error));
    if (!stream_.got_text()) {
      co_return fail(ErrorCode::kMalformed, "{}: sent a message that is not text", url_.origin());
    }
    co_return beast::buffers_to_string(buffer.data());
  }

  net::Task<Result<void>> send(std::string text) override {
    if (co_await net::is_cancelled()) co_return fail(cancelled());
    const Alarm alarm(stream_.get_executor(), options_.deadline, [this] { abort(); });
    const auto [error, size] = co_await stream_.async_write(asio::buffer(text), kAwait);
    if (error) co_return fail(trouble(error));
    co_return Result<void>{};
  }

  void abort() override { beast::get_lowest_layer(stream_).close(); }

 private:
  Error cancelled() const { return trouble_with(url_, asio::error::operation_aborted); }

  Error trouble(const boost::system::error_code& error) const {
    static const auto& category = make_error_code(websocket::error::closed).category();
    if (error == websocket::error::message_too_big || error == websocket::error::buffer_overflow) {
      return {ErrorCode::kTooLarge, fmt::format("{}: a message of more than {} bytes",
                                                url_.origin(), options_.message_bytes)};
    }
    if (error == websocket::error::closed || error.category() != category) {
      return trouble_with(url_, error);
    }
    return {ErrorCode::kMalformed,
            fmt::format("{}: no proper WebSocket: {}", url_.origin(), net::to_text(error))};
  }

  Url url_;
  WebSocketOptions options_;
  websocket::stream<Stream> stream_;
};

template <class Stream>
net::Task<Result<std::unique_ptr<WebSocket>>> upgrade(Result<Stream> opened, Url url,
                                                      WebSocketOptions options) {
  if (!opened) co_return fail(opened.error());
  auto socket = std::make_unique<BeastSocket<Stream>>(*std::move(opened), url, options);
  const auto shaken = co_await socket->shake_hands();
  if (!shaken) co_return fail(shaken.error());
  co_return std::move(socket);
}

}  // namespace

net::Task<Result<std::unique_ptr<WebSocket>>> WebSocket::connect(WebSocketOptions options) {
  const SteadyTime until = steady_clock::now() + options.deadline;
  const auto url = parse_url(options.url);
  if (!url) co_return fail(url.error());
  if (!url->is_web_socket()) {
    co_return fail(ErrorCode::kInvalidArgument, "{}: expected ws or wss", url->origin());
  }
  if (!url->is_secure()) {
    co_return co_await upgrade(co_await open_plain(*url, until), *url, options);
  }
  const auto tls = tls_context(options.trust);
  if (!tls) co_return fail(tls.error());
  co_return co_await upgrade(co_await open_secure(*url, *tls, until), *url, options);
}

}  // namespace bw::http
