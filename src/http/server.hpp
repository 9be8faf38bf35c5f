// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"

namespace bw::http {

struct Response {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

// A small HTTP/1.1 server for /metrics and /healthz: GET only, no request bodies, a deadline on each
// read and a cap on connections. Handlers run on the context's thread.
class Server {
 public:
  using Handler = std::function<Response()>;
  static Result<std::unique_ptr<Server>> bind(boost::asio::io_context& context,
                                              const std::string& address);
  virtual ~Server() = default;
  virtual void get(std::string path, Handler handler) = 0;
  virtual void start() = 0;
  // Closes the listener and every connection; call before the context ends.
  virtual void stop() = 0;
  [[nodiscard]] virtual std::string address() const = 0;
};

}  // namespace bw::http
