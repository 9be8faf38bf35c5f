// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "syndication/client_session.hpp"

namespace bw::syndication {

// One subscription, query or list of a client's session, from asking to its end.
struct ClientRequest {
  enum class State : std::uint8_t {
    kAsked,     // no answer yet
    kStanding,  // a subscription that the router said yes to
    kOver,      // nothing is called any more
  };

  ClientSession::SubscriptionHandle handle = 0;
  RequestId id;
  std::shared_ptr<const crypto::SigningKey> key;  // who asked, for unsubscribing
  Topic topic;
  MessageType type = MessageType::kSubscribe;
  State state = State::kAsked;
  bool replay = false;  // a subscription that asked for what is stored first
  Consumer consumer;
  ClientSession::ListDone list_done;
  std::vector<std::string> names;  // what a list found so far
  // Stored messages come in ascending cell_order, each once: a router that repeats one is caught by
  // remembering the last one's.
  std::string last_stored;
  // What a replay told, as long as it could come live as well (the router sends both when they
  // cross); nothing after `replayed_until`.
  std::set<MessageId> replayed;
  Time replayed_until{};

  [[nodiscard]] bool is_subscription() const {
    return type == MessageType::kSubscribe || type == MessageType::kTap;
  }
  [[nodiscard]] bool is_tap() const {
    return type == MessageType::kTap || type == MessageType::kTapQuery;
  }
  // Stored messages come before the answer.
  [[nodiscard]] bool awaits_stored() const {
    const bool asks = is_subscription() ? replay : type != MessageType::kList;
    return asks && state == State::kAsked;
  }
  [[nodiscard]] bool wants(const Topic& message) const {
    return message.ns == topic.ns && wave::matches(topic.uri, message.uri);
  }
};
using ClientRequestPtr = std::shared_ptr<ClientRequest>;

// The requests that are not over, by the two names they have. Knows nothing of callbacks.
class ClientRequests {
 public:
  // Gives the request its handle.
  void add(const ClientRequestPtr& request);
  void remove(const ClientRequest& request);
  // nullptr when there is none.
  [[nodiscard]] ClientRequestPtr find(const RequestId& id) const;
  [[nodiscard]] ClientRequestPtr find(ClientSession::SubscriptionHandle handle) const;
  // In order of asking. Copies, so that callbacks may change the table meanwhile.
  [[nodiscard]] std::vector<ClientRequestPtr> all() const;
  [[nodiscard]] std::vector<ClientRequestPtr> of_stream(std::uint64_t stream) const;
  [[nodiscard]] std::size_t size() const { return by_id_.size(); }

 private:
  struct IdHash {
    std::size_t operator()(const RequestId& id) const noexcept {
      return std::hash<std::uint64_t>{}(id.stream ^ (id.sequence << 16U) ^ id.index);
    }
  };
  std::unordered_map<RequestId, ClientRequestPtr, IdHash> by_id_;
  std::unordered_map<ClientSession::SubscriptionHandle, ClientRequestPtr> by_handle_;
  ClientSession::SubscriptionHandle next_handle_ = 1;
};

}  // namespace bw::syndication
