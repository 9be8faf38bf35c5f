// SPDX-License-Identifier: Apache-2.0
#include <functional>
#include <utility>

#include "store/authority_store_impl.hpp"

namespace bw::store {
namespace {

using Wanted = std::function<bool(const wave::Edge&)>;

// Walks the rows of some groups, one group after the other, and reads each row's DoT from the log.
// Sees the index as it was when the cursor was made.
class IndexCursor final : public wave::EdgeCursor {
 public:
  // `wanted` tells what a row's shorts only promise.
  IndexCursor(const AuthorityIndex& index, const EntryLog& log,
              std::shared_ptr<const AuthorityStore::Suspected> suspected,
              std::vector<std::string> groups, Wanted wanted)
      : index_(index),
        log_(log),
        suspected_(std::move(suspected)),
        rows_(index.iterate()),
        groups_(std::move(groups)),
        wanted_(std::move(wanted)) {}

  Result<bool> next(wave::Edge& out) override {
    while (group_ < groups_.size()) {
      step();
      BW_CHECK(index_.check(rows_->status()));
      if (!rows_->Valid() || !rows_->key().starts_with(groups_[group_])) {
        ++group_;
        in_group_ = false;
        continue;
      }
      BW_TRY(wave::Edge edge, read(offset_at_end(rows_->key().ToStringView())));
      if (!wanted_(edge) || (suspected_ && suspected_->dots.contains(edge.dot))) continue;
      out = std::move(edge);
      return true;
    }
    return false;
  }

 private:
  void step() {
    if (in_group_) {
      rows_->Next();
    } else {
      rows_->Seek(groups_[group_]);
    }
    in_group_ = true;
  }

  Result<wave::Edge> read(std::uint64_t offset) const {
    BW_TRY(const Bytes bytes, log_.read_at(offset));
    BW_TRY(const auto dot, wave::parse<wave::Dot>(bytes));
    return wave::edge_of(dot);
  }

  const AuthorityIndex& index_;
  const EntryLog& log_;
  std::shared_ptr<const AuthorityStore::Suspected> suspected_;
  std::unique_ptr<rocksdb::Iterator> rows_;
  std::vector<std::string> groups_;
  Wanted wanted_;
  std::size_t group_ = 0;
  bool in_group_ = false;
};

// "", "a", "a/b" of "a/b".
std::vector<std::string_view> cell_prefixes(std::string_view literal) {
  std::vector<std::string_view> prefixes{""};
  for (std::size_t slash = literal.find('/'); slash != std::string_view::npos;
       slash = literal.find('/', slash + 1)) {
    prefixes.push_back(literal.substr(0, slash));
  }
  if (!literal.empty()) prefixes.push_back(literal);
  return prefixes;
}

}  // namespace

std::unique_ptr<wave::EdgeCursor> AuthorityStore::granted_by(const EntityKey& ns,
                                                             const EntityKey& granter,
                                                             const wave::Pattern& pattern) const {
  std::vector<std::string> groups;
  for (const std::string_view literal : cell_prefixes(pattern.literal_prefix())) {
    groups.push_back(forward_prefix(granter, ns, literal));
  }
  return std::make_unique<IndexCursor>(
      *impl_->index, *impl_->log, impl_->suspects(), std::move(groups),
      [ns, granter](const wave::Edge& edge) { return edge.ns == ns && edge.granter == granter; });
}

std::unique_ptr<wave::EdgeCursor> AuthorityStore::granted_to(const EntityKey& ns,
                                                             const EntityKey& grantee) const {
  return std::make_unique<IndexCursor>(
      *impl_->index, *impl_->log, impl_->suspects(), std::vector{backward_prefix(grantee, ns)},
      [ns, grantee](const wave::Edge& edge) { return edge.ns == ns && edge.grantee == grantee; });
}

std::unique_ptr<wave::EdgeCursor> AuthorityStore::between(const EntityKey& ns,
                                                          const EntityKey& granter,
                                                          const EntityKey& grantee) const {
  return std::make_unique<IndexCursor>(*impl_->index, *impl_->log, impl_->suspects(),
                                       std::vector{backward_prefix(grantee, ns, granter)},
                                       [ns, granter, grantee](const wave::Edge& edge) {
                                         return edge.ns == ns && edge.granter == granter &&
                                                edge.grantee == grantee;
                                       });
}

std::unique_ptr<wave::EdgeCursor> AuthorityStore::all_granted_to(const EntityKey& grantee) const {
  return std::make_unique<IndexCursor>(
      *impl_->index, *impl_->log, impl_->suspects(), std::vector{backward_prefix(grantee)},
      [grantee](const wave::Edge& edge) { return edge.grantee == grantee; });
}

std::unique_ptr<wave::EdgeCursor> AuthorityStore::all_granted_by(const EntityKey& granter) const {
  return std::make_unique<IndexCursor>(
      *impl_->index, *impl_->log, impl_->suspects(), std::vector{forward_prefix(granter)},
      [granter](const wave::Edge& edge) { return edge.granter == granter; });
}

}  // namespace bw::store
