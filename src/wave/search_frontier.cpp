// SPDX-License-Identifier: Apache-2.0
#include "wave/search_frontier.hpp"

#include <algorithm>

#include "wave/link.hpp"

namespace bw::wave {

Result<std::optional<ErrorCode>> Liveness::obstacle(const EntityKey& key) {
  if (const auto found = known_.find(key); found != known_.end()) return found->second;
  BW_TRY(const auto status, authority_.entity(key));
  return known_.emplace(key, entity_obstacle(status, now_)).first->second;
}

Result<bool> Liveness::live(const EntityKey& key) {
  BW_TRY(const auto code, obstacle(key));
  return !code;
}

ForwardSearch::ForwardSearch(const SearchContext& context) : context_(context) {
  labels_.push_back({.remaining = static_cast<std::uint8_t>(context.max_hops)});
  nodes_[context.request.ns].newest = 0;
}

const EntityKey& ForwardSearch::node(std::uint32_t label) const {
  const std::uint32_t edge = labels_[label].edge;
  return edge == kNone ? context_.request.ns : edges_[edge].grantee;
}

std::uint32_t ForwardSearch::newest(const EntityKey& node) const {
  const auto found = nodes_.find(node);
  return found == nodes_.end() ? kNone : found->second.newest;
}

std::uint32_t ForwardSearch::best(const EntityKey& node, std::size_t links) const {
  std::uint32_t best = kNone;
  for (std::uint32_t i = newest(node); i != kNone; i = labels_[i].older) {
    const Label& label = labels_[i];
    if (label.remaining < links) continue;
    if (best == kNone || label.hops < labels_[best].hops ||
        (label.hops == labels_[best].hops && label.expires > labels_[best].expires)) {
      best = i;
    }
  }
  return best;
}

void ForwardSearch::append_path(std::uint32_t label, std::vector<Edge>& edges) const {
  const std::size_t begin = edges.size();
  for (; labels_[label].edge != kNone; label = labels_[label].parent) {
    edges.push_back(edges_[labels_[label].edge]);
  }
  std::reverse(edges.begin() + static_cast<std::ptrdiff_t>(begin), edges.end());
}

Result<void> ForwardSearch::run(std::size_t most_work) {
  std::vector<std::uint32_t> fresh;
  while (!exhausted_ && work_ < most_work) {
    BW_CHECK(step(fresh));
    fresh.clear();
  }
  return {};
}

Result<void> ForwardSearch::step(std::vector<std::uint32_t>& fresh) {
  if (!cursor_) BW_CHECK(open_next());
  if (!cursor_) return {};
  Edge edge;
  for (std::size_t i = 0; i < kSearchChunk; ++i) {
    BW_TRY(const bool more, cursor_->next(edge));
    if (!more) {
      cursor_.reset();
      return {};
    }
    ++work_;
    follow(edge, open_node_, fresh);
  }
  return {};
}

Result<void> ForwardSearch::open_next() {
  while (next_ < layer_end_) {
    const auto label = static_cast<std::uint32_t>(next_++);
    BW_TRY(const bool worth, worth_expanding(label));
    if (!worth) continue;
    open_node_ = node(label);
    nodes_[open_node_].expanded_in_layer = layers_;
    const Request& request = context_.request;
    cursor_ = context_.graph.granted_by(request.ns, open_node_, request.pattern);
    ++work_;
    return {};
  }
  ++layers_;
  exhausted_ = layer_end_ == labels_.size();
  layer_end_ = labels_.size();
  return {};
}

Result<bool> ForwardSearch::worth_expanding(std::uint32_t index) {
  const Label& label = labels_[index];
  if (label.superseded || label.remaining == 0) return false;
  const EntityKey& key = node(index);
  // A path that goes on behind the origin has a shorter one that ends there.
  if (key == kEveryone || key == context_.request.origin) return false;
  if (nodes_[key].expanded_in_layer == layers_) return false;
  ++work_;
  return context_.liveness.live(key);
}

void ForwardSearch::offer(const Edge& edge, std::vector<std::uint32_t>& fresh) {
  follow(edge, context_.request.ns, fresh);
}

void ForwardSearch::follow(const Edge& edge, const EntityKey& from,
                           std::vector<std::uint32_t>& fresh) {
  if (edge.grantee == context_.request.ns) return;
  if (first_obstacle(Link(edge), context_.request, 0, context_.now)) return;
  const std::size_t before = labels_.size();
  const auto index = static_cast<std::uint32_t>(edges_.size());
  edges_.push_back(edge);
  for (std::uint32_t i = newest(from); i != kNone; i = labels_[i].older) {
    if (labels_[i].hops == layers_ && !labels_[i].superseded) extend(i, index, fresh);
  }
  if (labels_.size() == before) edges_.pop_back();
}

void ForwardSearch::extend(std::uint32_t parent, std::uint32_t edge,
                           std::vector<std::uint32_t>& fresh) {
  const Label& from = labels_[parent];
  if (from.remaining == 0) return;
  const auto remaining =
      std::min<std::uint8_t>(static_cast<std::uint8_t>(from.remaining - 1), edges_[edge].ttl);
  Label label{.parent = parent,
              .edge = edge,
              .hops = static_cast<std::uint8_t>(from.hops + 1),
              .remaining = remaining,
              .expires = std::min(from.expires, edges_[edge].expires)};
  Node& node = nodes_[edges_[edge].grantee];
  if (!is_better(label, node)) return;
  label.older = std::exchange(node.newest, static_cast<std::uint32_t>(labels_.size()));
  fresh.push_back(node.newest);
  labels_.push_back(label);
}

bool ForwardSearch::is_better(const Label& label, Node& node) {
  for (std::uint32_t i = node.newest; i != kNone; i = labels_[i].older) {
    const Label& other = labels_[i];
    if (other.remaining < label.remaining) continue;
    if (other.hops < label.hops || other.expires >= label.expires) return false;
  }
  for (std::uint32_t i = node.newest; i != kNone; i = labels_[i].older) {
    Label& other = labels_[i];
    if (other.hops == label.hops && other.remaining <= label.remaining &&
        other.expires <= label.expires) {
      other.superseded = true;
    }
  }
  return true;
}

BackwardSearch::BackwardSearch(const SearchContext& context, const EntityKey& target)
    : context_(context) {
  labels_.push_back({.node = target});
  nodes_[target] = 0;
}

std::uint32_t BackwardSearch::find(const EntityKey& node) const {
  const auto found = nodes_.find(node);
  return found == nodes_.end() ? kNone : found->second;
}

void BackwardSearch::append_path(std::uint32_t label, std::vector<Edge>& edges) const {
  for (; labels_[label].edge != kNone; label = labels_[label].next) {
    edges.push_back(edges_[labels_[label].edge]);
  }
}

Result<void> BackwardSearch::run(std::size_t most_work) {
  std::vector<std::uint32_t> fresh;
  while (!exhausted_ && work_ < most_work) {
    BW_CHECK(step(fresh));
    fresh.clear();
  }
  return {};
}

Result<void> BackwardSearch::step(std::vector<std::uint32_t>& fresh) {
  if (!cursor_) BW_CHECK(open_next());
  if (!cursor_) return {};
  Edge edge;
  for (std::size_t i = 0; i < kSearchChunk; ++i) {
    BW_TRY(const bool more, cursor_->next(edge));
    if (!more) {
      cursor_.reset();
      return {};
    }
    ++work_;
    follow(edge, open_label_, fresh);
  }
  return {};
}

Result<void> BackwardSearch::open_next() {
  while (next_ < layer_end_) {
    open_label_ = static_cast<std::uint32_t>(next_++);
    BW_TRY(const bool worth, worth_expanding(open_label_));
    if (!worth) continue;
    cursor_ = context_.graph.granted_to(context_.request.ns, labels_[open_label_].node);
    ++work_;
    return {};
  }
  ++layers_;
  exhausted_ = layer_end_ == labels_.size();
  layer_end_ = labels_.size();
  return {};
}

Result<bool> BackwardSearch::worth_expanding(std::uint32_t index) {
  const Label& label = labels_[index];
  if (label.hops >= context_.max_hops || label.node == context_.request.ns) return false;
  if (index == 0) return true;  // the origin was looked up before, everyone needs no look-up
  ++work_;
  return context_.liveness.live(label.node);
}

void BackwardSearch::follow(const Edge& edge, std::uint32_t at, std::vector<std::uint32_t>& fresh) {
  const Label& to = labels_[at];
  if (first_obstacle(Link(edge), context_.request, to.hops, context_.now)) {
    if (refused_ != nullptr) refused_->push_back({.edge = edge, .at = at});
    return;
  }
  const Label label{.node = edge.granter,
                    .edge = static_cast<std::uint32_t>(edges_.size()),
                    .next = at,
                    .hops = static_cast<std::uint8_t>(to.hops + 1),
                    .expires = std::min(to.expires, edge.expires)};
  const auto [place, is_new] =
      nodes_.try_emplace(edge.granter, static_cast<std::uint32_t>(labels_.size()));
  if (is_new) {
    labels_.push_back(label);
  } else {
    // The layer in progress has not been expanded, so nothing rests on its labels yet.
    Label& known = labels_[place->second];
    if (known.hops != label.hops || known.expires >= label.expires) return;
    known.edge = label.edge;
    known.next = label.next;
    known.expires = label.expires;
  }
  edges_.push_back(edge);
  fresh.push_back(place->second);
}

}  // namespace bw::wave
