// SPDX-License-Identifier: Apache-2.0
#include "http/url.hpp"

#include <algorithm>
#include <map>

#include "base/text.hpp"

namespace bw::http {
namespace {

constexpr std::size_t kUrlBytes = 2048;

const std::map<std::string, std::uint16_t, std::less<>>& own_ports() {
  static const std::map<std::string, std::uint16_t, std::less<>> ports{
      {"http", std::uint16_t{80}},
      {"https", std::uint16_t{443}},
      {"ws", std::uint16_t{80}},
      {"wss", std::uint16_t{443}}};
  return ports;
}

// What may stand in a request line and in a Host field as it is.
bool is_plain(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return c > ' ' && c <= '~' && c != '"' && c != '<' && c != '>'; });
}

bool has_port(std::string_view host) {
  const auto colon = host.rfind(':');
  const auto bracket = host.rfind(']');
  return colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
}

}  // namespace

std::string Url::authority() const {
  const bool is_v6 = where.host.find(':') != std::string::npos;
  std::string text = is_v6 ? "[" + where.host + "]" : where.host;
  if (where.port != own_ports().at(scheme)) text += ":" + std::to_string(where.port);
  return text;
}

Result<Url> parse_url(std::string_view text) {
  const auto malformed = [](std::string_view shown) {
    return fail(ErrorCode::kInvalidArgument,
                "'{}' is no address of a server: expected http, https, ws or wss://host[:port]"
                "[/path]",
                printable(shown, 80));
  };
  const auto mark = text.find("://");
  if (mark == std::string_view::npos) return malformed(text);
  const auto begin = mark + 3;
  const auto end = std::min(text.find_first_of("/?#", begin), text.size());
  const std::string_view shown = text.substr(0, end);
  const auto own_port = own_ports().find(text.substr(0, mark));
  std::string host(text.substr(begin, end - begin));
  if (text.size() > kUrlBytes || own_port == own_ports().end() || !is_plain(text) ||
      text.find('#') != std::string_view::npos) {
    return malformed(shown);
  }
  if (host.find('@') != std::string::npos) {
    return fail(ErrorCode::kInvalidArgument,
                "{}://...: users and passwords in addresses are not supported", own_port->first);
  }
  if (!has_port(host)) host += ":" + std::to_string(own_port->second);
  auto where = net::parse_host_port(host);
  if (!where || where->port == 0) return malformed(shown);
  Url url{.scheme = own_port->first, .where = *std::move(where)};
  if (end < text.size()) url.target = text.substr(end);
  if (url.target.front() == '?') url.target.insert(0, "/");
  return url;
}

}  // namespace bw::http
