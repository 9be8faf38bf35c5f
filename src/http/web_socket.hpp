// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "net/channel.hpp"

namespace bw::http {

struct WebSocketOptions {
  std::string url = {};     // ws or wss
  Duration deadline = 10s;  // to connect, and to send one message
  Duration silence = 60s;   // the server is pinged at half of it, and lost when nothing came
  std::size_t message_bytes = std::size_t{4} * 1024 * 1024;
  std::string trust = {};  // PEM file of the authorities that count; by default the system's
};

// A WebSocket (RFC 6455) that carries text messages. Lives on one io_context thread, and longer
// than the calls on it. One call of each kind at a time; after an error it is of no use any more.
class WebSocket {
 public:
  // kInvalidArgument for a URL that is not one, kUnavailable for whatever else went wrong.
  static net::Task<Result<std::unique_ptr<WebSocket>>> connect(WebSocketOptions options);
  virtual ~WebSocket() = default;

  // The next whole message. kUnavailable when the connection ended, nothing came within `deadline`
  // or the task was cancelled, kTooLarge above message_bytes, kMalformed for bytes that are not
  // WebSocket or not text.
  virtual net::Task<Result<std::string>> read(Duration deadline) = 0;
  virtual net::Task<Result<void>> send(std::string text) = 0;
  // At once; a reader is woken.
  virtual void abort() = 0;
};

}  // namespace bw::http
