// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "wave/authorize.hpp"
#include "wave/graph.hpp"

namespace bw::city {

// Whether any path of DoTs allows `request`, found out the slow and plain way: everything that
// anybody on the way from the namespace has granted is looked at, with matching of its own, and no
// code of the proof search. For requests of one concrete URI in a city in which all is live.
Result<bool> oracle_allows(const wave::PermissionGraph& graph, const wave::Request& request);

}  // namespace bw::city
