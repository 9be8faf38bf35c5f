// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <unordered_map>

#include "syndication/accounts.hpp"
#include "syndication/blacklist.hpp"
#include "syndication/parcel.hpp"
#include "syndication/router_limits.hpp"
#include "wave/authority.hpp"

namespace bw::syndication {

// What the intakes of one router share. Every part of it is thread-safe.
struct IntakeShared {
  const wave::AuthorityView& authority;
  Inbound::Carries carries;  // called on every thread
  RouterLimits limits;
  GrantCache grants;
  Blacklist blacklist;
  Accounts accounts;

  // Why the entity may not take part now: banned, unknown, revoked or expired. Its expiry
  // otherwise.
  [[nodiscard]] Result<Time> admit(const EntityKey& key, Time now) const;
};

// The reason why an entity is not served.
Error banned_words(const EntityKey& entity, Time until);

// The first half of a router, one for each session: takes the session's frames, verifies them and
// leaves the rest to the core. All that costs much is here, so that sessions on different threads
// pay at the same time. Cheapest check first: ban, form, stream, rate, sequence and time, rights,
// and only then a signature. Without sockets or clock; for one thread.
class Intake {
 public:
  // `keep_bytes`: parcels outlive the frames they were made of.
  Intake(IntakeShared& shared, SessionId session, const EntityKey& peer, const Hash& exporter,
         bool keep_bytes, Time now);

  struct Taken {
    // That many from the front: as much as one session may ask for before others have their turn.
    std::size_t frames = 0;
    // Do not read from the session for so long: it wasted too much.
    Duration pause{};
  };
  // `frames` is not empty. Views need hold until `out` was dealt with, unless bytes are kept.
  Taken take(std::span<const ByteView> frames, Time now, Parcel& out);
  // The core ended a stream.
  void ended(const EntityKey& entity, std::uint64_t stream);

 private:
  // An error is a breach of the protocol.
  Result<void> take_one(ByteView frame);
  void attach(const Attach& frame);
  Result<Time> try_attach(const Attach& frame);
  void detach(const Detach& frame);
  Result<void> topic(const TopicFrame& frame);
  Result<void> batch(ByteView bytes);
  Result<void> within_rate(const BatchView& batch);
  // A batch that is refused as a whole; the error again when it is a breach of the protocol.
  Result<void> misfit(const BatchView& batch, const Error& error);
  void refuse_all(const BatchView& batch, const Error& reason);
  void refuse(const BatchView& batch, std::size_t position, const Error& reason);
  void strike(const EntityKey& entity, double count);
  void charge_requests(std::size_t count, std::uint64_t stream);
  // Work that came to nothing, for which `stream`'s entity is to blame as well as the peer.
  void waste(std::chrono::nanoseconds work, std::uint64_t stream = 0);

  IntakeShared& shared_;
  SessionId session_;
  EntityKey peer_;
  Hash exporter_;
  bool keep_bytes_;
  Inbound inbound_;
  TokenBucket messages_;
  std::shared_ptr<Account> account_;  // the peer's
  std::unordered_map<std::uint64_t, std::shared_ptr<Account>> streams_;

  // Of the call at hand.
  Parcel* out_ = nullptr;
  Time now_;
  std::chrono::nanoseconds work_{};
  Duration pause_{};
};

}  // namespace bw::syndication
