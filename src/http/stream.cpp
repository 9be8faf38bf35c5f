// SPDX-License-Identifier: Apache-2.0
#include "http/stream.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/error.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "net/cancellation.hpp"
#include "net/resolve.hpp"

namespace bw::http {
namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

}  // namespace

Result<std::shared_ptr<asio::ssl::context>> tls_context(const std::string& trust) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
  boost::system::error_code error;
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  context->set_verify_mode(asio::ssl::verify_peer, error);
  if (!error && trust.empty()) context->set_default_verify_paths(error);
  if (!error && !trust.empty()) context->load_verify_file(trust, error);
  if (!error) return context;
  return fail(ErrorCode::kIo, "cannot read the certificate authorities of {}: {}",
              trust.empty() ? "the system" : trust, net::to_text(error));
}

Error trouble_with(const Url& url, const boost::system::error_code& error) {
  const std::string where = url.origin();
  if (error == beast::error::timeout) {
    return {ErrorCode::kUnavailable, fmt::format("{}: no answer in time", where)};
  }
  if (error == asio::error::operation_aborted) {
    return {ErrorCode::kUnavailable, fmt::format("{}: cancelled", where)};
  }
  if (error == asio::error::connection_refused) {
    return {ErrorCode::kUnavailable, fmt::format("{}: connection refused; is it running?", where)};
  }
  return {ErrorCode::kUnavailable, fmt::format("{}: {}", where, net::to_text(error))};
}

net::Task<Result<PlainStream>> open_plain(Url url, SteadyTime until) {
  const auto endpoints = co_await net::resolve(url.where, until);
  if (!endpoints) {
    co_return fail(endpoints.error().code, "{}: {}", url.origin(), endpoints.error().message);
  }
  Error last = trouble_with(url, asio::error::operation_aborted);
  for (std::size_t i = 0; i < endpoints->size() && !co_await net::is_cancelled(); ++i) {
    // An address that swallows packets must leave time for the others.
    const auto now = std::chrono::steady_clock::now();
    const auto share = std::max(until - now, SteadyTime::duration::zero()) /
                       static_cast<int>(endpoints->size() - i);
    PlainStream stream(co_await asio::this_coro::executor);
    stream.expires_at(now + share);
    const auto [error] = co_await stream.async_connect((*endpoints)[i], kAwait);
    if (!error) {
      boost::system::error_code ignored;
      stream.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
      stream.expires_at(until);
      co_return std::move(stream);
    }
    last = trouble_with(url, error);
  }
  co_return fail(last);
}

net::Task<Result<SecureStream>> open_secure(Url url, std::shared_ptr<asio::ssl::context> context,
                                            SteadyTime until) {
  auto plain = co_await open_plain(url, until);
  if (!plain) co_return fail(plain.error());
  SecureStream stream(*std::move(plain), *context);
  // Fails only without memory.
  SSL_set_tlsext_host_name(stream.native_handle(), url.where.host.c_str());
  stream.set_verify_callback(asio::ssl::host_name_verification(url.where.host));
  const auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::client, kAwait);
  if (!error) co_return std::move(stream);
  const long verified = SSL_get_verify_result(stream.native_handle());
  if (verified == X509_V_OK) co_return fail(trouble_with(url, error));
  co_return fail(ErrorCode::kUnavailable, "{}: its certificate is not trusted: {}", url.origin(),
                 X509_verify_cert_error_string(verified));
}

}  // namespace bw::http
