// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "syndication/blacklist.hpp"
#include "syndication/frames.hpp"
#include "syndication/message_store.hpp"
#include "wave/authority.hpp"

namespace bw::syndication {

using SessionId = std::uint64_t;
using SharedFrames = std::shared_ptr<const Bytes>;

// What a router core does to the world. Calls do not re-enter the core.
class RouterOutput {
 public:
  virtual ~RouterOutput() = default;
  // `droppable`: a delivery that a slow consumer may lose; never a topic, proof or answer.
  virtual void send(SessionId session, SharedFrames frames, bool droppable) = 0;
  // Sends an ERROR frame and closes.
  virtual void close(SessionId session, const Error& reason) = 0;
};

struct RouterLimits {
  double messages_per_second_per_entity = 1e6;
  std::size_t subscriptions_per_entity = 100'000;
  std::size_t grants_remembered = 100'000;
  double strikes_to_blacklist = 20;  // bad signatures count 5, unauthorised and replayed messages 1
  Duration blacklist_for = 60s;      // doubles with each repetition, decays with good behaviour
};

struct RouterStats {
  std::uint64_t sessions = 0;
  std::uint64_t streams = 0;
  std::uint64_t subscriptions = 0;
  std::uint64_t batches_in = 0;
  std::uint64_t messages_in = 0;
  std::uint64_t messages_out = 0;
  std::uint64_t refused = 0;  // unauthorised, expired or over a limit
  std::uint64_t bad_signatures = 0;
  std::uint64_t replayed = 0;
  std::uint64_t persisted = 0;
  std::uint64_t subscriptions_ended = 0;  // by revocation or expiry
};

// A router's thinking, without sockets or clock: takes frames, verifies, stores, fans out. The
// namespaces it carries are those whose designated router it is, asked anew through `Carries`
// whenever the ledger changes. For one thread.
class RouterCore {
 public:
  // Whether this router is the designated router of a namespace now.
  using Carries = std::function<bool(const EntityKey& ns)>;
  RouterCore(const wave::AuthorityView& authority, Carries carries, MessageStore& store,
             RouterOutput& output, RouterLimits limits);
  ~RouterCore();

  void open(SessionId session, const EntityKey& peer, const Hash& exporter, Time now);
  // Everything that arrived together; deliveries and answers are sent before it returns. Views need
  // hold only during the call.
  void receive(SessionId session, std::span<const ByteView> frames, Time now);
  void closed(SessionId session);

  // The ledger moved: subscriptions that rested on these, or on namespaces no longer carried, are
  // asked again and ended with the reason when refused.
  void authority_changed(std::span<const EntityKey> entities, std::span<const ObjectId> dots,
                         std::span<const EntityKey> affinity, Time now);
  // Once a second or so: ends expired subscriptions, purges the store, decays the blacklist.
  void tick(Time now);
  // A session lost `count` deliveries for slowness; tells it so.
  void lost(SessionId session, std::uint64_t count);

  [[nodiscard]] RouterStats stats() const;
  [[nodiscard]] std::vector<BlacklistEntry> blacklist(Time now) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bw::syndication
