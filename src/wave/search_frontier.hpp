// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "wave/search.hpp"

// The two halves of a path search, advanced a few edges at a time. Both work in layers: all labels
// with n hops exist before the first of them is expanded. Not thread-safe; one object per search.
namespace bw::wave {

inline constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
// Edges read before the other side may have its turn.
inline constexpr std::size_t kSearchChunk = 16;

// Whether entities may take part, looked up once per search.
class Liveness {
 public:
  Liveness(const AuthorityView& authority, Time now) : authority_(authority), now_(now) {}

  // Nothing: it may. Otherwise why not (entity_obstacle).
  Result<std::optional<ErrorCode>> obstacle(const EntityKey& key);
  Result<bool> live(const EntityKey& key);

 private:
  const AuthorityView& authority_;
  Time now_;
  std::unordered_map<EntityKey, std::optional<ErrorCode>> known_;
};

struct SearchContext {
  const Request& request;
  const PermissionGraph& graph;
  Liveness& liveness;
  Time now;
  std::size_t max_hops;
};

// From the namespace on. A node has one label for each way to it that may be part of a best path:
// more hops count only if they leave more hops to go, because another prefix with fewer hops and at
// least as many to go would make every path through it shorter.
class ForwardSearch {
 public:
  struct Label {
    std::uint32_t parent = kNone;  // label of the granter
    std::uint32_t edge = kNone;    // the last edge; kNone at the namespace
    std::uint32_t older = kNone;   // next label of the same node
    std::uint8_t hops = 0;
    std::uint8_t remaining = 0;  // how many links may follow: min over edges of ttl - links since
    bool superseded = false;     // another label of the same layer is at least as good
    Time expires = kNever;
  };

  explicit ForwardSearch(const SearchContext& context);

  // Opens the next cursor or reads at most kSearchChunk edges. Indices of new labels are appended
  // to `fresh`. Does nothing when exhausted.
  Result<void> step(std::vector<std::uint32_t>& fresh);
  Result<void> run(std::size_t most_work);
  // An edge from the namespace, found by a probe. Precondition: layers() == 0.
  void offer(const Edge& edge, std::vector<std::uint32_t>& fresh);

  [[nodiscard]] bool exhausted() const { return exhausted_; }
  // All labels with at most this many hops exist.
  [[nodiscard]] std::size_t layers() const { return layers_; }
  [[nodiscard]] std::size_t work() const { return work_; }
  void charge(std::size_t work) { work_ += work; }

  [[nodiscard]] const std::vector<Label>& labels() const { return labels_; }
  [[nodiscard]] const EntityKey& node(std::uint32_t label) const;
  // The newest label of `node`, from which `older` leads on; kNone when it was not reached.
  [[nodiscard]] std::uint32_t newest(const EntityKey& node) const;
  // Of the labels of `node` from which `links` more may follow, the one with fewest hops, then the
  // latest expiry.
  [[nodiscard]] std::uint32_t best(const EntityKey& node, std::size_t links) const;
  void append_path(std::uint32_t label, std::vector<Edge>& edges) const;

 private:
  struct Node {
    std::uint32_t newest = kNone;
    std::size_t expanded_in_layer = kNoLayer;
  };
  static constexpr std::size_t kNoLayer = std::numeric_limits<std::size_t>::max();

  Result<void> open_next();
  Result<bool> worth_expanding(std::uint32_t label);
  void follow(const Edge& edge, const EntityKey& from, std::vector<std::uint32_t>& fresh);
  void extend(std::uint32_t parent, std::uint32_t edge, std::vector<std::uint32_t>& fresh);
  bool is_better(const Label& label, Node& node);

  const SearchContext& context_;
  std::vector<Label> labels_;  // in order of hops
  std::vector<Edge> edges_;
  std::unordered_map<EntityKey, Node> nodes_;
  std::unique_ptr<EdgeCursor> cursor_;
  EntityKey open_node_;
  std::size_t next_ = 0;       // label to expand next
  std::size_t layer_end_ = 1;  // first label of the next layer
  std::size_t layers_ = 0;
  std::size_t work_ = 0;
  bool exhausted_ = false;
};

// From `target` (the origin or everyone) back. A node needs one label only, with the fewest links
// to go and among those the latest expiry: fewer links ask less ttl of the edges before.
class BackwardSearch {
 public:
  struct Label {
    EntityKey node;
    std::uint32_t edge = kNone;  // the edge from `node`; kNone at the target
    std::uint32_t next = kNone;  // label of its grantee
    std::uint8_t hops = 0;       // links from `node` to the target
    bool probed = false;         // for the user: edges from the namespace to `node` were looked up
    Time expires = kNever;
  };
  struct Refused {
    Edge edge;
    std::uint32_t at = kNone;  // label of its grantee
  };

  BackwardSearch(const SearchContext& context, const EntityKey& target);

  Result<void> step(std::vector<std::uint32_t>& fresh);
  Result<void> run(std::size_t most_work);
  // An edge that ends at the target, found by a probe. Precondition: layers() == 0.
  void offer(const Edge& edge, std::vector<std::uint32_t>& fresh) { follow(edge, 0, fresh); }
  // From now on edges that cannot be used are kept in `refused`, which must outlive this.
  void collect_refused(std::vector<Refused>& refused) { refused_ = &refused; }

  [[nodiscard]] const EntityKey& target() const { return labels_.front().node; }
  [[nodiscard]] bool exhausted() const { return exhausted_; }
  [[nodiscard]] std::size_t layers() const { return layers_; }
  [[nodiscard]] std::size_t work() const { return work_; }
  void charge(std::size_t work) { work_ += work; }

  [[nodiscard]] const std::vector<Label>& labels() const { return labels_; }
  // False when the edges from the namespace to the label's node were claimed before.
  bool claim_probe(std::uint32_t label) { return !std::exchange(labels_[label].probed, true); }
  [[nodiscard]] std::uint32_t find(const EntityKey& node) const;
  void append_path(std::uint32_t label, std::vector<Edge>& edges) const;

 private:
  Result<void> open_next();
  Result<bool> worth_expanding(std::uint32_t label);
  void follow(const Edge& edge, std::uint32_t at, std::vector<std::uint32_t>& fresh);

  const SearchContext& context_;
  std::vector<Label> labels_;  // in order of hops
  std::vector<Edge> edges_;
  std::unordered_map<EntityKey, std::uint32_t> nodes_;
  std::vector<Refused>* refused_ = nullptr;
  std::unique_ptr<EdgeCursor> cursor_;
  std::uint32_t open_label_ = kNone;
  std::size_t next_ = 0;
  std::size_t layer_end_ = 1;
  std::size_t layers_ = 0;
  std::size_t work_ = 0;
  bool exhausted_ = false;
};

}  // namespace bw::wave
