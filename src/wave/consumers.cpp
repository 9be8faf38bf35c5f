// SPDX-License-Identifier: Apache-2.0
#include "wave/consumers.hpp"

#include <algorithm>

#include "wave/link.hpp"
#include "wave/search_frontier.hpp"

namespace bw::wave {
namespace {

// Adds all who hold `permissions` on `uri`.
Result<void> add_holders(const Request& request, const PermissionGraph& graph,
                         const AuthorityView& authority, Time now, const SearchBounds& bounds,
                         Consumers& out) {
  Liveness liveness(authority, now);
  const SearchContext context{.request = request,
                              .graph = graph,
                              .liveness = liveness,
                              .now = now,
                              .max_hops = std::min(bounds.hops, limits::kProofDots)};
  ForwardSearch search(context);
  BW_CHECK(search.run(bounds.edges));
  if (!search.exhausted()) {
    return fail(ErrorCode::kLimited, "{}/{}: the search for who may read it gave up at {} grants",
                request.ns.brief(), request.pattern.text(), bounds.edges);
  }
  for (std::uint32_t i = 0; i < search.labels().size(); ++i) {
    const EntityKey& entity = search.node(i);
    out.until = std::min(out.until, search.labels()[i].expires);
    if (entity == kEveryone) {
      out.everyone = true;
      continue;
    }
    BW_TRY(const auto status, authority.entity(entity));
    if (entity_obstacle(status, now)) continue;
    out.until = std::min(out.until, status->expires);
    out.entities.push_back(entity);
  }
  return {};
}

}  // namespace

Result<Consumers> consumers_of(const EntityKey& ns, const Pattern& uri,
                               const PermissionGraph& graph, const AuthorityView& authority,
                               Time now, std::size_t most, const SearchBounds& bounds) {
  Consumers out;
  BW_TRY(const auto ns_status, authority.entity(ns));
  if (entity_obstacle(ns_status, now)) return out;
  for (const Permissions permissions : {consume_permission(uri), tap_permission(uri)}) {
    const Request request{kEveryone, ns, uri, permissions};
    BW_CHECK(add_holders(request, graph, authority, now, bounds, out));
    if (out.everyone) return Consumers{.everyone = true, .entities = {}, .until = out.until};
  }
  std::ranges::sort(out.entities);
  out.entities.erase(std::ranges::unique(out.entities).begin(), out.entities.end());
  if (out.entities.size() > most) {
    return fail(ErrorCode::kLimited, "{}/{}: {} entities may read it; it can be sealed for {}",
                ns.brief(), uri.text(), out.entities.size(), most);
  }
  return out;
}

}  // namespace bw::wave
