// SPDX-License-Identifier: Apache-2.0
#include "wave/graph.hpp"

namespace bw::wave {

Edge edge_of(const Signed<Dot>& dot) {
  const Dot& value = dot.value;
  return {.dot = dot.id,
          .granter = value.granter,
          .grantee = value.grantee,
          .ns = value.ns,
          .permissions = value.permissions,
          .ttl = value.ttl,
          .not_before = value.not_before,
          .expires = value.expires,
          .has_conditions = !value.conditions.empty(),
          .pattern = value.pattern};
}

}  // namespace bw::wave
