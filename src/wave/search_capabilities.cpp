// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <unordered_map>

#include "wave/link.hpp"
#include "wave/search_frontier.hpp"

namespace bw::wave {
namespace {

// Pattern comparisons per edge of the bounds: states at one node are compared with each other, and
// a spammer can make many that differ.
constexpr std::size_t kComparisonsPerEdge = 64;

struct Place {
  EntityKey ns;
  EntityKey node;
  friend bool operator==(const Place&, const Place&) = default;
};
struct PlaceHash {
  std::size_t operator()(const Place& place) const noexcept {
    const std::hash<EntityKey> hash;
    return hash(place.ns) * 31 + hash(place.node);
  }
};

// "If `node` had `permissions` on `pattern` of `ns`, so would the entity."
struct State {
  EntityKey ns;
  EntityKey node;
  Pattern pattern;
  Permissions permissions;
  std::uint8_t ttl = 0;   // how many links could follow the path
  std::uint8_t hops = 0;  // links from `node` to the end
  Time expires;
  std::uint32_t edge = kNone;
  std::uint32_t next = kNone;  // state of the edge's grantee
  bool superseded = false;
};

// Back from the entity through all namespaces, narrowing pattern and permissions link by link, in
// layers of equal length. A state is dropped when another at its place has no more links behind it
// and allows all it allows: whatever path completes the one completes the other.
class CapabilitySearch {
 public:
  CapabilitySearch(const EntityKey& entity, const PermissionGraph& graph, Liveness& liveness,
                   Time now, const SearchBounds& bounds)
      : entity_(entity),
        graph_(graph),
        liveness_(liveness),
        now_(now),
        max_hops_(std::min(bounds.hops, limits::kProofDots)),
        comparisons_left_(bounds.edges * kComparisonsPerEdge) {}

  // Everything that grants to `target` lead to. Stops when all searching has cost `most_work`.
  Result<void> search_from(const EntityKey& target, std::size_t most_work) {
    most_work_ = most_work;
    std::size_t next = states_.size();
    BW_CHECK(read(graph_.all_granted_to(target), kNone));
    for (; next < states_.size() && within_bounds(); ++next) {
      BW_CHECK(expand(static_cast<std::uint32_t>(next)));
    }
    gave_up_ = gave_up_ || !within_bounds();
    return {};
  }

  [[nodiscard]] bool gave_up() const { return gave_up_; }

  Result<std::vector<Capability>> capabilities() {
    std::vector<Capability> found;
    for (const State& state : states_) {
      if (state.superseded || state.node != state.ns) continue;
      BW_TRY(const bool live, liveness_.live(state.ns));
      if (!live) continue;
      found.push_back({.ns = state.ns,
                       .pattern = state.pattern,
                       .permissions = state.permissions,
                       .ttl = state.ttl,
                       .expires = state.expires,
                       .path = path_of(state)});
    }
    return found;
  }

 private:
  bool within_bounds() const { return work_ < most_work_ && comparisons_left_ > 0; }

  Result<void> expand(std::uint32_t index) {
    const State& state = states_[index];
    if (state.superseded || state.node == state.ns || state.hops >= max_hops_) return {};
    ++work_;
    BW_TRY(const bool live, liveness_.live(state.node));
    if (!live) return {};
    return read(graph_.granted_to(state.ns, state.node), index);
  }

  Result<void> read(std::unique_ptr<EdgeCursor> cursor, std::uint32_t next) {
    ++work_;
    Edge edge;
    while (within_bounds()) {
      BW_TRY(const bool more, cursor->next(edge));
      if (!more) return {};
      ++work_;
      follow(edge, next);
    }
    return {};
  }

  void follow(const Edge& edge, std::uint32_t next) {
    const std::size_t links_after = next == kNone ? 0 : states_[next].hops;
    if (validity_obstacle(Link(edge), links_after, now_)) return;
    // What leads through the entity itself it has already; in its own namespace it needs no grant.
    if (edge.granter == entity_ || edge.ns == entity_) return;
    State state{.ns = edge.ns,
                .node = edge.granter,
                .pattern = edge.pattern,
                .permissions = edge.permissions,
                .ttl = edge.ttl,
                .hops = static_cast<std::uint8_t>(links_after + 1),
                .expires = edge.expires,
                .edge = static_cast<std::uint32_t>(edges_.size()),
                .next = next};
    edges_.push_back(edge);
    if (next == kNone) {
      add(std::move(state));
      return;
    }
    const State& after = states_[next];
    state.permissions = edge.permissions.intersect(after.permissions);
    if (state.permissions.empty()) return;
    state.ttl = std::min(after.ttl, static_cast<std::uint8_t>(edge.ttl - links_after));
    state.expires = std::min(after.expires, edge.expires);
    for (Pattern& pattern : intersect(edge.pattern, Pattern(after.pattern))) {
      State narrowed = state;
      narrowed.pattern = std::move(pattern);
      add(std::move(narrowed));
    }
  }

  void add(State state) {
    std::vector<std::uint32_t>& here = places_[{state.ns, state.node}];
    // At the namespace the path is complete, so its length no longer decides whether it is needed.
    const bool complete = state.node == state.ns;
    for (const std::uint32_t index : here) {
      if (comparisons_left_ == 0) return;
      --comparisons_left_;
      if (makes_needless(states_[index], state, complete)) return;
    }
    std::erase_if(here, [&](std::uint32_t index) {
      if (comparisons_left_ == 0) return false;
      --comparisons_left_;
      State& old = states_[index];
      return old.superseded = makes_needless(state, old, complete);
    });
    here.push_back(static_cast<std::uint32_t>(states_.size()));
    states_.push_back(std::move(state));
  }

  // Of two that allow the same, the one with fewer hops, then later expiry, then more ttl is kept.
  static bool makes_needless(const State& a, const State& b, bool complete) {
    if (!complete && a.hops > b.hops) return false;
    if (!a.permissions.contains(b.permissions)) return false;
    if (a.permissions == b.permissions && a.pattern == b.pattern) {
      if (a.hops != b.hops) return a.hops < b.hops;
      if (a.expires != b.expires) return a.expires > b.expires;
      return a.ttl >= b.ttl;
    }
    return covers(a.pattern, b.pattern);
  }

  Path path_of(const State& state) const {
    Path path{.edges = {}, .expires = state.expires};
    for (const State* at = &state;; at = &states_[at->next]) {
      path.edges.push_back(edges_[at->edge]);
      if (at->next == kNone) return path;
    }
  }

  EntityKey entity_;
  const PermissionGraph& graph_;
  Liveness& liveness_;
  Time now_;
  std::size_t max_hops_;
  std::size_t comparisons_left_;
  std::size_t most_work_ = 0;
  std::size_t work_ = 0;
  bool gave_up_ = false;
  std::vector<State> states_;
  std::vector<Edge> edges_;
  std::unordered_map<Place, std::vector<std::uint32_t>, PlaceHash> places_;
};

Result<Capability> own_namespace(const EntityKey& entity, const AuthorityView& authority) {
  BW_TRY(const auto status, authority.entity(entity));
  BW_TRY(Pattern all, Pattern::parse("*"));
  return Capability{
      .ns = entity,
      .pattern = std::move(all),
      .permissions = Permissions::of(Permissions::kPublish | Permissions::kConsumeStar |
                                     Permissions::kTapStar | Permissions::kList),
      .ttl = std::numeric_limits<std::uint8_t>::max(),
      .expires = status ? status->expires : Time{},
      .path = {}};
}

}  // namespace

Result<Capabilities> what_can(const EntityKey& entity, const PermissionGraph& graph,
                              const AuthorityView& authority, Time now,
                              const SearchBounds& bounds) {
  Capabilities found;
  Liveness liveness(authority, now);
  CapabilitySearch search(entity, graph, liveness, now, bounds);
  if (entity != kEveryone) {
    BW_TRY(const bool live, liveness.live(entity));
    if (!live) return found;
    BW_TRY(Capability own, own_namespace(entity, authority));
    found.list.push_back(std::move(own));
    // Half of the work is kept for what everyone may do, so that spam for one cannot hide the
    // other.
    BW_CHECK(search.search_from(entity, bounds.edges / 2));
  }
  BW_CHECK(search.search_from(kEveryone, bounds.edges));
  BW_TRY(std::vector<Capability> granted, search.capabilities());
  std::move(granted.begin(), granted.end(), std::back_inserter(found.list));
  found.exhausted_bounds = search.gave_up();
  return found;
}

}  // namespace bw::wave
