// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "net/channel.hpp"

namespace bw::http {

struct ClientOptions {
  std::string url = {};     // http or https
  Duration deadline = 15s;  // of one request, from the connection to the end of the answer
  std::size_t answer_bytes = std::size_t{32} * 1024 * 1024;
  std::string trust = {};  // PEM file of the authorities that count; by default the system's
};

struct Answer {
  unsigned status = 0;
  std::string body;
};

// Posts JSON to one server over HTTP/1.1. Connections are kept and used again; each request under
// way has one of its own. Redirects are answers like any other. Lives on one io_context thread, and
// longer than its requests.
class Client {
 public:
  // kInvalidArgument for a URL that is not one, kIo when the authorities cannot be read.
  static Result<std::unique_ptr<Client>> make(ClientOptions options);
  virtual ~Client() = default;

  // kUnavailable when there was no whole answer in time or the task was cancelled, kTooLarge above
  // answer_bytes, kMalformed when what came was not HTTP. A request is sent a second time only
  // where a kept connection turns out to have ended before any of the answer came.
  virtual net::Task<Result<Answer>> post(std::string json) = 0;
  // The server without path, which may hold a secret.
  [[nodiscard]] virtual std::string origin() const = 0;
};

}  // namespace bw::http
