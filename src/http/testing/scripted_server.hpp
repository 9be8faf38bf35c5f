// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "net/task_group.hpp"

// Servers for tests whose every byte the test decides.
namespace bw::http::testing {

namespace asio = boost::asio;
using asio::ip::tcp;

// Accepts and hands each connection to a task.
class TestServer {
 public:
  using Serve = std::function<net::Task<void>(tcp::socket)>;

  TestServer(asio::io_context& context, Serve serve)
      : acceptor_(context, {asio::ip::make_address("127.0.0.1"), 0}),
        serve_(std::move(serve)),
        tasks_(context.get_executor()) {
    tasks_.spawn(accept());
  }
  net::Task<void> stop() {
    acceptor_.close();
    co_await tasks_.join();
  }
  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  [[nodiscard]] std::string url(std::string_view scheme) const {
    return fmt::format("{}://127.0.0.1:{}/path?key=secret", scheme, port());
  }

  std::size_t connections = 0;  // accepted so far

 private:
  net::Task<void> accept() {
    for (;;) {
      auto [error, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
      if (error) co_return;
      ++connections;
      tasks_.spawn(serve_(std::move(socket)));
    }
  }

  tcp::acceptor acceptor_;
  Serve serve_;
  net::TaskGroup tasks_;
};

inline constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

// Header and body of the next request; empty when the connection ended.
inline net::Task<std::string> read_request(tcp::socket& socket, std::string& buffer) {
  const auto [error, header] =
      co_await asio::async_read_until(socket, asio::dynamic_buffer(buffer), "\r\n\r\n", kAwait);
  if (error) co_return "";
  const auto at = buffer.find("Content-Length: ");
  const std::size_t length =
      at == std::string::npos || at > header ? 0 : std::stoul(buffer.substr(at + 16));
  while (buffer.size() < header + length) {
    char more[4096];
    const auto [ended, count] = co_await socket.async_read_some(asio::buffer(more), kAwait);
    if (ended) co_return "";
    buffer.append(more, count);
  }
  std::string request = buffer.substr(0, header + length);
  buffer.erase(0, header + length);
  co_return request;
}

inline std::string ok(std::string_view body) {
  return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body);
}

}  // namespace bw::http::testing
