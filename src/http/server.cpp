// SPDX-License-Identifier: Apache-2.0
#include "http/server.hpp"

#include <list>
#include <map>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "base/text.hpp"

namespace bw::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace protocol = beast::http;
using asio::ip::tcp;

constexpr std::size_t kConnections = 64;
constexpr std::size_t kHeaderBytes = 8 * 1024;
constexpr std::chrono::seconds kDeadline{10};

using Routes = std::map<std::string, Server::Handler, std::less<>>;

// One connection: reads a request, answers it, closes. Owned by itself through the pending
// operation; the server keeps a weak list to close them.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, std::shared_ptr<const Routes> routes)
      : stream_(std::move(socket)), routes_(std::move(routes)) {
    parser_.header_limit(kHeaderBytes);
    parser_.body_limit(0);
  }

  void start() {
    stream_.expires_after(kDeadline);
    protocol::async_read(stream_, buffer_, parser_,
                         [self = shared_from_this()](beast::error_code error, std::size_t) {
                           if (!error) self->answer();
                         });
  }

  void close() {
    beast::error_code ignored;
    stream_.socket().close(ignored);
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

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_{kHeaderBytes};
  protocol::request_parser<protocol::empty_body> parser_;
  protocol::response<protocol::string_body> reply_;
  std::shared_ptr<const Routes> routes_;
};

class TcpServer final : public Server {
 public:
  TcpServer(asio::io_context& context, tcp::acceptor acceptor)
      : context_(context), acceptor_(std::move(acceptor)) {}

  ~TcpServer() override { stop(); }

  void get(std::string path, Handler handler) override {
    routes_->insert_or_assign(std::move(path), std::move(handler));
  }

  void start() override { accept(); }

  void stop() override {
    *alive_ = false;
    beast::error_code ignored;
    acceptor_.close(ignored);
    for (const auto& weak : connections_) {
      if (const auto connection = weak.lock()) connection->close();
    }
    connections_.clear();
  }

  std::string address() const override {
    beast::error_code ignored;
    const tcp::endpoint endpoint = acceptor_.local_endpoint(ignored);
    return fmt::format("{}:{}", endpoint.address().to_string(), endpoint.port());
  }

 private:
  void accept() {
    acceptor_.async_accept(
        context_, [this, alive = alive_](beast::error_code error, tcp::socket socket) {
          if (!*alive) return;
          connections_.remove_if([](const auto& weak) { return weak.expired(); });
          if (!error && connections_.size() < kConnections) {
            auto connection = std::make_shared<Connection>(std::move(socket), routes_);
            connections_.push_back(connection);
            connection->start();
          }
          accept();
        });
  }

  asio::io_context& context_;
  tcp::acceptor acceptor_;
  std::shared_ptr<Routes> routes_ = std::make_shared<Routes>();
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::list<std::weak_ptr<Connection>> connections_;
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

Result<std::unique_ptr<Server>> Server::bind(asio::io_context& context,
                                             const std::string& address) {
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
  return std::make_unique<TcpServer>(context, std::move(acceptor));
}

}  // namespace bw::http
