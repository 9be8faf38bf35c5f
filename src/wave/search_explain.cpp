// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <unordered_set>

#include "wave/link.hpp"
#include "wave/search_frontier.hpp"

namespace bw::wave {
namespace {

constexpr std::size_t kMisses = 5;
constexpr std::size_t kGranters = 10;

// How far a link is from what is wanted. Renewing is easier than widening, and a grant on something
// else is hardly a miss at all.
int distance(Obstacle obstacle, const Link& link, const Request& request) {
  switch (obstacle) {
    case Obstacle::kNotYetValid:
    case Obstacle::kExpired:
      return 1;
    case Obstacle::kTtl:
    case Obstacle::kConditions:
    case Obstacle::kPermissions:
      return 2;
    case Obstacle::kPattern:
      return intersect(link.pattern, request.pattern).empty() ? 8 : 3;
    case Obstacle::kNamespace:
    case Obstacle::kGrantedByEveryone:
      break;
  }
  return 100;
}
constexpr int kDeadEntity = 3;
constexpr int kMissingStart = 20;  // behind every path with one bad link

// Runs the forward search from the namespace and the backward searches to the end of their bounds,
// then joins them by exactly one link that cannot be used.
class Explainer {
 public:
  explicit Explainer(const SearchContext& context)
      : context_(context),
        forward_(context),
        backward_{BackwardSearch(context, context.request.origin),
                  BackwardSearch(context, kEveryone)} {}

  Result<Explanation> run(const SearchBounds& bounds) {
    BW_CHECK(forward_.run(bounds.edges / 2));
    BW_CHECK(search_back(0, bounds.edges / 4));
    BW_CHECK(search_back(1, bounds.edges / 4));
    Explanation out;
    out.exhausted_bounds =
        !forward_.exhausted() || !backward_[0].exhausted() || !backward_[1].exhausted();
    BW_CHECK(list_granters(out.granters));
    out.misses = best_misses(out.granters);
    return out;
  }

 private:
  Result<void> search_back(std::size_t side, std::size_t most_work) {
    BackwardSearch& back = backward_[side];
    std::vector<BackwardSearch::Refused> refused;
    back.collect_refused(refused);
    BW_CHECK(back.run(most_work));
    for (const auto& [edge, at] : refused) BW_CHECK(bridge(edge, back, at));
    for (std::uint32_t i = 1; i < back.labels().size(); ++i) BW_CHECK(pass_dead(back, i));
    if (side == 0) {
      for (std::uint32_t i = 1; i < back.labels().size(); ++i) BW_CHECK(start_missing(back, i));
    }
    return {};
  }

  Result<bool> live(const EntityKey& key) const {
    if (key == kEveryone) return true;
    return context_.liveness.live(key);
  }

  // ns .. granter, the edge that cannot be used, grantee .. target.
  Result<void> bridge(const Edge& edge, const BackwardSearch& back, std::uint32_t at) {
    const std::size_t after = back.labels()[at].hops;
    const std::uint32_t from = forward_.best(edge.granter, after + 1);
    if (from == kNone) return {};
    BW_TRY(const bool granter_live, live(edge.granter));
    BW_TRY(const bool grantee_live, live(edge.grantee));
    if (!granter_live || !grantee_live) return {};
    const Link link(edge);
    int sum = 0;
    std::string reason;
    for (const Obstacle obstacle : all_obstacles(link, context_.request, after, context_.now)) {
      sum += distance(obstacle, link, context_.request);
      reason +=
          (reason.empty() ? "" : "; and it ") + words(obstacle, link, context_.request, after);
    }
    NearMiss miss;
    forward_.append_path(from, miss.path.edges);
    miss.link = static_cast<int>(miss.path.edges.size());
    miss.path.edges.push_back(edge);
    back.append_path(at, miss.path.edges);
    miss.reason = name(miss) + " " + reason;
    keep(sum, std::move(miss));
    return {};
  }

  // ns .. an entity that is revoked, expired or unregistered .. target.
  Result<void> pass_dead(const BackwardSearch& back, std::uint32_t at) {
    const BackwardSearch::Label& label = back.labels()[at];
    const std::uint32_t from = forward_.best(label.node, label.hops);
    if (from == kNone) return {};
    BW_TRY(const auto code, context_.liveness.obstacle(label.node));
    if (!code) return {};
    NearMiss miss;
    forward_.append_path(from, miss.path.edges);
    miss.link = static_cast<int>(miss.path.edges.size());
    back.append_path(at, miss.path.edges);
    miss.reason = name(miss) + " has a granter that fails: " + entity_words(*code, label.node);
    keep(kDeadEntity, std::move(miss));
    return {};
  }

  // Links that would do lead to the origin from an entity to which none of any kind lead.
  Result<void> start_missing(const BackwardSearch& back, std::uint32_t at) {
    const BackwardSearch::Label& label = back.labels()[at];
    if (forward_.best(label.node, 0) != kNone) return {};
    BW_TRY(const bool usable, live(label.node));
    if (!usable) return {};
    NearMiss miss;
    back.append_path(at, miss.path.edges);
    miss.reason = fmt::format(
        "{} may pass {} on {} on to {}, but holds it from nobody; grant it to {} "
        "with ttl {} or more",
        brief(label.node), context_.request.permissions.text(), context_.request.pattern.text(),
        brief(context_.request.origin), brief(label.node), label.hops);
    keep(kMissingStart, std::move(miss));
    return {};
  }

  std::string name(const NearMiss& miss) const {
    const Edge& edge = miss.path.edges[static_cast<std::size_t>(miss.link)];
    return fmt::format("link {} of {} ({})", miss.link + 1, miss.path.edges.size(),
                       describe(edge.dot, Link(edge)));
  }

  void keep(int distance, NearMiss miss) {
    for (const Edge& edge : miss.path.edges) {
      miss.path.expires = std::min(miss.path.expires, edge.expires);
    }
    const std::size_t links = miss.path.edges.size();
    misses_.emplace(std::pair(distance, links), std::move(miss));
  }

  std::vector<NearMiss> best_misses(const std::vector<EntityKey>& granters) {
    std::vector<NearMiss> best;
    for (auto& [rank, miss] : misses_) {
      if (best.size() == kMisses) break;
      best.push_back(std::move(miss));
    }
    if (best.empty()) best.push_back(nothing(granters));
    return best;
  }

  NearMiss nothing(const std::vector<EntityKey>& granters) const {
    const Request& request = context_.request;
    NearMiss miss;
    miss.link = 0;
    miss.reason =
        fmt::format("no grant in namespace {} leads to {}; ask {} for {} on {}", brief(request.ns),
                    brief(request.origin), brief(granters.empty() ? request.ns : granters.back()),
                    request.permissions.text(), request.pattern.text());
    return miss;
  }

  // Nearest to the namespace first, which is itself the first.
  Result<void> list_granters(std::vector<EntityKey>& granters) const {
    std::unordered_set<EntityKey> seen;
    for (std::uint32_t i = 0; i < forward_.labels().size() && granters.size() < kGranters; ++i) {
      if (forward_.labels()[i].remaining == 0) continue;
      const EntityKey& node = forward_.node(i);
      if (node == kEveryone || node == context_.request.origin || !seen.insert(node).second) {
        continue;
      }
      BW_TRY(const bool usable, context_.liveness.live(node));
      if (usable) granters.push_back(node);
    }
    return {};
  }

  const SearchContext& context_;
  ForwardSearch forward_;
  std::array<BackwardSearch, 2> backward_;
  std::multimap<std::pair<int, std::size_t>, NearMiss> misses_;  // by distance, then links
};

NearMiss without_path(std::string reason) {
  NearMiss miss;
  miss.link = 0;
  miss.reason = std::move(reason);
  return miss;
}

}  // namespace

Result<Explanation> explain(const Request& request, const PermissionGraph& graph,
                            const AuthorityView& authority, Time now, const SearchBounds& bounds) {
  Explanation out;
  if (asks_for_nothing(request)) {
    out.misses.push_back(without_path("the request names no permission or no URI; name both"));
    return out;
  }
  if (request.origin == kEveryone) {
    out.misses.push_back(without_path("nobody can act as everyone: name the entity that asks"));
    return out;
  }
  BW_TRY(SearchOutcome outcome, find_path(request, graph, authority, now, bounds));
  if (outcome.path) {
    out.path = std::move(outcome.path);
    return out;
  }
  Liveness liveness(authority, now);
  for (const EntityKey& key : {request.ns, request.origin}) {
    BW_TRY(const auto code, liveness.obstacle(key));
    if (code) out.misses.push_back(without_path(entity_words(*code, key)));
  }
  if (!out.misses.empty()) return out;
  const SearchContext context{.request = request,
                              .graph = graph,
                              .liveness = liveness,
                              .now = now,
                              .max_hops = std::min(bounds.hops, limits::kProofDots)};
  return Explainer(context).run(bounds);
}

}  // namespace bw::wave
