// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "net/address.hpp"

namespace bw::http {

struct Url {
  std::string scheme;  // http, https, ws or wss
  net::HostPort where;
  std::string target = "/";  // path and query, as in the request line

  [[nodiscard]] bool is_secure() const { return scheme == "https" || scheme == "wss"; }
  [[nodiscard]] bool is_web_socket() const { return scheme == "ws" || scheme == "wss"; }
  // As in the Host field: without the port where it is the scheme's own.
  [[nodiscard]] std::string authority() const;
  // For people and logs. Without the target: providers put their customers' keys there.
  [[nodiscard]] std::string origin() const { return scheme + "://" + authority(); }
};

// "https://host[:port][/path?query]"; else kInvalidArgument. Users, passwords and fragments are
// refused.
Result<Url> parse_url(std::string_view text);

}  // namespace bw::http
