// SPDX-License-Identifier: Apache-2.0
#include "syndication/subscription_tree.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/check.hpp"
#include "base/limits.hpp"

namespace bw::syndication {
namespace {

using Handle = SubscriptionTree::Handle;

// The cells of a pattern, without allocation. Refers to the pattern's text.
class Cells {
 public:
  explicit Cells(const wave::Pattern& pattern) : count_(pattern.cell_count()) {
    std::string_view rest = pattern.text();
    for (std::size_t i = 0; i < count_; ++i) {
      cells_[i] = rest.substr(0, rest.find('/'));
      rest.remove_prefix(std::min(cells_[i].size() + 1, rest.size()));
    }
  }
  [[nodiscard]] std::span<const std::string_view> view() const { return {cells_.data(), count_}; }

 private:
  std::array<std::string_view, limits::kUriCells> cells_;
  std::size_t count_;
};
using Rest = std::span<const std::string_view>;

// Some patterns have very many subscribers: a plain list until searching it would cost.
class ManyHandles {
 public:
  void add(Handle handle) {
    if (many_ == nullptr && few_.size() < kFew) {
      BW_ASSERT(std::ranges::find(few_, handle) == few_.end());
      few_.push_back(handle);
      return;
    }
    if (many_ == nullptr) {
      many_ = std::make_unique<std::unordered_set<Handle>>(few_.begin(), few_.end());
      few_ = {};
    }
    const bool added = many_->insert(handle).second;
    BW_ASSERT(added);
  }
  void remove(Handle handle) {
    const std::size_t removed = many_ ? many_->erase(handle) : std::erase(few_, handle);
    BW_ASSERT(removed == 1);
    if (many_ != nullptr && many_->empty()) many_.reset();
  }
  [[nodiscard]] bool empty() const { return few_.empty() && many_ == nullptr; }
  void append_to(std::vector<Handle>& out) const {
    out.insert(out.end(), few_.begin(), few_.end());
    if (many_ != nullptr) out.insert(out.end(), many_->begin(), many_->end());
  }

 private:
  static constexpr std::size_t kFew = 32;
  std::vector<Handle> few_;
  std::unique_ptr<std::unordered_set<Handle>> many_;
};

// Most patterns have one subscriber, who needs no memory of its own here.
class Handles {
 public:
  void add(Handle handle) {
    BW_ASSERT(handle != kNobody && handle != first_);
    if (first_ == kNobody) {
      first_ = handle;
      return;
    }
    if (others_ == nullptr) others_ = std::make_unique<ManyHandles>();
    others_->add(handle);
  }
  void remove(Handle handle) {
    if (handle == first_) {
      first_ = kNobody;
      return;
    }
    BW_ASSERT(others_ != nullptr);
    others_->remove(handle);
    if (others_->empty()) others_.reset();
  }
  [[nodiscard]] bool empty() const { return first_ == kNobody && others_ == nullptr; }
  void append_to(std::vector<Handle>& out) const {
    if (first_ != kNobody) out.push_back(first_);
    if (others_ != nullptr) others_->append_to(out);
  }

 private:
  static constexpr Handle kNobody = std::numeric_limits<Handle>::max();
  Handle first_ = kNobody;
  std::unique_ptr<ManyHandles> others_;
};

struct Children;

// What comes after a prefix of cells: more cells, or the end of a pattern. Most nodes are ends.
struct Node {
  std::unique_ptr<Children> children;
  Handles handles;

  [[nodiscard]] bool empty() const { return children == nullptr && handles.empty(); }
};
using NodePtr = std::unique_ptr<Node>;

// The next cell: a literal, `+` or `*`.
struct Children {
  std::map<std::string, Node, std::less<>> literals;
  NodePtr plus;
  NodePtr star;

  [[nodiscard]] bool empty() const {
    return literals.empty() && plus == nullptr && star == nullptr;
  }
};

Node& wildcard_child(NodePtr& slot, std::size_t& nodes) {
  if (slot == nullptr) {
    slot = std::make_unique<Node>();
    ++nodes;
  }
  return *slot;
}

Node& child(Node& node, std::string_view cell, std::size_t& nodes) {
  if (node.children == nullptr) node.children = std::make_unique<Children>();
  Children& children = *node.children;
  if (cell == "+") return wildcard_child(children.plus, nodes);
  if (cell == "*") return wildcard_child(children.star, nodes);
  const auto [place, added] = children.literals.try_emplace(std::string(cell));
  if (added) ++nodes;
  return place->second;
}

void remove_below(Node& node, Rest rest, Handle handle, std::size_t& nodes);

void remove_from_wildcard(NodePtr& slot, Rest rest, Handle handle, std::size_t& nodes) {
  BW_ASSERT(slot != nullptr);
  remove_below(*slot, rest, handle, nodes);
  if (!slot->empty()) return;
  slot.reset();
  --nodes;
}

void remove_from_literal(Children& children, Rest rest, Handle handle, std::size_t& nodes) {
  const auto place = children.literals.find(rest.front());
  BW_ASSERT(place != children.literals.end());
  remove_below(place->second, rest.subspan(1), handle, nodes);
  if (!place->second.empty()) return;
  children.literals.erase(place);
  --nodes;
}

void remove_below(Node& node, Rest rest, Handle handle, std::size_t& nodes) {
  if (rest.empty()) return node.handles.remove(handle);
  BW_ASSERT(node.children != nullptr);
  Children& children = *node.children;
  if (rest.front() == "+") {
    remove_from_wildcard(children.plus, rest.subspan(1), handle, nodes);
  } else if (rest.front() == "*") {
    remove_from_wildcard(children.star, rest.subspan(1), handle, nodes);
  } else {
    remove_from_literal(children, rest, handle, nodes);
  }
  if (children.empty()) node.children.reset();
}

// A pattern has at most one `*`, so what follows it decides how many cells the `*` takes: no node
// is reached in two ways, and the work is at most quadratic in the cells below each `*`.
void match_below(const Node& node, Rest rest, std::vector<Handle>& out) {
  const Children* const children = node.children.get();
  if (children != nullptr && children->star != nullptr) {
    for (std::size_t taken = 0; taken <= rest.size(); ++taken) {
      match_below(*children->star, rest.subspan(taken), out);
    }
  }
  if (rest.empty()) return node.handles.append_to(out);
  if (children == nullptr) return;
  if (children->plus != nullptr) match_below(*children->plus, rest.subspan(1), out);
  const auto place = children->literals.find(rest.front());
  if (place != children->literals.end()) match_below(place->second, rest.subspan(1), out);
}

}  // namespace

struct SubscriptionTree::Impl {
  std::unordered_map<EntityKey, Node> roots;
  std::size_t size = 0;
  std::size_t nodes = 0;  // roots not counted
};

SubscriptionTree::SubscriptionTree() : impl_(std::make_unique<Impl>()) {}
SubscriptionTree::~SubscriptionTree() = default;
SubscriptionTree::SubscriptionTree(SubscriptionTree&&) noexcept = default;
SubscriptionTree& SubscriptionTree::operator=(SubscriptionTree&&) noexcept = default;

void SubscriptionTree::add(const EntityKey& ns, const wave::Pattern& pattern, Handle handle) {
  Node* node = &impl_->roots[ns];
  const Cells cells(pattern);
  for (const std::string_view cell : cells.view()) node = &child(*node, cell, impl_->nodes);
  node->handles.add(handle);
  ++impl_->size;
}

void SubscriptionTree::remove(const EntityKey& ns, const wave::Pattern& pattern, Handle handle) {
  const auto root = impl_->roots.find(ns);
  BW_ASSERT(root != impl_->roots.end());
  remove_below(root->second, Cells(pattern).view(), handle, impl_->nodes);
  if (root->second.empty()) impl_->roots.erase(root);
  --impl_->size;
}

void SubscriptionTree::match(const EntityKey& ns, const wave::Pattern& uri,
                             std::vector<Handle>& out) const {
  const auto root = impl_->roots.find(ns);
  if (root == impl_->roots.end() || !uri.is_concrete()) return;
  match_below(root->second, Cells(uri).view(), out);
}

std::size_t SubscriptionTree::size() const {
  return impl_->size;
}
std::size_t SubscriptionTree::nodes() const {
  return impl_->nodes;
}

}  // namespace bw::syndication
