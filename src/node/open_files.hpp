// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "net/channel.hpp"

namespace bw::node {

// Raises the number of files this process may have open as far as the system lets it, and returns
// that number.
std::uint64_t raise_open_files();

// `limits` for one of `listeners` of a process that may have `files` open: so many connections that
// files are left for everything else, and the share of one address in the same proportion.
net::ListenerLimits fit(net::ListenerLimits limits, std::uint64_t files, unsigned listeners);

}  // namespace bw::node
