// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "wave/search.hpp"

namespace bw::wave {

// Who may read what is said at one URI: for whom a sealed payload's key is wrapped.
struct Consumers {
  bool everyone = false;            // then nobody is listed
  std::vector<EntityKey> entities;  // ascending, each once; live, the namespace among them
  Time until = kNever;              // some path of theirs ends here; look again then
};

// Exactly those of whom authorize() can be convinced that they may consume or tap `uri`, which is
// concrete. Grants that begin later count from then on, so look again now and then. kLimited when
// there are more than `most`, or the search reaches its bounds: nobody may be left out unnoticed.
Result<Consumers> consumers_of(const EntityKey& ns, const Pattern& uri,
                               const PermissionGraph& graph, const AuthorityView& authority,
                               Time now, std::size_t most, const SearchBounds& bounds);

}  // namespace bw::wave
