// SPDX-License-Identifier: Apache-2.0
#include "city/oracle.hpp"

#include <span>
#include <string_view>
#include <vector>

namespace bw::city {
namespace {

using Cells = std::vector<std::string_view>;

Cells cells_of(std::string_view text) {
  Cells cells;
  while (true) {
    const std::size_t slash = text.find('/');
    cells.push_back(text.substr(0, slash));
    if (slash == std::string_view::npos) return cells;
    text.remove_prefix(slash + 1);
  }
}

bool fits(std::span<const std::string_view> pattern, std::span<const std::string_view> uri) {
  if (pattern.empty()) return uri.empty();
  if (pattern[0] == "*") {
    for (std::size_t taken = 0; taken <= uri.size(); ++taken) {
      if (fits(pattern.subspan(1), uri.subspan(taken))) return true;
    }
    return false;
  }
  return !uri.empty() && (pattern[0] == "+" || pattern[0] == uri[0]) &&
         fits(pattern.subspan(1), uri.subspan(1));
}

class Oracle {
 public:
  Oracle(const wave::PermissionGraph& graph, const wave::Request& request)
      : graph_(graph), request_(request), uri_(cells_of(request.pattern.text())) {}

  // `links`: how many more may follow after `holder`.
  Result<bool> reaches(const EntityKey& holder, std::size_t links) const {
    if (holder == request_.origin) return true;
    if (links == 0) return false;
    const auto edges = graph_.all_granted_by(holder);
    wave::Edge edge;
    while (true) {
      BW_TRY(const bool more, edges->next(edge));
      if (!more) return false;
      if (edge.ns != request_.ns || !edge.permissions.contains(request_.permissions)) continue;
      if (!fits(cells_of(edge.pattern.text()), uri_)) continue;
      const std::size_t left = std::min<std::size_t>(links - 1, edge.ttl);
      BW_TRY(const bool found, reaches(edge.grantee, left));
      if (found) return true;
    }
  }

 private:
  const wave::PermissionGraph& graph_;
  const wave::Request& request_;
  Cells uri_;
};

}  // namespace

Result<bool> oracle_allows(const wave::PermissionGraph& graph, const wave::Request& request) {
  return Oracle(graph, request).reaches(request.ns, limits::kProofDots);
}

}  // namespace bw::city
