// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>

#include "base/result.hpp"

namespace bw::net {

struct HostPort {
  std::string host;  // a name or an address, IPv6 without brackets
  std::uint16_t port = 0;
};

// "host:port" or "[v6]:port"; else kInvalidArgument.
Result<HostPort> parse_host_port(std::string_view text);

// Who counts as one source (base/crowd.hpp).
std::uint64_t origin_of(const boost::asio::ip::address& address);
// The same of what Channel::peer_address() says.
std::uint64_t origin_of(std::string_view peer_address);

// "192.0.2.1:4514" or "[2001:db8::1]:4514".
std::string to_text(const boost::asio::ip::tcp::endpoint& endpoint);

// What the system says about an error, in the style of our messages.
std::string to_text(const boost::system::error_code& error);

}  // namespace bw::net
