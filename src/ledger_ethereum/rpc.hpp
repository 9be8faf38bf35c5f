// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "http/client.hpp"
#include "net/channel.hpp"

namespace bw::ledger_ethereum {

// What a server says instead of a result (JSON-RPC 2.0 section 5.1).
struct RemoteError {
  std::int64_t code = 0;
  std::string message;  // fit to be shown, bounded
  Bytes data;           // where it is "0x...": that of a revert

  // kLimited where the server asks to slow down, else kDenied.
  [[nodiscard]] Error error(std::string_view server) const;
};
using Reply = Result<nlohmann::json, RemoteError>;

struct RpcCall {
  std::string method;
  nlohmann::json params;  // an array
};

// JSON-RPC 2.0 to one server. Nothing of an answer is trusted but its form: version, id, and that
// there is either a result or an error. Errors of the Result are of the transport (http::Client) or
// kMalformed; no exception leaves.
class Rpc {
 public:
  virtual ~Rpc() = default;
  virtual net::Task<Result<Reply>> call(std::string method, nlohmann::json params) = 0;
  // In one request; a reply to each call, in their order. At most kRpcBatch calls.
  virtual net::Task<Result<std::vector<Reply>>> batch(std::vector<RpcCall> calls) = 0;
  // Names the server to people, without secrets.
  [[nodiscard]] virtual std::string name() const = 0;
};

inline constexpr std::size_t kRpcBatch = 100;

// Over HTTP or WebSockets, as the URL says.
Result<std::unique_ptr<Rpc>> make_rpc(http::ClientOptions options);

// The pure parts.
std::string encode_call(std::uint64_t id, const RpcCall& call);
std::string encode_batch(std::uint64_t first_id, const std::vector<RpcCall>& calls);
// `id`: that of the call.
Result<Reply> parse_reply(std::string_view text, std::uint64_t id);
// A server may answer a batch in any order, or with one error for all.
Result<std::vector<Reply>> parse_replies(std::string_view text, std::uint64_t first_id,
                                         std::size_t count);
// What a subscription tells: the parameter `result` of an eth_subscription; nothing for other
// messages.
Result<std::optional<nlohmann::json>> parse_notification(std::string_view text);

}  // namespace bw::ledger_ethereum
