// SPDX-License-Identifier: Apache-2.0
#include "net/address.hpp"

#include <cctype>
#include <charconv>

#include <fmt/format.h>

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
  if (host.empty() || (!bracketed && host.find_first_of(":[]") != std::string_view::npos)) {
    return malformed();
  }

  const std::string_view digits = text.substr(colon + 1);
  HostPort parsed{.host = std::string(host)};
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), parsed.port);
  if (error != std::errc{} || end != digits.end()) return malformed();
  return parsed;
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
