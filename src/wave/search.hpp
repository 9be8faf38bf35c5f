// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "wave/authorize.hpp"
#include "wave/graph.hpp"

namespace bw::wave {

struct SearchBounds {
  // Edges looked at, all directions together; looking up an entity or a place in an index counts as
  // one too, because on disk it costs as much.
  std::size_t edges = 20'000;
  std::size_t hops = limits::kProofDots;
};

// DoT ids of a path, namespace first, with what a caller wants to know of it.
struct Path {
  std::vector<Edge> edges;
  Time expires = kNever;  // the earliest expiry of the edges
};

struct SearchOutcome {
  std::optional<Path> path;
  std::size_t edges_seen = 0;     // counted as SearchBounds::edges
  bool exhausted_bounds = false;  // gave up: a no is then not certain
};

// Finds a path for `request` that authorize() will accept, preferring fewer hops, then later
// expiry. Works from both ends in step: anybody can add edges that end at a victim, nobody but the
// namespace's delegates can add useful ones that start there, and hubs and spammed entities are
// read lazily, so the cost is that of the cheaper side. Cycles are cut by visited sets with
// dominance.
Result<SearchOutcome> find_path(const Request& request, const PermissionGraph& graph,
                                const AuthorityView& authority, Time now,
                                const SearchBounds& bounds = {});

// Why a request is refused although edges exist: the nearest misses, best first, and who could give
// what is missing.
struct NearMiss {
  Path path;  // a path that fails at `link` only
  // Index into path.edges. path.edges.size(): nothing leads on from the path's end to the origin
  // (of an empty path: from the namespace). -1: the path leads to the origin, but nothing leads
  // from the namespace to its first granter.
  int link = -1;
  std::string reason;  // "link 2 of 3 (...) grants C, not P; ask <granter> for P"
};
struct Explanation {
  std::optional<Path> path;         // set when allowed
  std::vector<NearMiss> misses;     // at most 5
  std::vector<EntityKey> granters;  // entities that hold the right and may delegate it, at most 10
  bool exhausted_bounds = false;
};
Result<Explanation> explain(const Request& request, const PermissionGraph& graph,
                            const AuthorityView& authority, Time now,
                            const SearchBounds& bounds = {});

// Who may do `permissions` on `pattern` in `ns` (the namespace itself first; kEveryone for a grant
// to all). Each with the path that proves it.
struct Holder {
  EntityKey entity;
  Path path;
};
struct Holders {
  std::vector<Holder> list;
  bool exhausted_bounds = false;  // there may be more
};
Result<Holders> who_can(const EntityKey& ns, const Pattern& pattern, Permissions permissions,
                        const PermissionGraph& graph, const AuthorityView& authority, Time now,
                        const SearchBounds& bounds = {});

// Everything `entity` can do: maximal (namespace, pattern, permissions) triples over all paths.
struct Capability {
  EntityKey ns;
  Pattern pattern;
  Permissions permissions;
  std::uint8_t ttl;  // further delegations left
  Time expires;
  Path path;
};
struct Capabilities {
  std::vector<Capability> list;
  bool exhausted_bounds = false;  // there may be more
};
Result<Capabilities> what_can(const EntityKey& entity, const PermissionGraph& graph,
                              const AuthorityView& authority, Time now,
                              const SearchBounds& bounds = {});

}  // namespace bw::wave
