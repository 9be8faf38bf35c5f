// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/random.hpp"
#include "crypto/keys.hpp"
#include "syndication/frames.hpp"
#include "syndication/grant_cache.hpp"
#include "syndication/message.hpp"
#include "wave/proof.hpp"

namespace bw::syndication {

// A message that passed every check, as an application sees it. Views hold during the callback.
struct Delivery {
  const MessageId& id;
  const Topic& topic;
  MessageType type;
  Time created;
  std::optional<Time> expires;
  ByteView payload;
  bool stored;  // an answer to a query or replay
};

// What to sign and send. `proof` must be the one that topic.proof names.
struct Outgoing {
  std::shared_ptr<const crypto::SigningKey> key;
  Topic topic;
  std::shared_ptr<const wave::Proof> proof;
  MessageType type = MessageType::kPublish;
  std::optional<Time> expires;
  std::uint16_t consumers = 0;
  bool replay = false;
  Bytes payload;
};

// The agent's end of one session with a router: attaches entities, names topics, batches and signs
// what is waiting, matches acknowledgements, verifies deliveries and hands them to the subscriptions
// they concern. No sockets, no clock. For one thread; callbacks may call back in.
class ClientSession {
 public:
  using SubscriptionHandle = std::uint64_t;
  // Exactly once: success when the router has handled the message (and stored it, for persist), or why
  // it refused. kUnavailable when the session ends first.
  using Done = std::function<void(Result<void>)>;
  struct Consumer {
    std::function<void(const Delivery&)> on_message;
    // The request is complete (success) or has ended with a reason; nothing follows. For a
    // subscription success means that it stands; an error later ends it.
    std::function<void(Result<void>)> on_state;
    std::function<void(std::uint64_t)> on_lost;
  };

  ClientSession(const Hash& exporter, GrantCache& grants, Random& random);
  ~ClientSession();

  // Queue a value; it leaves with the next flush().
  void send_value(Outgoing message, Done done);
  // Subscribe, tap, query or tap-query.
  SubscriptionHandle consume(Outgoing request, Consumer consumer);
  void unsubscribe(SubscriptionHandle handle, Time now);
  void list(Outgoing request, std::function<void(Result<std::vector<std::string>>)> done);

  // Signs what is waiting and appends all frames to send. Nothing waiting appends nothing.
  void flush(Time now, Bytes& out);
  [[nodiscard]] bool has_waiting() const;
  // Values sent and not yet acknowledged.
  [[nodiscard]] std::size_t unacknowledged() const;

  // Frames from the router. An error means that the router broke the protocol: close the session.
  // Messages that fail verification are dropped and counted, not errors: routers are not trusted.
  Result<void> receive(std::span<const ByteView> frames, Time now);
  // The session is over: everything pending ends with `reason`.
  void end(const Error& reason);

  struct Stats {
    std::uint64_t messages_out = 0;
    std::uint64_t batches_out = 0;
    std::uint64_t messages_in = 0;
    std::uint64_t dropped_unverified = 0;
  };
  [[nodiscard]] Stats stats() const;
  // Why the last message was dropped, for the log.
  [[nodiscard]] const std::optional<Error>& last_drop() const;

  void tick(Time now);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bw::syndication
