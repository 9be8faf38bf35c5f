// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/keystore.hpp"
#include "ledger/ledger.hpp"
#include "net/channel.hpp"
#include "replica/replica.hpp"
#include "syndication/client_session.hpp"
#include "telemetry/log.hpp"

namespace bw::agent {

// A value to publish or persist, with names already resolved.
struct Value {
  EntityKey ns;
  wave::Pattern uri;
  bool persist = false;
  std::optional<Time> expires;
  std::uint16_t consumers = 0;
  Bytes payload;      // syndication::encode_payload
  bool seal = false;  // even where the namespace does not ask for it
};

// A received message, owned: it outlives the callback.
struct Received {
  syndication::MessageId id;
  EntityKey ns;
  std::string uri;
  bool persisted = false;
  bool stored = false;
  Time created;
  std::optional<Time> expires;
  Bytes payload;        // opened
  Bytes standing;       // the message with its proof, when it was asked for
  bool sealed = false;  // nobody could read it on its way
};

// What a subscriber is told besides messages.
struct SubscriptionEvent {
  // kUnopened: sealed messages that this entity cannot open, and why.
  enum class Kind { kStanding, kDisconnected, kMoved, kLost, kUnopened };
  Kind kind;
  std::string text;
  std::uint64_t lost = 0;  // or unopened
};

struct ConsumeRequest {
  KeyPtr key;
  EntityKey ns;
  wave::Pattern pattern;
  bool tap = false;
  bool replay = false;
  bool raw = false;          // give each message's standing form too
  bool keep_sealed = false;  // give payloads as they came
};

// Callbacks of a subscription or query; they come on the agent's thread. `on_end` comes exactly
// once and last; a subscription ends only when it is refused, revoked or cancelled, not with its
// router.
struct ConsumeHandlers {
  std::function<void(Received)> on_message;
  std::function<void(SubscriptionEvent)> on_event;
  std::function<void(Result<void>)> on_end;
};

struct HeadExchange {
  std::function<Bytes()> latest;
  std::function<Result<void>(ByteView)> compare;
};

// What an agent seals with besides the keys it is given.
struct SealingOptions {
  std::filesystem::path directory;              // what it remembers; empty: in memory only
  std::function<KeyPtr(const EntityKey&)> key;  // null when it is not held here, or locked
};

struct SealStats {
  std::uint64_t sealed = 0;    // messages
  std::uint64_t keys = 0;      // content keys made
  std::uint64_t wraps = 0;     // of a content key for an entity
  std::uint64_t renewed = 0;   // persisted values sealed again for new consumers
  std::uint64_t opened = 0;    // messages
  std::uint64_t unopened = 0;  // sealed messages that their receiver could not open
};

// Acts for the programs of one machine: finds designated routers on the ledger and keeps a session
// with each that is in use, proves, signs and verifies. Subscriptions follow a change of router or
// address and survive its restart.
//
// Lives on one io_context thread: its methods are called there (the API posts to it).
class Agent {
 public:
  // `self`: the agent's own key, with which it shows itself to routers; its entity must be
  // registered.
  Agent(net::asio::io_context& context, replica::Replica& replica, KeyPtr self, const Clock& clock,
        telemetry::Log& log, HeadExchange heads, SealingOptions sealing = {});
  ~Agent();

  void start();
  net::Task<void> stop();

  // `done` gets one outcome per value, once the router has handled (and stored) all of them.
  using PublishDone = std::function<void(std::vector<Result<void>>)>;
  void publish(KeyPtr key, std::vector<Value> values, PublishDone done);

  using ConsumeId = std::uint64_t;
  ConsumeId subscribe(ConsumeRequest request, ConsumeHandlers handlers);
  ConsumeId query(ConsumeRequest request, ConsumeHandlers handlers);
  // Ends a subscription or query; its on_end follows with success.
  void cancel(ConsumeId id);
  // Children of `uri_plus`, which ends in "+".
  void list(KeyPtr key, EntityKey ns, wave::Pattern uri_plus,
            std::function<void(Result<std::vector<std::string>>)> done);

  struct SessionInfo {
    EntityKey router;
    std::string address;
    bool connected = false;
    std::string trouble;
    std::size_t subscriptions = 0;
  };
  [[nodiscard]] std::vector<SessionInfo> sessions() const;
  [[nodiscard]] syndication::ClientSession::Stats stats() const;
  [[nodiscard]] SealStats seal_stats() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace bw::agent
