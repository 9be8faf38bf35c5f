// SPDX-License-Identifier: Apache-2.0
#include "wave/link.hpp"

#include <array>

namespace bw::wave {
namespace {

constexpr std::array kAlways{Obstacle::kGrantedByEveryone, Obstacle::kTtl, Obstacle::kConditions,
                             Obstacle::kNotYetValid, Obstacle::kExpired};
constexpr std::array kForRequest{Obstacle::kNamespace, Obstacle::kPermissions, Obstacle::kPattern};

bool blocks(Obstacle obstacle, const Link& link, std::size_t links_after, Time now) {
  switch (obstacle) {
    case Obstacle::kGrantedByEveryone:
      return link.granter == kEveryone;
    case Obstacle::kTtl:
      return link.ttl < links_after;
    case Obstacle::kConditions:
      return link.has_conditions;
    case Obstacle::kNotYetValid:
      return now < link.not_before;
    case Obstacle::kExpired:
      return now >= link.expires;
    default:
      return false;
  }
}

bool blocks(Obstacle obstacle, const Link& link, const Request& request) {
  switch (obstacle) {
    case Obstacle::kNamespace:
      return link.ns != request.ns;
    case Obstacle::kPermissions:
      return !link.permissions.contains(request.permissions);
    case Obstacle::kPattern:
      return !covers(link.pattern, request.pattern);
    default:
      return false;
  }
}

}  // namespace

bool asks_for_nothing(const Request& request) {
  return request.permissions.empty() || request.pattern.text().empty();
}

Link::Link(const Dot& dot)
    : granter(dot.granter),
      grantee(dot.grantee),
      ns(dot.ns),
      pattern(dot.pattern),
      permissions(dot.permissions),
      ttl(dot.ttl),
      has_conditions(!dot.conditions.empty()),
      not_before(dot.not_before),
      expires(dot.expires) {}

Link::Link(const Edge& edge)
    : granter(edge.granter),
      grantee(edge.grantee),
      ns(edge.ns),
      pattern(edge.pattern),
      permissions(edge.permissions),
      ttl(edge.ttl),
      has_conditions(edge.has_conditions),
      not_before(edge.not_before),
      expires(edge.expires) {}

std::optional<Obstacle> validity_obstacle(const Link& link, std::size_t links_after, Time now) {
  for (const Obstacle obstacle : kAlways) {
    if (blocks(obstacle, link, links_after, now)) return obstacle;
  }
  return std::nullopt;
}

std::optional<Obstacle> first_obstacle(const Link& link, const Request& request,
                                       std::size_t links_after, Time now) {
  if (const auto obstacle = validity_obstacle(link, links_after, now)) return obstacle;
  for (const Obstacle obstacle : kForRequest) {
    if (blocks(obstacle, link, request)) return obstacle;
  }
  return std::nullopt;
}

std::vector<Obstacle> all_obstacles(const Link& link, const Request& request,
                                    std::size_t links_after, Time now) {
  std::vector<Obstacle> found;
  for (const Obstacle obstacle : kAlways) {
    if (blocks(obstacle, link, links_after, now)) found.push_back(obstacle);
  }
  for (const Obstacle obstacle : kForRequest) {
    if (blocks(obstacle, link, request)) found.push_back(obstacle);
  }
  return found;
}

ErrorCode code_of(Obstacle obstacle) {
  switch (obstacle) {
    case Obstacle::kConditions:
      return ErrorCode::kUnsupported;
    case Obstacle::kNotYetValid:
    case Obstacle::kExpired:
      return ErrorCode::kExpired;
    default:
      return ErrorCode::kDenied;
  }
}

std::string words(Obstacle obstacle, const Link& link, const Request& request,
                  std::size_t links_after) {
  const std::string granter = brief(link.granter);
  switch (obstacle) {
    case Obstacle::kGrantedByEveryone:
      return "is granted by everyone, whose key nobody holds; use another path";
    case Obstacle::kTtl:
      return fmt::format("has ttl {}, but {} more link{}; ask {} for a grant with ttl {} or more",
                         link.ttl, links_after, links_after == 1 ? " follows" : "s follow", granter,
                         links_after);
    case Obstacle::kConditions:
      return fmt::format(
          "carries conditions that this version does not understand; ask {} for a "
          "grant without conditions",
          granter);
    case Obstacle::kNotYetValid:
      return fmt::format("is not valid before {}; wait, or ask {} for an earlier grant",
                         to_text(link.not_before), granter);
    case Obstacle::kExpired:
      return fmt::format("expired {}; ask {} for a new grant", to_text(link.expires), granter);
    case Obstacle::kNamespace:
      return fmt::format("is about namespace {}, not {}; use a path of DoTs of that namespace",
                         brief(link.ns), brief(request.ns));
    case Obstacle::kPermissions:
      return fmt::format("grants {}, not {}; ask {} for {}", link.permissions.text(),
                         request.permissions.text(), granter,
                         request.permissions.without(link.permissions).text());
    case Obstacle::kPattern:
      return fmt::format("grants on {}, which does not cover all of {}; ask {} for {}",
                         link.pattern.text(), request.pattern.text(), granter,
                         request.pattern.text());
  }
  return {};
}

std::string describe(const ObjectId& dot, const Link& link) {
  return fmt::format("{}: {} -> {}, {} on {}", dot.brief(), brief(link.granter),
                     brief(link.grantee), link.permissions.text(), link.pattern.text());
}

std::string brief(const EntityKey& key) {
  return key == kEveryone ? "everyone" : key.brief();
}

std::optional<ErrorCode> entity_obstacle(const std::optional<EntityStatus>& status, Time now) {
  if (!status) return ErrorCode::kNotFound;
  if (status->revoked) return ErrorCode::kRevoked;
  if (now >= status->expires) return ErrorCode::kExpired;
  return std::nullopt;
}

std::string entity_words(ErrorCode code, const EntityKey& key) {
  switch (code) {
    case ErrorCode::kRevoked:
      return fmt::format("entity {} was revoked, for good; grants must go around it", brief(key));
    case ErrorCode::kExpired:
      return fmt::format("entity {} expired; its holder must renew it", brief(key));
    default:
      return fmt::format(
          "entity {} is not on the ledger as far as this node knows; register it, or "
          "wait until this node has caught up",
          brief(key));
  }
}

}  // namespace bw::wave
