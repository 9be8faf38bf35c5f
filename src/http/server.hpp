// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>

#include "base/result.hpp"
#include "base/time.hpp"

namespace bw::http {

struct Response {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

struct Limits {
  std::size_t connections = 64;
  Duration deadline = 10s;  // from the connection to the end of the answer
};

// A small HTTP/1.1 server for /metrics and /healthz: GET only, no request bodies, one request a
// connection. When all connections are in use, a new one takes the place of the oldest of the
// address (base/crowd.hpp) that has most of them. Handlers run on the context's thread.
class Server {
 public:
  using Handler = std::function<Response()>;
  static Result<std::unique_ptr<Server>> bind(boost::asio::io_context& context,
                                              const std::string& address, Limits limits = {});
  virtual ~Server() = default;
  virtual void get(std::string path, Handler handler) = 0;
  virtual void start() = 0;
  // Closes the listener and every connection; call before the context ends.
  virtual void stop() = 0;
  [[nodiscard]] virtual std::string address() const = 0;
  [[nodiscard]] virtual std::size_t open_connections() const = 0;
};

}  // namespace bw::http
