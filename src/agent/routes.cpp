// SPDX-License-Identifier: Apache-2.0
#include "agent/routes.hpp"

#include "wave/link.hpp"

namespace bw::agent {

Routes::Routes(const replica::Replica& replica, RouterLink::Context context, News on_up,
               News on_down)
    : replica_(replica),
      context_(std::move(context)),
      on_up_(std::move(on_up)),
      on_down_(std::move(on_down)) {}

Result<RouterLink*> Routes::to(const EntityKey& ns) {
  if (const auto known = by_namespace_.find(ns); known != by_namespace_.end()) return known->second;
  const Time now = context_.clock.now();
  BW_TRY(const auto designated, replica_.store().designated_router(ns, now));
  if (!designated) {
    // The want of a router may pass; a namespace that is not live has none for that reason.
    BW_TRY(const auto status, replica_.entity(ns));
    const auto obstacle = status ? wave::entity_obstacle(status, now) : std::nullopt;
    if (obstacle) return fail(*obstacle, "{}", wave::entity_words(*obstacle, ns));
    return fail(ErrorCode::kNotFound,
                "namespace {} has no designated router; see 'bw router offer' "
                "and 'bw router accept'",
                ns.text());
  }
  if (!designated->address) {
    return fail(ErrorCode::kNotFound,
                "router {} has not said where it listens; see 'bw router "
                "address'",
                designated->router.text());
  }
  RouterLink& link = link_to(designated->router, *designated->address);
  by_namespace_.emplace(ns, &link);
  return &link;
}

RouterLink* Routes::forget(const EntityKey& ns) {
  const auto known = by_namespace_.find(ns);
  if (known == by_namespace_.end()) return nullptr;
  RouterLink* const link = known->second;
  by_namespace_.erase(known);
  return link;
}

RouterLink& Routes::link_to(const EntityKey& router, const std::string& address) {
  auto& link = links_[router];
  if (link) {
    link->move_to(address);
    return *link;
  }
  RouterLink::Events events{[this, router] { on_up_(router); },
                            [this, router] { on_down_(router); }};
  link = std::make_unique<RouterLink>(context_, router, address, std::move(events));
  link->start();
  return *link;
}

syndication::ClientSession::Stats Routes::stats() const {
  syndication::ClientSession::Stats sum;
  for (const auto& [router, link] : links_) {
    const syndication::ClientSession::Stats more = link->stats();
    sum.messages_out += more.messages_out;
    sum.batches_out += more.batches_out;
    sum.messages_in += more.messages_in;
    sum.dropped_unverified += more.dropped_unverified;
    sum.dropped_unasked += more.dropped_unasked;
  }
  return sum;
}

}  // namespace bw::agent
