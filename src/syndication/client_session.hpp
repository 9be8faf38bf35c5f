// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "crypto/keys.hpp"
#include "syndication/batch.hpp"
#include "syndication/frames.hpp"
#include "syndication/grant_cache.hpp"
#include "syndication/message.hpp"
#include "syndication/outcome.hpp"
#include "syndication/replay_window.hpp"
#include "wave/proof.hpp"

namespace bw::syndication {

struct VerifiedBatch;  // inbound.hpp

// A message that passed every check, as an application sees it. Views hold during the callback.
struct Delivery {
  const MessageId& id;
  const Topic& topic;
  MessageType type;
  Time created;
  std::optional<Time> expires;
  ByteView payload;
  bool stored;  // an answer to a query or replay
  // Where it stands, for standing_message().
  const VerifiedBatch& batch;
  std::size_t position;
};

// The message with all that proves it, to be kept or shown (syndication/standing_message.hpp).
// During the callback only.
Result<Bytes> standing_message(const Delivery& delivery);

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

// Whoever asked for messages. Any function may be empty.
struct Consumer {
  std::function<void(const Delivery&)> on_message;
  // The request is complete (success) or has ended with a reason; nothing follows. For a
  // subscription success means that it stands; an error later ends it.
  std::function<void(Result<void>)> on_state;
  // So many deliveries did not come: the router dropped them for this session's slowness, perhaps
  // some of this subscription, or nobody here could judge them because the ledger was not heard.
  std::function<void(std::uint64_t)> on_lost;
};

// The agent's end of one session with a router: attaches entities, names topics, batches and signs
// what is waiting, matches acknowledgements, verifies deliveries and hands them to the
// subscriptions they concern. No sockets, no clock. For one thread. Callbacks may call anything but
// receive(), tick() and the destructor.
class ClientSession {
 public:
  using SubscriptionHandle = std::uint64_t;
  using ListDone = std::function<void(Result<std::vector<std::string>>)>;

  // `heard`: shared by sessions that follow each other (Inbound); null: a fresh one.
  ClientSession(const Hash& exporter, GrantCache& grants, Random& random,
                std::shared_ptr<ReplayWindow> heard = nullptr);
  // Calls nobody back: end() first.
  ~ClientSession();

  // What cannot be sent at all is told through the callback before these three return:
  // kInvalidArgument, kTooLarge, or kLimited when too much is waiting or unacknowledged already.
  // Nothing of `message` is kept, so a caller can fill the same one again.

  // Queues a value; it leaves with the next flush(). `done`, which may be empty, is told exactly
  // once: success when the router has handled the message (and stored it, for persist), or why it
  // was refused; the reason given to end() when the session ends first.
  void send_value(const Outgoing& message, Done done);
  // Subscribe, tap, query or tap-query. 0 when it could not be asked.
  SubscriptionHandle consume(const Outgoing& request, Consumer consumer);
  // Names of the children that match, as far as the router knows and tells.
  void list(const Outgoing& request, ListDone done);

  // Nothing is called for `handle` from now on, whether its request was answered yet or not. A
  // handle that has ended is ignored.
  void unsubscribe(SubscriptionHandle handle);

  // Signs what is waiting and appends all frames to send. Nothing waiting appends nothing.
  void flush(Time now, Bytes& out);
  [[nodiscard]] bool has_waiting() const;
  // Values taken by send_value() whose outcome is not known yet.
  [[nodiscard]] std::size_t unacknowledged() const;

  // Frames from the router. An error means that the router broke the protocol or told why it is
  // about to close: close the session. Messages that fail verification are dropped and counted, not
  // errors: routers are not trusted.
  Result<void> receive(std::span<const ByteView> frames, Time now);
  // The session is over: everything pending ends with `reason`, and so does whatever is asked
  // later.
  void end(const Error& reason);

  struct Stats {
    std::uint64_t messages_out = 0;  // signed
    std::uint64_t batches_out = 0;
    std::uint64_t messages_in = 0;  // handed to at least one consumer
    std::uint64_t dropped_unverified = 0;
    std::uint64_t dropped_unasked = 0;  // no subscription or request here wants it (any more)
  };
  [[nodiscard]] Stats stats() const;
  // Why the last message was dropped, for the log.
  [[nodiscard]] const std::optional<Error>& last_drop() const;

  // Once a second or so: forgets streams of others that have fallen silent.
  void tick(Time now);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bw::syndication
