// SPDX-License-Identifier: Apache-2.0
#include "http/server.hpp"

#include <map>
#include <optional>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "base/crowd.hpp"
#include "base/text.hpp"

namespace bw::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace protocol = beast::http;
using asio::ip::tcp;

constexpr std::size_t kHeaderBytes = 8 * 1024;
constexpr std::chrono::milliseconds kPause{100};

class Connection;
using Connections = Crowd<std::weak_ptr<Connection>>;
using Routes = std::map<std::string, Server::Handler, std::less<>>;

// One connection: reads a request, answers it, closes. Owned by itself through the pending
// operation.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, std::shared_ptr<const Routes> routes,
             std::shared_ptr<Connections> others, std::uint64_t origin)
      : stream_(std::move(socket)), routes_(std::move(routes)), others_(std::move(others)) {
    place_ = others_->enter(origin, {});
    parser_.header_limit(kHeaderBytes);
    parser_.body_limit(0);
  }
  ~Connection() { leave(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start(Duration deadline) {
    (*place_)->value = weak_from_this();
    stream_.expires_after(deadline);  // for the answer too
    protocol::async_read(stream_, buffer_, parser_,
                         [self = shared_from_this()](beast::error_code error, std::size_t) {
                           if (!error) self->answer();
                         });
  }

  void close() {
    beast::error_code ignored;
    stream_.socket().close(ignored);
    leave();
  }

 private:
  void answer() {
    const Response response = respond();
    reply_.result(response.status);
    reply_.set(protocol::field::content_type, response.content_type);
    reply_.keep_alive(false);
    reply_.body() = response.body;
    reply_.prepare_payload();
    protocol::async_write(stream_, reply_,
                          [self = shared_from_this()](beast::error_code, std::size_t) {
                            beast::error_code ignored;
                            self->stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
                          });
  }

  Response respond() const {
    const auto& request = parser_.get();
    if (request.method() != protocol::verb::get) {
      return {.status = 405, .body = "only GET is served here\n"};
    }
    const std::string_view target(request.target().data(), request.target().size());
    const auto found = routes_->find(target.substr(0, target.find('?')));
    if (found == routes_->end())
      return {.status = 404, .body = "not found; try /metrics or /healthz\n"};
    return found->second();
  }

  void leave() {
    if (const auto place = std::exchange(place_, std::nullopt)) others_->leave(*place);
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_{kHeaderBytes};
  protocol::request_parser<protocol::empty_body> parser_;
  protocol::response<protocol::string_body> reply_;
  std::shared_ptr<const Routes> routes_;
  std::shared_ptr<Connections> others_;
  std::optional<Connections::Place> place_;
};

class TcpServer final : public Server {
 public:
  TcpServer(asio::io_context& context, tcp::acceptor acceptor, Limits limits)
      : context_(context), acceptor_(std::move(acceptor)), limits_(limits), pause_(context) {}

  ~TcpServer() override { stop(); }

  void get(std::string path, Handler handler) override {
    routes_->insert_or_assign(std::move(path), std::move(handler));
  }

  void start() override { accept(); }

  void stop() override {
    *alive_ = false;
    beast::error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    while (auto* oldest = connections_->oldest_of_greediest()) oldest->lock()->close();
  }

  std::size_t open_connections() const override { return connections_->size(); }

  std::string address() const override {
    beast::error_code ignored;
    const tcp::endpoint endpoint = acceptor_.local_endpoint(ignored);
    return fmt::format("{}:{}", endpoint.address().to_string(), endpoint.port());
  }

 private:
  void accept() {
    acceptor_.async_accept(context_,
                           [this, alive = alive_](beast::error_code error, tcp::socket socket) {
                             if (!*alive) return;
                             if (error) return accept_later();
                             welcome(std::move(socket));
                             accept();
                           });
  }

  // Out of file handles: the client waits in the backlog until some are free.
  void accept_later() {
    pause_.expires_after(kPause);
    pause_.async_wait([this, alive = alive_](beast::error_code) {
      if (*alive) accept();
    });
  }

  void welcome(tcp::socket socket) {
    beast::error_code error;
    const auto peer = socket.remote_endpoint(error);
    if (error) return;
    if (connections_->size() >= limits_.connections) {
      connections_->oldest_of_greediest()->lock()->close();
    }
    std::make_shared<Connection>(std::move(socket), routes_, connections_,
                                 origin_of(peer.address()))
        ->start(limits_.deadline);
  }

  static std::uint64_t origin_of(const asio::ip::address& address) {
    return address.is_v4() ? bw::origin_of(address.to_v4().to_bytes())
                           : bw::origin_of(address.to_v6().to_bytes());
  }

  asio::io_context& context_;
  tcp::acceptor acceptor_;
  Limits limits_;
  asio::steady_timer pause_;
  std::shared_ptr<Routes> routes_ = std::make_shared<Routes>();
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::shared_ptr<Connections> connections_ = std::make_shared<Connections>();
};

Result<tcp::endpoint> parse_endpoint(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  beast::error_code error;
  unsigned long port = 65536;
  if (colon != std::string::npos) {
    char* end = nullptr;
    port = std::strtoul(address.c_str() + colon + 1, &end, 10);
    if (*end != '\0' || end == address.c_str() + colon + 1) port = 65536;
  }
  const auto host =
      asio::ip::make_address(address.substr(0, std::min(colon, address.size())), error);
  if (error || port > 65535) {
    return fail(ErrorCode::kInvalidArgument,
                "'{}' is not an address to listen on: write 127.0.0.1:9090",
                printable(address, 80));
  }
  return tcp::endpoint(host, static_cast<unsigned short>(port));
}

}  // namespace

Result<std::unique_ptr<Server>> Server::bind(asio::io_context& context, const std::string& address,
                                             Limits limits) {
  BW_TRY(const tcp::endpoint endpoint, parse_endpoint(address));
  tcp::acceptor acceptor(context);
  beast::error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return fail(ErrorCode::kIo,
                "cannot listen on {} for metrics: {}; choose another address with "
                "metrics.listen",
                address, error.message());
  }
  return std::make_unique<TcpServer>(context, std::move(acceptor), limits);
}

}  // namespace bw::http
