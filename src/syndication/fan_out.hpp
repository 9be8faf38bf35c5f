// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <vector>

#include "syndication/outbox.hpp"
#include "syndication/parcel.hpp"
#include "syndication/subscriptions.hpp"

namespace bw::syndication {

// Where a topic's messages go, as of a generation of its namespace.
struct Route {
  struct Target {
    Session* session = nullptr;
    std::uint32_t first = 0;  // its subscriptions are this range of `subscriptions`
    std::uint32_t end = 0;
    bool told = false;  // the session knows the topic
  };
  const Subscriptions::Namespace* ns = nullptr;
  std::uint64_t generation = 0;
  std::vector<Subscription*> subscriptions;  // by session, in order of subscribing
  std::vector<Target> targets;               // by session
};

// Sends accepted messages to the sessions that subscribed. A session that is to have all of a batch
// gets the very frame that came in; one that is to have some gets a selection that can be verified
// just as well. Messages that are not for all go, in DIRECT frames, to the subscriptions that
// waited longest, and in BATCH frames to taps.
class FanOut {
 public:
  FanOut(Subscriptions& subscriptions, Outbox& outbox)
      : subscriptions_(subscriptions), outbox_(outbox) {}

  // The accepted values at positions [from, to). Returns how many deliveries that makes.
  std::uint64_t forward(const Incoming& incoming, std::size_t from, std::size_t to, Time now);

 private:
  using Positions = std::vector<std::uint16_t>;

  void forward_one(const Incoming& incoming, std::uint16_t position, Time now);
  Route& route_of(TopicState& topic);
  void build(Route& route, const TopicState& topic);
  void pick(const Incoming& incoming, Route::Target& target, const TopicState& topic,
            std::uint16_t position);
  void tell(Session& session, Stream& stream, const TopicState& topic);
  void serve_longest_waiting(const Incoming& incoming, Route& route, const TopicState& topic,
                             std::uint16_t position, Time now);
  void send_picked(const Incoming& incoming);
  void send_direct(const Incoming& incoming);
  Outbox::Piece piece_for(const Incoming& incoming, const Positions& positions);

  Subscriptions& subscriptions_;
  Outbox& outbox_;
  std::uint64_t served_ = 0;
  std::uint64_t deliveries_ = 0;
  // Buffers of the batch at hand.
  std::vector<Session*> touched_;
  std::map<Positions, Outbox::Piece> selections_;
  std::vector<std::pair<Subscription*, std::uint16_t>> direct_;
  std::vector<Subscription*> candidates_;
};

}  // namespace bw::syndication
