// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <unordered_set>

#include "wave/link.hpp"
#include "wave/search_frontier.hpp"

namespace bw::wave {

Result<Holders> who_can(const EntityKey& ns, const Pattern& pattern, Permissions permissions,
                        const PermissionGraph& graph, const AuthorityView& authority, Time now,
                        const SearchBounds& bounds) {
  const Request request{
      .origin = kEveryone, .ns = ns, .pattern = pattern, .permissions = permissions};
  Holders holders;
  Liveness liveness(authority, now);
  BW_TRY(const bool ns_live, liveness.live(ns));
  if (!ns_live || asks_for_nothing(request)) return holders;
  const SearchContext context{.request = request,
                              .graph = graph,
                              .liveness = liveness,
                              .now = now,
                              .max_hops = std::min(bounds.hops, limits::kProofDots)};
  ForwardSearch search(context);
  BW_CHECK(search.run(bounds.edges));
  holders.exhausted_bounds = !search.exhausted();
  std::unordered_set<EntityKey> seen;
  for (std::uint32_t i = 0; i < search.labels().size(); ++i) {
    const EntityKey& node = search.node(i);
    if (!seen.insert(node).second) continue;
    if (node != kEveryone) {
      BW_TRY(const bool live, liveness.live(node));
      if (!live) continue;
    }
    const std::uint32_t best = search.best(node, 0);
    Holder holder{.entity = node, .path = {}};
    search.append_path(best, holder.path.edges);
    holder.path.expires = search.labels()[best].expires;
    holders.list.push_back(std::move(holder));
  }
  return holders;
}

}  // namespace bw::wave
