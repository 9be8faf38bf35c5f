// SPDX-License-Identifier: Apache-2.0
#include "net/address.hpp"

#include <cctype>
#include <charconv>

#include <fmt/format.h>

#include "base/crowd.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"

namespace bw::net {

Result<HostPort> parse_host_port(std::string_view text) {
  const auto malformed = [&] {
    return fail(ErrorCode::kInvalidArgument,
                "'{}' is not an address: expected host:port or [IPv6]:port",
                printable(text, limits::kAddressBytes));
  };
  const auto colon = text.rfind(':');
  if (text.size() > limits::kAddressBytes || colon == std::string_view::npos) return malformed();

  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host.empty() || host.find_first_of(bracketed ? "[]" : ":[]") != std::string_view::npos) {
    return malformed();
  }

  const std::string_view digits = text.substr(colon + 1);
  HostPort parsed{.host = std::string(host)};
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), parsed.port);
  if (error != std::errc{} || end != digits.end()) return malformed();
  return parsed;
}

std::uint64_t origin_of(const boost::asio::ip::address& address) {
  return address.is_v4() ? bw::origin_of(address.to_v4().to_bytes())
                         : bw::origin_of(address.to_v6().to_bytes());
}

std::uint64_t origin_of(std::string_view peer_address) {
  const auto where = parse_host_port(peer_address);
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(where ? where->host : "", error);
  return error ? 0 : origin_of(address);
}

std::string to_text(const boost::asio::ip::tcp::endpoint& endpoint) {
  const auto address = endpoint.address();
  return fmt::format(fmt::runtime(address.is_v6() ? "[{}]:{}" : "{}:{}"), address.to_string(),
                     endpoint.port());
}

std::string to_text(const boost::system::error_code& error) {
  std::string text = error.message();
  if (!text.empty()) {
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  }
  return text;
}

}  // namespace bw::net
