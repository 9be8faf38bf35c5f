// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "http/web_socket.hpp"
#include "telemetry/log.hpp"

namespace bw::ledger_ethereum {

struct HeadNewsOptions {
  http::WebSocketOptions server;
  Duration retry_first = 1s;
  Duration retry_most = 60s;
  // News that come faster are told together.
  Duration pause = 200ms;
  // Without a block for so long the subscription is made again.
  Duration silence = 600s;
};

// Calls `on_news` when the server says that there is a new block (eth_subscribe, newHeads), until
// cancelled. A hint and no more: of what the server says nothing is used, and whoever is told looks
// for himself, as he does from time to time without being told.
net::Task<void> tell_head_news(HeadNewsOptions options, telemetry::Log& log,
                               std::function<void()> on_news);

}  // namespace bw::ledger_ethereum
