// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <unordered_set>

#include "wave/link.hpp"
#include "wave/search_frontier.hpp"

namespace bw::wave {
namespace {

// Once there is a path, this much work (or as much again as it took) may go into a better one.
constexpr std::size_t kPolishWork = 256;

// Three searches in step: forward from the namespace, back from the origin, back from everyone
// (apart, because anybody can fill everyone's grants as well as a victim's). The one that has done
// the least work goes on, so the total is at most three times the work of the cheapest that would
// have settled the matter alone.
//
// Probes join them early: while the first cursor of a backward search is still open, every node
// that the forward search reaches is looked up together with the target, and while the namespace's
// own cursor is open, every node reached backward is looked up together with the namespace. So a
// hub of 700,000 grants in front of an origin spammed with 100,000 costs a few probes.
//
// What is returned is best by (hops, expiry) unless the bounds are hit or the polish work is spent:
// with F layers of the forward and B of a backward search complete, every path of at most F + B
// links has met at a node labelled from both sides. (The best labels of the node joined: see
// ForwardSearch and BackwardSearch for why those left out are in no best path.) By the probes F = 0
// counts as 1 where B is positive, and the other way round.
class PathSearch {
 public:
  PathSearch(const SearchContext& context, const SearchBounds& bounds)
      : context_(context),
        bounds_(bounds),
        forward_(context),
        backward_{BackwardSearch(context, context.request.origin),
                  BackwardSearch(context, kEveryone)} {}

  Result<SearchOutcome> run() {
    // The first chunks show which cursors are short, so that they need no probes at all.
    for (std::size_t side = 0; side < backward_.size(); ++side) {
      BW_CHECK(backward_[side].step(fresh_backward_[side]));
    }
    fresh_forward_.push_back(0);
    BW_CHECK(forward_.step(fresh_forward_));
    BW_CHECK(settle());
    while (!finished()) {
      BW_CHECK(step_cheapest());
      BW_CHECK(settle());
    }
    return outcome();
  }

 private:
  struct Meeting {
    std::size_t hops = 0;
    Time expires;
    std::uint32_t forward = kNone;
    std::size_t side = 0;
    std::uint32_t backward = kNone;
    std::size_t found_at = 0;  // work done when the first path was found
  };

  std::size_t work() const { return forward_.work() + backward_[0].work() + backward_[1].work(); }

  // Every path to this side's target with at most so many links was found.
  std::size_t reach(const BackwardSearch& side) const {
    if (forward_.exhausted() || side.exhausted()) return limits::kProofDots;
    return std::max({forward_.layers() + side.layers(), forward_.layers() + 1, side.layers() + 1});
  }

  bool finished() {
    const std::size_t reached = std::min(reach(backward_[0]), reach(backward_[1]));
    if (reached >= (best_ ? best_->hops : context_.max_hops)) return true;
    if (best_ && work() >= best_->found_at + std::max(kPolishWork, best_->found_at)) return true;
    exhausted_bounds_ = exhausted_bounds_ || work() >= bounds_.edges;
    return exhausted_bounds_;
  }

  Result<void> step_cheapest() {
    std::size_t cheapest = forward_.exhausted() ? kNone : forward_.work();
    BackwardSearch* back = nullptr;
    for (BackwardSearch& side : backward_) {
      if (side.exhausted() || side.work() >= cheapest) continue;
      cheapest = side.work();
      back = &side;
    }
    if (back == nullptr) return forward_.step(fresh_forward_);
    return back->step(fresh_backward_[back == &backward_[1] ? 1 : 0]);
  }

  // Joins and probes what is new until nothing is.
  Result<void> settle() {
    while (true) {
      if (!fresh_forward_.empty()) {
        const std::uint32_t label = fresh_forward_.back();
        fresh_forward_.pop_back();
        BW_CHECK(settle_forward(label));
      } else if (!fresh_backward_[0].empty()) {
        BW_CHECK(settle_backward(0));
      } else if (!fresh_backward_[1].empty()) {
        BW_CHECK(settle_backward(1));
      } else {
        return {};
      }
    }
  }

  Result<void> settle_forward(std::uint32_t label) {
    const EntityKey node = forward_.node(label);
    for (std::size_t side = 0; side < backward_.size(); ++side) {
      const std::uint32_t other = backward_[side].find(node);
      if (other != kNone) BW_CHECK(consider(label, side, other));
    }
    if (node == kEveryone || node == context_.request.origin) return {};
    if (!probed_.insert(node).second) return {};
    for (std::size_t side = 0; side < backward_.size(); ++side) {
      BackwardSearch& back = backward_[side];
      if (back.layers() > 0) continue;
      BW_CHECK(probe(node, back.target(), forward_,
                     [&](const Edge& edge) { back.offer(edge, fresh_backward_[side]); }));
    }
    return {};
  }

  Result<void> settle_backward(std::size_t side) {
    const std::uint32_t label = fresh_backward_[side].back();
    fresh_backward_[side].pop_back();
    const EntityKey node = backward_[side].labels()[label].node;
    for (auto i = forward_.newest(node); i != kNone; i = forward_.labels()[i].older) {
      BW_CHECK(consider(i, side, label));
    }
    if (forward_.layers() > 0 || node == context_.request.ns) return {};
    if (!backward_[side].claim_probe(label)) return {};
    return probe(context_.request.ns, node, backward_[side],
                 [&](const Edge& edge) { forward_.offer(edge, fresh_forward_); });
  }

  // Gives the edges between two nodes to `offer`, at the cost of `payer`.
  Result<void> probe(const EntityKey& granter, const EntityKey& grantee, auto& payer,
                     const auto& offer) {
    exhausted_bounds_ = exhausted_bounds_ || work() >= bounds_.edges;
    if (exhausted_bounds_) return {};
    const auto cursor = context_.graph.between(context_.request.ns, granter, grantee);
    payer.charge(1);
    Edge edge;
    while (work() < bounds_.edges) {
      BW_TRY(const bool more, cursor->next(edge));
      if (!more) return {};
      payer.charge(1);
      offer(edge);
    }
    exhausted_bounds_ = true;
    return {};
  }

  Result<void> consider(std::uint32_t from, std::size_t side, std::uint32_t to) {
    const ForwardSearch::Label& before = forward_.labels()[from];
    const BackwardSearch::Label& after = backward_[side].labels()[to];
    if (before.remaining < after.hops) return {};
    const auto hops = static_cast<std::size_t>(before.hops) + after.hops;
    const Time expires = std::min(before.expires, after.expires);
    if (best_ && (hops > best_->hops || (hops == best_->hops && expires <= best_->expires))) {
      return {};
    }
    // The other nodes of the path were looked up when they were expanded.
    if (after.node != kEveryone) {
      BW_TRY(const bool live, context_.liveness.live(after.node));
      if (!live) return {};
    }
    best_ = Meeting{.hops = hops,
                    .expires = expires,
                    .forward = from,
                    .side = side,
                    .backward = to,
                    .found_at = best_ ? best_->found_at : work()};
    return {};
  }

  SearchOutcome outcome() const {
    SearchOutcome outcome{.path = {}, .edges_seen = work(), .exhausted_bounds = exhausted_bounds_};
    if (!best_) return outcome;
    Path path;
    forward_.append_path(best_->forward, path.edges);
    backward_[best_->side].append_path(best_->backward, path.edges);
    for (const Edge& edge : path.edges) path.expires = std::min(path.expires, edge.expires);
    outcome.path = std::move(path);
    return outcome;
  }

  const SearchContext& context_;
  const SearchBounds& bounds_;
  ForwardSearch forward_;
  std::array<BackwardSearch, 2> backward_;
  std::vector<std::uint32_t> fresh_forward_;
  std::array<std::vector<std::uint32_t>, 2> fresh_backward_;
  std::unordered_set<EntityKey> probed_;
  std::optional<Meeting> best_;
  bool exhausted_bounds_ = false;
};

}  // namespace

Result<SearchOutcome> find_path(const Request& request, const PermissionGraph& graph,
                                const AuthorityView& authority, Time now,
                                const SearchBounds& bounds) {
  SearchOutcome none;
  if (request.origin == kEveryone || asks_for_nothing(request)) return none;
  Liveness liveness(authority, now);
  for (const EntityKey& key : {request.ns, request.origin}) {
    BW_TRY(const bool live, liveness.live(key));
    if (!live) return none;
  }
  if (request.origin == request.ns) {
    none.path = Path{};
    return none;
  }
  const SearchContext context{.request = request,
                              .graph = graph,
                              .liveness = liveness,
                              .now = now,
                              .max_hops = std::min(bounds.hops, limits::kProofDots)};
  return PathSearch(context, bounds).run();
}

}  // namespace bw::wave
