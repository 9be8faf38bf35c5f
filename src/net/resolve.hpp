// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "net/address.hpp"
#include "net/channel.hpp"

namespace bw::net {

// The addresses of a name, or the one that it is. kUnavailable with the system's reason, or when
// `until` has passed; the system's resolver then goes on alone, as it cannot be interrupted.
Task<Result<std::vector<asio::ip::tcp::endpoint>>> resolve(
    HostPort where, std::chrono::steady_clock::time_point until);

}  // namespace bw::net
