// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/this_coro.hpp>

#include "net/channel.hpp"

namespace bw::net {

// Asio cancels the one operation under way and no later one. What waits in this room asks here
// first, so that a cancelled task cannot wait again by mistake.
inline Task<bool> is_cancelled() {
  const auto state = co_await asio::this_coro::cancellation_state;
  co_return state.cancelled() != asio::cancellation_type::none;
}

}  // namespace bw::net
