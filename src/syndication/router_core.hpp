// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "syndication/intake.hpp"
#include "syndication/message_store.hpp"

namespace bw::syndication {

using SharedFrames = std::shared_ptr<const Bytes>;

// What a router core does to the world. Calls do not re-enter the core.
class RouterOutput {
 public:
  virtual ~RouterOutput() = default;
  // `droppable`: a delivery that a slow consumer may lose; never a topic, proof or answer.
  virtual void send(SessionId session, SharedFrames frames, bool droppable) = 0;
  // Sends an ERROR frame and closes.
  virtual void close(SessionId session, const Error& reason) = 0;
  // The session's intake is to forget the stream (Intake::ended) before anything that is sent after
  // this.
  virtual void ended(SessionId session, const EntityKey& entity, std::uint64_t stream) = 0;
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
  std::uint64_t bans = 0;
  std::uint64_t wasted_us = 0;  // estimate of verification that came to nothing
};

// The second half of a router, of which there is one: takes what intakes have verified, stores,
// fans out. Without sockets or clock. The namespaces it carries are those whose designated router
// it is, asked anew through `Carries` whenever the ledger changes. For one thread, but for
// intake().
class RouterCore {
 public:
  // Whether this router is the designated router of a namespace now. Thread-safe when intakes are
  // on several threads.
  using Carries = Inbound::Carries;
  RouterCore(const wave::AuthorityView& authority, Carries carries, MessageStore& store,
             RouterOutput& output, RouterLimits limits);
  ~RouterCore();

  // The first half, for a session whose channel has this exporter value. Must not outlive the core.
  // Thread-safe.
  Intake intake(SessionId session, const EntityKey& peer, const Hash& exporter, Time now);
  // Why the entity may not take part now: banned, unknown, revoked or expired. Thread-safe.
  [[nodiscard]] Result<void> admit(const EntityKey& entity, Time now) const;

  // Before the session's first parcel.
  void open(SessionId session, const EntityKey& peer, Time now);
  // What intakes made, each session's in order; deliveries and answers are sent before it returns.
  // What changed in the ledger since a batch was verified, and was told to authority_changed(),
  // counts. Views need hold only during the call.
  void take(std::span<Parcel* const> parcels, Time now);
  void closed(SessionId session);

  // The ledger moved: subscriptions that rested on these, or on namespaces no longer carried, are
  // asked again and ended with the reason when refused.
  void authority_changed(std::span<const EntityKey> entities, std::span<const ObjectId> dots,
                         std::span<const EntityKey> affinity, Time now);
  // Once a second or so: ends expired subscriptions, purges the store, decays the blacklist.
  void tick(Time now);
  // Goes on with work that can wait, a little at a time; false when there is none left. To be
  // called, with other work in between, as long as there is.
  bool sweep();
  [[nodiscard]] bool has_to_sweep() const;
  // A session lost `count` deliveries for slowness; tells it so.
  void lost(SessionId session, std::uint64_t count);

  [[nodiscard]] RouterStats stats() const;
  [[nodiscard]] std::vector<BlacklistEntry> blacklist(Time now) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bw::syndication
