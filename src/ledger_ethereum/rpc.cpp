// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/rpc.hpp"

#include <optional>
#include <utility>

#include "base/text.hpp"
#include "http/url.hpp"
#include "ledger_ethereum/json_values.hpp"
#include "ledger_ethereum/web_socket_rpc.hpp"

namespace bw::ledger_ethereum {
namespace {

using nlohmann::json;

constexpr std::size_t kErrorText = 200;
constexpr std::size_t kRevertBytes = 4096;
constexpr unsigned kOk = 200;
constexpr unsigned kTooManyRequests = 429;
constexpr std::int64_t kLimitExceeded = -32005;  // EIP-1474

json envelope(std::uint64_t id, const RpcCall& call) {
  return {{"jsonrpc", "2.0"}, {"id", id}, {"method", call.method}, {"params", call.params}};
}

Result<json> parse_json(std::string_view text) {
  json parsed = json::parse(text, nullptr, false);
  if (parsed.is_discarded()) {
    return fail(ErrorCode::kMalformed, "the answer is not JSON: '{}'", printable(text, 60));
  }
  return parsed;
}

// Nodes put what a revert returned into `data`, some into an object within it.
Bytes revert_data(const json& data) {
  const json& value = data.is_object() ? member(data, "data") : data;
  auto bytes = bytes_of(value, "data");
  return bytes && bytes->size() <= kRevertBytes ? *std::move(bytes) : Bytes{};
}

RemoteError remote_error(const json& error) {
  RemoteError out;
  const json& code = member(error, "code");
  if (code.is_number_integer()) out.code = code.get<std::int64_t>();
  const json& message = member(error, "message");
  out.message = message.is_string() ? printable(message.get_ref<const std::string&>(), kErrorText)
                                    : "an error without words";
  out.data = revert_data(member(error, "data"));
  return out;
}

// The result is moved out of `answer`.
Result<Reply> open_envelope(json& answer) {
  if (member(answer, "jsonrpc") != "2.0") {
    return fail(ErrorCode::kMalformed, "the answer is not JSON-RPC 2.0");
  }
  const json& error = member(answer, "error");
  if (!error.is_null()) return Reply(tl::unexpected(remote_error(error)));
  const auto result = answer.find("result");
  if (result == answer.end()) {
    return fail(ErrorCode::kMalformed, "the answer has neither result nor error");
  }
  return Reply(std::move(*result));
}

bool is_error(const json& answer) {
  return answer.is_object() && !member(answer, "error").is_null();
}

class HttpRpc final : public Rpc {
 public:
  explicit HttpRpc(std::unique_ptr<http::Client> client) : client_(std::move(client)) {}

  std::string name() const override { return client_->origin(); }

  net::Task<Result<Reply>> call(std::string method, json params) override {
    const std::uint64_t id = next_id_++;
    const RpcCall single{std::move(method), std::move(params)};
    auto answer = co_await client_->post(encode_call(id, single));
    if (!answer) co_return fail(answer.error());
    auto reply = parse_reply(answer->body, id);
    if (!reply) co_return fail(explained(*answer, reply.error()));
    co_return reply;
  }

  net::Task<Result<std::vector<Reply>>> batch(std::vector<RpcCall> calls) override {
    if (calls.empty()) co_return std::vector<Reply>{};
    const std::uint64_t first = std::exchange(next_id_, next_id_ + calls.size());
    auto answer = co_await client_->post(encode_batch(first, calls));
    if (!answer) co_return fail(answer.error());
    auto replies = parse_replies(answer->body, first, calls.size());
    if (!replies) co_return fail(explained(*answer, replies.error()));
    co_return replies;
  }

 private:
  // Behind a proxy's error there is no JSON-RPC, but a status that says what is wrong.
  Error explained(const http::Answer& answer, const Error& why) const {
    if (answer.status == kOk) {
      return {why.code, fmt::format("{}: {}", name(), why.message)};
    }
    const auto code =
        answer.status == kTooManyRequests ? ErrorCode::kLimited : ErrorCode::kUnavailable;
    return {code, fmt::format("{}: answers with HTTP status {}", name(), answer.status)};
  }

  std::unique_ptr<http::Client> client_;
  std::uint64_t next_id_ = 1;
};

}  // namespace

Error RemoteError::error(std::string_view server) const {
  const auto as =
      code == kLimitExceeded || code == kTooManyRequests ? ErrorCode::kLimited : ErrorCode::kDenied;
  return {as, fmt::format("{} refuses: {} ({})", server, message, code)};
}

std::string encode_call(std::uint64_t id, const RpcCall& call) {
  return envelope(id, call).dump();
}

std::string encode_batch(std::uint64_t first_id, const std::vector<RpcCall>& calls) {
  json all = json::array();
  for (std::size_t i = 0; i < calls.size(); ++i) all.push_back(envelope(first_id + i, calls[i]));
  return all.dump();
}

Result<Reply> parse_reply(std::string_view text, std::uint64_t id) {
  BW_TRY(json answer, parse_json(text));
  // A server that could not read the call answers with the id null (section 5).
  const bool unread = is_error(answer) && member(answer, "id").is_null();
  if (!unread && member(answer, "id") != id) {
    return fail(ErrorCode::kMalformed, "the answer is to another call");
  }
  return open_envelope(answer);
}

Result<std::vector<Reply>> parse_replies(std::string_view text, std::uint64_t first_id,
                                         std::size_t count) {
  BW_TRY(json answers, parse_json(text));
  if (is_error(answers)) {
    BW_TRY(const Reply refusal, open_envelope(answers));
    return std::vector<Reply>(count, refusal);
  }
  if (!answers.is_array() || answers.size() != count) {
    return fail(ErrorCode::kMalformed, "not one answer to each of {} calls", count);
  }
  std::vector<std::optional<Reply>> found(count);
  for (json& answer : answers) {
    const json& id = member(answer, "id");
    const bool known = id.is_number_unsigned() && id.get<std::uint64_t>() >= first_id &&
                       id.get<std::uint64_t>() - first_id < count;
    if (!known || found[id.get<std::uint64_t>() - first_id]) {
      return fail(ErrorCode::kMalformed, "an answer to no call");
    }
    auto& place = found[id.get<std::uint64_t>() - first_id];
    BW_TRY(place, open_envelope(answer));
  }
  std::vector<Reply> replies;
  replies.reserve(count);
  for (auto& reply : found) replies.push_back(*std::move(reply));
  return replies;
}

Result<std::optional<json>> parse_notification(std::string_view text) {
  BW_TRY(json message, parse_json(text));
  if (member(message, "method") != "eth_subscription") return std::optional<json>{};
  return std::optional<json>(member(member(message, "params"), "result"));
}

Result<std::unique_ptr<Rpc>> make_rpc(http::ClientOptions options) {
  BW_TRY(const http::Url url, http::parse_url(options.url));
  if (url.is_web_socket()) {
    return make_web_socket_rpc({.url = options.url,
                                .deadline = options.deadline,
                                .message_bytes = options.answer_bytes,
                                .trust = options.trust});
  }
  BW_TRY(auto client, http::Client::make(std::move(options)));
  return std::make_unique<HttpRpc>(std::move(client));
}

}  // namespace bw::ledger_ethereum
