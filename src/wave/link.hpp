// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "wave/authorize.hpp"
#include "wave/graph.hpp"

// What makes a single DoT useless for a request: one rule for the DoTs of a proof (authorize) and
// for the edges of the graph (search).
namespace bw::wave {

// Every link would carry such a request, so it is refused instead.
bool asks_for_nothing(const Request& request);

// The fields that matter, borrowed from a DoT or an edge, which must outlive this.
struct Link {
  explicit Link(const Dot& dot);
  explicit Link(const Edge& edge);

  const EntityKey& granter;
  const EntityKey& grantee;
  const EntityKey& ns;
  const Pattern& pattern;
  Permissions permissions;
  std::uint8_t ttl;
  bool has_conditions;
  Time not_before;
  Time expires;
};

// In the order they are checked, which is by cost.
enum class Obstacle : std::uint8_t {
  kGrantedByEveryone,
  kTtl,
  kConditions,
  kNotYetValid,
  kExpired,
  kNamespace,
  kPermissions,
  kPattern,
};

// What is wrong with the link whatever is asked, when `links_after` more follow it.
std::optional<Obstacle> validity_obstacle(const Link& link, std::size_t links_after, Time now);

// The first thing that keeps the link from carrying `request`.
std::optional<Obstacle> first_obstacle(const Link& link, const Request& request,
                                       std::size_t links_after, Time now);
std::vector<Obstacle> all_obstacles(const Link& link, const Request& request,
                                    std::size_t links_after, Time now);

ErrorCode code_of(Obstacle obstacle);
// A predicate with the way out: "expired 2026-01-01T00:00:00Z; ask <granter> for a new grant".
std::string words(Obstacle obstacle, const Link& link, const Request& request,
                  std::size_t links_after);

// "<dot>: <granter> -> <grantee>, C*P on floor1/*"
std::string describe(const ObjectId& dot, const Link& link);
// Brief id, or "everyone".
std::string brief(const EntityKey& key);

// kNotFound (not registered), kRevoked or kExpired; nothing when the entity may take part.
std::optional<ErrorCode> entity_obstacle(const std::optional<EntityStatus>& status, Time now);
// "entity <id> was revoked; ..." for one of the codes above.
std::string entity_words(ErrorCode code, const EntityKey& key);

}  // namespace bw::wave
