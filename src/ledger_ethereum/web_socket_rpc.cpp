// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/web_socket_rpc.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "http/url.hpp"
#include "net/cancellation.hpp"

namespace bw::ledger_ethereum {
namespace {

using nlohmann::json;
using std::chrono::steady_clock;

constexpr std::size_t kKept = 8;

class WebSocketRpc final : public Rpc {
 public:
  WebSocketRpc(http::WebSocketOptions options, std::string origin)
      : options_(std::move(options)), origin_(std::move(origin)) {}

  std::string name() const override { return origin_; }

  net::Task<Result<Reply>> call(std::string method, json params) override {
    const std::uint64_t id = next_id_++;
    const RpcCall single{std::move(method), std::move(params)};
    const auto answer = co_await exchange(encode_call(id, single));
    if (!answer) co_return fail(answer.error());
    auto reply = parse_reply(*answer, id);
    if (!reply) co_return fail(named(reply.error()));
    co_return reply;
  }

  net::Task<Result<std::vector<Reply>>> batch(std::vector<RpcCall> calls) override {
    if (calls.empty()) co_return std::vector<Reply>{};
    const std::uint64_t first = std::exchange(next_id_, next_id_ + calls.size());
    const auto answer = co_await exchange(encode_batch(first, calls));
    if (!answer) co_return fail(answer.error());
    auto replies = parse_replies(*answer, first, calls.size());
    if (!replies) co_return fail(named(replies.error()));
    co_return replies;
  }

 private:
  using Socket = std::unique_ptr<http::WebSocket>;

  // A kept connection may have ended since; then a new one is tried.
  net::Task<Result<std::string>> exchange(std::string text) {
    const auto until = steady_clock::now() + options_.deadline;
    if (!idle_.empty()) {
      Socket kept = std::move(idle_.back());
      idle_.pop_back();
      auto answer = co_await exchange_on(std::move(kept), text, until);
      const bool ended =
          !answer && answer.error().code == ErrorCode::kUnavailable && steady_clock::now() < until;
      if (!ended || co_await net::is_cancelled()) co_return answer;
      // So have those that were kept for longer.
      idle_.clear();
    }
    auto fresh = co_await http::WebSocket::connect(options_);
    if (!fresh) co_return fail(fresh.error());
    co_return co_await exchange_on(*std::move(fresh), std::move(text), until);
  }

  // Kept afterwards when it is still of use.
  net::Task<Result<std::string>> exchange_on(Socket socket, std::string text,
                                             steady_clock::time_point until) {
    const auto sent = co_await socket->send(std::move(text));
    if (!sent) co_return fail(sent.error());
    const auto left = std::chrono::ceil<Duration>(until - steady_clock::now());
    auto answer = co_await socket->read(std::max(left, Duration{}));
    if (answer && idle_.size() < kKept) idle_.push_back(std::move(socket));
    co_return answer;
  }

  Error named(const Error& why) const {
    return {why.code, fmt::format("{}: {}", origin_, why.message)};
  }

  http::WebSocketOptions options_;
  std::string origin_;
  std::vector<Socket> idle_;
  std::uint64_t next_id_ = 1;
};

}  // namespace

Result<std::unique_ptr<Rpc>> make_web_socket_rpc(http::WebSocketOptions options) {
  BW_TRY(const http::Url url, http::parse_url(options.url));
  if (!url.is_web_socket()) {
    return fail(ErrorCode::kInvalidArgument, "{}: expected ws or wss", url.origin());
  }
  return std::make_unique<WebSocketRpc>(std::move(options), url.origin());
}

}  // namespace bw::ledger_ethereum
