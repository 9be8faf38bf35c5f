// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/id.hpp"

namespace bw::ledger {

// What a run of entries changed, so that caches and live subscriptions drop exactly what rested on
// it.
struct Effects {
  std::vector<EntityKey> entities;  // registered, renewed or revoked
  std::vector<ObjectId> revoked_dots;
  std::vector<EntityKey>
      granted_in;                   // namespaces with new DoTs: earlier refusals may no longer hold
  std::vector<EntityKey> affinity;  // namespaces whose designated router, or its address, changed
};

}  // namespace bw::ledger
