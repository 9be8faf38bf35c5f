// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/web_socket.hpp"
#include "ledger_ethereum/rpc.hpp"

namespace bw::ledger_ethereum {

// JSON-RPC over WebSockets, for ws and wss. As over HTTP, connections are kept and used again, and
// each call under way has one of its own: none waits behind another's answer, and nobody has to
// read while nothing was asked. kInvalidArgument for a URL of another kind.
Result<std::unique_ptr<Rpc>> make_web_socket_rpc(http::WebSocketOptions options);

}  // namespace bw::ledger_ethereum
