// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/head_news.hpp"

#include "crypto/keys.hpp"
#include "http/url.hpp"
#include "ledger_ethereum/rpc.hpp"
#include "net/task_group.hpp"

namespace bw::ledger_ethereum {
namespace {

constexpr std::uint64_t kSubscribe = 1;

net::Task<Result<void>> subscribe(http::WebSocket& socket, Duration deadline) {
  const RpcCall call{"eth_subscribe", nlohmann::json::array({"newHeads"})};
  auto sent = co_await socket.send(encode_call(kSubscribe, call));
  if (!sent) co_return sent;
  const auto answer = co_await socket.read(deadline);
  if (!answer) co_return fail(answer.error());
  const auto reply = parse_reply(*answer, kSubscribe);
  if (!reply) co_return fail(reply.error());
  if (!*reply) co_return fail(reply->error().error("the server"));
  co_return Result<void>{};
}

// Returns why it ended. `heard`: whether the subscription stood.
net::Task<Error> hear(const HeadNewsOptions& options, const std::function<void()>& on_news,
                      bool& heard) {
  const auto socket = co_await http::WebSocket::connect(options.server);
  if (!socket) co_return socket.error();
  const auto subscribed = co_await subscribe(**socket, options.server.deadline);
  if (!subscribed) co_return subscribed.error();
  heard = true;
  do {
    const auto message = co_await (*socket)->read(options.silence);
    if (!message) co_return message.error();
    const auto news = parse_notification(*message);
    if (!news) co_return news.error();
    if (*news) on_news();
  } while (co_await net::sleep_for(options.pause));
  co_return Error{ErrorCode::kUnavailable, "cancelled"};
}

}  // namespace

net::Task<void> tell_head_news(HeadNewsOptions options, telemetry::Log& log,
                               std::function<void()> on_news) {
  const auto url = http::parse_url(options.server.url);
  const std::string server = url ? url->origin() : std::string();
  net::Backoff backoff(options.retry_first, options.retry_most, crypto::system_random().u64());
  Duration pause{};
  do {
    bool heard = false;
    const Error ended = co_await hear(options, on_news, heard);
    if (heard) backoff.reset();
    pause = backoff.next();
    log.limited(telemetry::Level::kInfo, "ledger", "no news of blocks; looking from time to time",
                {{"server", server}, {"reason", ended.message}});
  } while (co_await net::sleep_for(pause));
}

}  // namespace bw::ledger_ethereum
