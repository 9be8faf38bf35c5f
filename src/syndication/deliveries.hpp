// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "syndication/client_request.hpp"
#include "syndication/inbound.hpp"
#include "syndication/subscription_tree.hpp"

namespace bw::syndication {

// The receiving half of a client's session: verifies what the router forwards and hands each
// message to the standing subscriptions, or the open query, that it concerns. Nothing here trusts
// the router. For one thread; a consumer may add and remove requests, and end the session, while it
// is being called.
class Deliveries {
 public:
  Deliveries(GrantCache& grants, std::shared_ptr<ReplayWindow> heard);

  // A subscription that the router said yes to; live messages reach it from now on.
  void add(const ClientRequestPtr& subscription);
  void remove(const ClientRequest& subscription);

  void proof(const ProofFrame& frame);
  void topic(const TopicFrame& frame);
  void batch(const BatchFrame& frame, Time now);
  void detach(const Detach& frame) { inbound_.detach(frame.origin, frame.stream); }
  // `subscription`, `request`: the one that the frame names, or nullptr when there is none.
  void direct(const Direct& frame, ClientRequest* subscription, Time now);
  void stored(const Stored& frame, ClientRequest* request, Time now);
  void drop_unasked(std::string_view what);

  void tick(Time now);

  [[nodiscard]] std::uint64_t delivered() const { return delivered_; }
  [[nodiscard]] std::uint64_t dropped_unverified() const { return dropped_unverified_; }
  [[nodiscard]] std::uint64_t dropped_unasked() const { return dropped_unasked_; }
  [[nodiscard]] const std::optional<Error>& last_drop() const { return last_drop_; }

 private:
  // Who wants a topic's messages, as of a generation of `tree_`, in order of asking.
  struct Matches {
    TopicPtr topic;  // keeps the key of `matches_` from being used for another topic
    std::uint64_t generation = 0;
    std::vector<ClientRequestPtr> subscriptions;
  };

  const Matches& matches_of(const TopicPtr& topic);
  // Counts a refused message and says no; a message that may be delivered passes.
  bool admitted(std::size_t position);
  void deliver(std::size_t position, Time now);
  // A message that could not be judged, because the ledger was not heard: tells those who wanted it.
  void lose_if_stale(std::size_t position);
  [[nodiscard]] MessageId id_of(std::size_t position) const;
  // Whether a subscription's replay told it this message already.
  bool replayed(ClientRequest& subscription, std::size_t position, Time now) const;
  void hand_over(ClientRequest& request, std::size_t position, const Topic& topic, bool stored);
  void drop_unverified(Error why);

  Inbound inbound_;
  SubscriptionTree tree_;
  std::unordered_map<SubscriptionTree::Handle, ClientRequestPtr> standing_;
  std::uint64_t generation_ = 1;  // counts changes of tree_
  // What each subscription got in DIRECT frames; an entry goes when its streams are silent.
  std::unordered_map<SubscriptionTree::Handle, ReplayWindow> direct_seen_;
  std::unordered_map<const TopicState*, Matches> matches_;
  // Buffers of the frame at hand.
  VerifiedBatch verified_;
  std::vector<SubscriptionTree::Handle> handles_;
  std::uint64_t delivered_ = 0;
  std::uint64_t dropped_unverified_ = 0;
  std::uint64_t dropped_unasked_ = 0;
  std::optional<Error> last_drop_;
};

}  // namespace bw::syndication
