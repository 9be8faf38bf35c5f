// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "wave/authority.hpp"
#include "wave/graph.hpp"

namespace bw::wave::testing {

// A node's knowledge of the ledger in memory, for tests. Takes every object as it comes: admission
// rules are the ledger's. Reading is thread-safe while nothing is written.
class MemoryGraph final : public PermissionGraph, public AuthorityView {
 public:
  void add(const Signed<Entity>& entity) {
    add_entity(entity.value.key, entity.value.created, entity.value.expires);
  }
  void add(const Signed<Dot>& dot) { add_edge(edge_of(dot)); }
  void add(const Signed<Revocation>& revocation) {
    if (revocation.value.target_kind == Revocation::Target::kDot) {
      revoke_dot(revocation.value.dot());
    } else {
      revoke_entity(revocation.value.entity());
    }
  }

  void add_entity(const EntityKey& key, Time created = Time{}, Time expires = kNever) {
    EntityStatus& status = entities_[key];
    status.created = created;
    status.expires = expires;
  }
  void add_edge(Edge edge) {
    const std::size_t index = edges_.size();
    dots_.insert(edge.dot);
    by_granter_[{edge.ns, edge.granter}].push_back(index);
    by_grantee_[{edge.ns, edge.grantee}].push_back(index);
    by_both_[{edge.ns, edge.granter, edge.grantee}].push_back(index);
    all_by_granter_[edge.granter].push_back(index);
    all_by_grantee_[edge.grantee].push_back(index);
    edges_.push_back(std::move(edge));
  }
  // Precondition: the entity was added.
  void revoke_entity(const EntityKey& key) { entities_.at(key).revoked = true; }
  void revoke_dot(const ObjectId& id) { revoked_.insert(id); }

  void set_heard_at(Time time) { heard_at_ = time; }
  void set_max_staleness(const EntityKey& ns, Duration most) { staleness_[ns] = most; }
  // From now on every look-up and every cursor fails with `error`.
  void break_with(Error error) { broken_ = std::move(error); }

  // AuthorityView
  Result<std::optional<EntityStatus>> entity(const EntityKey& key) const override {
    if (broken_) return fail(*broken_);
    const auto found = entities_.find(key);
    if (found == entities_.end()) return std::nullopt;
    return found->second;
  }
  Result<std::optional<DotStatus>> dot(const ObjectId& id) const override {
    if (broken_) return fail(*broken_);
    if (!dots_.contains(id)) return std::nullopt;
    return DotStatus{.revoked = revoked_.contains(id)};
  }
  Time heard_at() const override { return heard_at_; }
  Duration max_staleness(const EntityKey& ns) const override {
    const auto found = staleness_.find(ns);
    return found == staleness_.end() ? limits::kDefaultStaleness : found->second;
  }

  // PermissionGraph
  std::unique_ptr<EdgeCursor> granted_by(const EntityKey& ns, const EntityKey& granter,
                                         const Pattern& pattern) const override {
    return cursor(by_granter_, std::tuple(ns, granter), std::string(pattern.literal_prefix()));
  }
  std::unique_ptr<EdgeCursor> granted_to(const EntityKey& ns,
                                         const EntityKey& grantee) const override {
    return cursor(by_grantee_, std::tuple(ns, grantee));
  }
  std::unique_ptr<EdgeCursor> between(const EntityKey& ns, const EntityKey& granter,
                                      const EntityKey& grantee) const override {
    return cursor(by_both_, std::tuple(ns, granter, grantee));
  }
  std::unique_ptr<EdgeCursor> all_granted_to(const EntityKey& grantee) const override {
    return cursor(all_by_grantee_, grantee);
  }
  std::unique_ptr<EdgeCursor> all_granted_by(const EntityKey& granter) const override {
    return cursor(all_by_granter_, granter);
  }

 private:
  using Indices = std::vector<std::size_t>;

  class Cursor final : public EdgeCursor {
   public:
    Cursor(const MemoryGraph& graph, const Indices* indices, std::optional<std::string> prefix)
        : graph_(graph), indices_(indices), prefix_(std::move(prefix)) {}

    Result<bool> next(Edge& out) override {
      if (graph_.broken_) return fail(*graph_.broken_);
      while (indices_ != nullptr && position_ < indices_->size()) {
        const Edge& edge = graph_.edges_[(*indices_)[position_++]];
        if (graph_.revoked_.contains(edge.dot) || !fits(edge.pattern.literal_prefix())) continue;
        out = edge;
        return true;
      }
      return false;
    }

   private:
    // Whether `literal` is a cell prefix of prefix_.
    bool fits(std::string_view literal) const {
      if (!prefix_ || literal.empty() || literal == *prefix_) return true;
      return prefix_->starts_with(literal) && (*prefix_)[literal.size()] == '/';
    }

    const MemoryGraph& graph_;
    const Indices* indices_;
    std::optional<std::string> prefix_;
    std::size_t position_ = 0;
  };

  template <class Index, class Key>
  std::unique_ptr<EdgeCursor> cursor(const Index& index, const Key& key,
                                     std::optional<std::string> prefix = {}) const {
    const auto found = index.find(key);
    const Indices* indices = found == index.end() ? nullptr : &found->second;
    return std::make_unique<Cursor>(*this, indices, std::move(prefix));
  }

  std::vector<Edge> edges_;
  std::map<std::tuple<EntityKey, EntityKey>, Indices> by_granter_;
  std::map<std::tuple<EntityKey, EntityKey>, Indices> by_grantee_;
  std::map<std::tuple<EntityKey, EntityKey, EntityKey>, Indices> by_both_;
  std::unordered_map<EntityKey, Indices> all_by_granter_;
  std::unordered_map<EntityKey, Indices> all_by_grantee_;
  std::unordered_set<ObjectId> dots_;
  std::unordered_set<ObjectId> revoked_;
  std::unordered_map<EntityKey, EntityStatus> entities_;
  std::unordered_map<EntityKey, Duration> staleness_;
  std::optional<Error> broken_;
  Time heard_at_{};
};

}  // namespace bw::wave::testing
