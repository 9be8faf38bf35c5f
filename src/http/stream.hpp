// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

#include "http/url.hpp"
#include "net/channel.hpp"

// Connections of this room's clients. Its own business: Beast does not leave the room.
namespace bw::http {

namespace asio = boost::asio;
namespace beast = boost::beast;

using PlainStream = beast::tcp_stream;
using SecureStream = beast::ssl_stream<beast::tcp_stream>;
using SteadyTime = std::chrono::steady_clock::time_point;

// TLS 1.2 or later. `trust`: a PEM file with the authorities that count, by default the system's.
Result<std::shared_ptr<asio::ssl::context>> tls_context(const std::string& trust);

// Connected; operations fail after `until`, which holds until it is set anew.
net::Task<Result<PlainStream>> open_plain(Url url, SteadyTime until);
// The same, and the server has shown a certificate for the host of `url`.
net::Task<Result<SecureStream>> open_secure(Url url, std::shared_ptr<asio::ssl::context> context,
                                            SteadyTime until);

// What went wrong with the server of `url`.
Error trouble_with(const Url& url, const boost::system::error_code& error);

}  // namespace bw::http
