// SPDX-License-Identifier: Apache-2.0
#include "http/client.hpp"

#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "http/stream.hpp"
#include "net/cancellation.hpp"

namespace bw::http {
namespace {

namespace protocol = beast::http;
using std::chrono::steady_clock;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kHeaderBytes = 16 * 1024;
constexpr std::size_t kBufferBytes = 256 * 1024;
constexpr std::size_t kIdleConnections = 4;
// Servers close what is silent; what has been so for longer is not tried.
constexpr Duration kIdleTime = 30s;

struct Connection {
  std::variant<PlainStream, SecureStream> stream;
  beast::flat_buffer buffer{kBufferBytes};
  SteadyTime idle_since{};
};

bool is_protocol_error(const boost::system::error_code& error) {
  static const auto& category = protocol::make_error_code(protocol::error::bad_version).category();
  return error.category() == category && error != protocol::error::end_of_stream &&
         error != protocol::error::partial_message;
}

class BeastClient final : public Client {
 public:
  BeastClient(ClientOptions options, Url url, std::shared_ptr<asio::ssl::context> tls)
      : options_(std::move(options)), url_(std::move(url)), tls_(std::move(tls)) {}

  std::string origin() const override { return url_.origin(); }

  net::Task<Result<Answer>> post(std::string json) override {
    const SteadyTime until = steady_clock::now() + options_.deadline;
    const auto request = make_request(std::move(json));
    if (auto kept = take_idle()) {
      bool answered = false;
      auto answer = co_await exchange(std::move(kept), request, until, answered);
      if (answer || answered || steady_clock::now() >= until || co_await net::is_cancelled()) {
        co_return answer;
      }
    }
    auto opened = co_await open(until);
    if (!opened) co_return fail(opened.error());
    bool answered = false;
    co_return co_await exchange(*std::move(opened), request, until, answered);
  }

 private:
  using Request = protocol::request<protocol::string_body>;
  using Parser = protocol::response_parser<protocol::string_body>;

  Request make_request(std::string json) const {
    Request request(protocol::verb::post, url_.target, 11);
    request.set(protocol::field::host, url_.authority());
    request.set(protocol::field::user_agent, "bosswave");
    request.set(protocol::field::content_type, "application/json");
    request.set(protocol::field::accept, "application/json");
    request.body() = std::move(json);
    request.prepare_payload();
    return request;
  }

  std::unique_ptr<Connection> take_idle() {
    std::erase_if(idle_, [now = steady_clock::now()](const auto& connection) {
      return now - connection->idle_since > kIdleTime;
    });
    if (idle_.empty()) return nullptr;
    auto latest = std::move(idle_.back());
    idle_.pop_back();
    return latest;
  }

  net::Task<Result<std::unique_ptr<Connection>>> open(SteadyTime until) {
    if (url_.is_secure()) {
      auto stream = co_await open_secure(url_, tls_, until);
      if (!stream) co_return fail(stream.error());
      co_return std::make_unique<Connection>(Connection{.stream = *std::move(stream)});
    }
    auto stream = co_await open_plain(url_, until);
    if (!stream) co_return fail(stream.error());
    co_return std::make_unique<Connection>(Connection{.stream = *std::move(stream)});
  }

  // `answered`: whether anything of an answer came.
  net::Task<Result<Answer>> exchange(std::unique_ptr<Connection> connection, const Request& request,
                                     SteadyTime until, bool& answered) {
    Parser parser;
    parser.header_limit(kHeaderBytes);
    parser.body_limit(options_.answer_bytes);
    const auto error = co_await std::visit(
        [&](auto& stream) {
          return send_and_read(stream, connection->buffer, request, parser, until);
        },
        connection->stream);
    answered = parser.got_some() || connection->buffer.size() > 0;
    if (error) co_return fail(trouble(error));
    Answer answer{.status = parser.get().result_int(), .body = std::move(parser.get().body())};
    // Bytes that nobody asked for: what follows would be taken for the next answer.
    if (parser.get().keep_alive() && connection->buffer.size() == 0 &&
        idle_.size() < kIdleConnections) {
      connection->idle_since = steady_clock::now();
      idle_.push_back(std::move(connection));
    }
    co_return answer;
  }

  template <class Stream>
  static net::Task<boost::system::error_code> send_and_read(Stream& stream,
                                                            beast::flat_buffer& buffer,
                                                            const Request& request, Parser& parser,
                                                            SteadyTime until) {
    beast::get_lowest_layer(stream).expires_at(until);
    const auto [unsent, sent] = co_await protocol::async_write(stream, request, kAwait);
    if (unsent) co_return unsent;
    const auto [unread, read] = co_await protocol::async_read(stream, buffer, parser, kAwait);
    co_return unread;
  }

  Error trouble(const boost::system::error_code& error) const {
    if (error == protocol::error::body_limit) {
      return {ErrorCode::kTooLarge,
              fmt::format("{}: an answer of more than {} bytes", origin(), options_.answer_bytes)};
    }
    if (error == protocol::error::end_of_stream || error == protocol::error::partial_message) {
      return {ErrorCode::kUnavailable,
              fmt::format("{}: closed the connection before the answer was whole", origin())};
    }
    if (is_protocol_error(error)) {
      return {ErrorCode::kMalformed,
              fmt::format("{}: what it answers is not HTTP: {}", origin(), net::to_text(error))};
    }
    return trouble_with(url_, error);
  }

  ClientOptions options_;
  Url url_;
  std::shared_ptr<asio::ssl::context> tls_;
  std::vector<std::unique_ptr<Connection>> idle_;
};

}  // namespace

Result<std::unique_ptr<Client>> Client::make(ClientOptions options) {
  BW_TRY(Url url, parse_url(options.url));
  if (url.is_web_socket()) {
    return fail(ErrorCode::kInvalidArgument, "{}: expected http or https", url.origin());
  }
  std::shared_ptr<asio::ssl::context> tls;
  if (url.is_secure()) {
    BW_TRY(tls, tls_context(options.trust));
  }
  return std::make_unique<BeastClient>(std::move(options), std::move(url), std::move(tls));
}

}  // namespace bw::http
