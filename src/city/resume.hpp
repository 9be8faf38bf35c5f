// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "city/churn.hpp"
#include "city/follower.hpp"
#include "city/progress_file.hpp"

namespace bw::city {

// How many events of the churn are on the ledger, whoever put them there.
ProgressFile churn_progress(const std::filesystem::path& directory, const Model& model, double peak,
                            const Door& door);

// Waits until the follower knows the whole city, brings `churn` (fresh) to where the city stopped
// and returns its last event, empty when there was none. kNotFound when the ledger holds no such
// city.
Result<Event> resume(const Model& model, const ProgressFile& progress, Follower& follower,
                     Churn& churn, const Follower::OnProgress& on_following);

}  // namespace bw::city
