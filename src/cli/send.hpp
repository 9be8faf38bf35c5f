// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/app.hpp"

namespace bw::cli {

// The first error in the agent's answer to a frame of values.
Result<void> error_of(const api::PublishResults& results);
// Publishes or persists one value and waits until the router has handled it.
Result<void> send_one(App& app, const api::Value& value);

}  // namespace bw::cli
