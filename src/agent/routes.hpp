// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <unordered_map>

#include "agent/router_link.hpp"

namespace bw::agent {

// Which router carries a namespace, as the ledger says, and the link to each router that is in use.
// Links live as long as this. For the agent's thread.
class Routes {
 public:
  using Links = std::map<EntityKey, std::unique_ptr<RouterLink>>;
  using News = std::function<void(const EntityKey& router)>;

  // `on_up`, `on_down`: RouterLink::Events.
  Routes(const replica::Replica& replica, RouterLink::Context context, News on_up, News on_down);

  // The link to the designated router of `ns`, made on first use. kNotFound when it has none; why,
  // when the namespace is not live.
  Result<RouterLink*> to(const EntityKey& ns);
  // The ledger changed it: to be looked up anew. The link that it was; null when it was not known.
  RouterLink* forget(const EntityKey& ns);

  [[nodiscard]] const Links& links() const { return links_; }
  [[nodiscard]] syndication::ClientSession::Stats stats() const;  // of all links

 private:
  RouterLink& link_to(const EntityKey& router, const std::string& address);

  const replica::Replica& replica_;
  RouterLink::Context context_;
  News on_up_;
  News on_down_;
  Links links_;
  std::unordered_map<EntityKey, RouterLink*> by_namespace_;
};

}  // namespace bw::agent
